//! Sessions side by side, disposal, and errors that leave a session usable.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::{Batch, Column, Dataset, LoaderState};
use sagetrain_models::{ModelSpec, Smoothness};
use sagetrain_trainer::{ModelHandle, PrecisionName, Request, Session, wait};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{batches, digest, options, plain, sentences, start, transformer, transformer_with};

fn train(threads: usize) -> Vec<u8> {
    let (model, session) = start(transformer(), options(PrecisionName::Bfloat16, threads));
    for batch in batches(&sentences(60), 60, LoaderState::default()).take(16) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    digest(&model)
}

#[test]
fn sessions_side_by_side_equal_their_solo_runs() {
    let solo: Vec<Vec<u8>> = [1, 2].into_iter().map(train).collect();
    let together: Vec<_> =
        [1, 2].into_iter().map(|threads| std::thread::spawn(move || train(threads))).collect();
    let together: Vec<Vec<u8>> = together.into_iter().map(|thread| thread.join().expect("a run")).collect();
    assert_eq!(together, solo);
}

/// An encoder's last weights, trained on packed sequences of many lengths with smoothness and dropout.
fn fine_tune(threads: usize) -> Vec<u8> {
    let mut options = options(PrecisionName::Bfloat16, threads);
    options.run.smoothness = Some(Smoothness::default());
    let (model, session) = start(encoder(3), options);
    let dataset = labelled(60);
    for batch in batches(&dataset, 60, LoaderState::default()).take(16) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    digest(&model)
}

#[test]
fn encoders_side_by_side_equal_their_solo_runs() {
    let solo: Vec<Vec<u8>> = [1, 2].into_iter().map(fine_tune).collect();
    let together: Vec<_> =
        [1, 2].into_iter().map(|threads| std::thread::spawn(move || fine_tune(threads))).collect();
    let together: Vec<Vec<u8>> = together.into_iter().map(|thread| thread.join().expect("a run")).collect();
    assert_eq!(together, solo);
}

#[test]
fn label_smoothing_that_cannot_be_is_refused_before_anything_has_begun() {
    let refusal = |spec: ModelSpec, smoothing: f64| {
        let model = wait(|reply| ModelHandle::create(spec, 1, reply)).expect("a model");
        let mut options = plain(1e-3);
        options.run.label_smoothing = smoothing;
        wait(|reply| Session::create(&model, options, reply)).err().map(|error| error.to_string())
    };
    let two = refusal(encoder(2), 0.6).expect("an error");
    assert!(
        two.starts_with("labelSmoothing: 0.6 is too much for 2 classes") && two.ends_with("at most 0.5"),
        "{two}"
    );
    assert_eq!(refusal(encoder(2), 0.5), None);
    assert_eq!(refusal(encoder(3), 2.0 / 3.0), None);
    let number = refusal(encoder_with(json!({ "kind": "regression" })), 0.1).expect("an error");
    assert!(number.starts_with("labelSmoothing: 0.1 of a model that gives a number"), "{number}");
}

#[test]
fn a_single_sample_has_a_loss_and_no_correlation() {
    let model = wait(|reply| ModelHandle::create(encoder_with(json!({ "kind": "regression" })), 1, reply));
    let columns = vec![
        ("tokens".to_owned(), Column::ragged([[1, 2]])),
        ("target".to_owned(), Column::Dense { values: vec![0.5], width: 1 }),
    ];
    let one = Arc::new(Dataset::from_columns(columns).expect("a data set"));
    let (scores, _) =
        wait(|reply| model.expect("a model").evaluate_classification(one, 8, reply)).expect("scores");
    assert!(scores.loss.is_finite() && scores.pearson.is_some_and(f64::is_nan), "{scores:?}");
    assert!(scores.spearman.is_some_and(f64::is_nan), "{scores:?}");
}

#[test]
fn a_model_is_in_one_session_at_a_time() {
    let (model, session) = start(transformer(), plain(1e-3));
    let error = wait(|reply| Session::create(&model, plain(1e-3), reply)).err().expect("an error");
    assert_eq!(error.code(), "ERR_STATE");
    wait(|reply| session.dispose(reply)).expect("disposed");
    wait(|reply| Session::create(&model, plain(1e-3), reply)).expect("another session");
}

#[test]
fn a_disposed_model_says_so() {
    let model = wait(|reply| ModelHandle::create(transformer(), 1, reply)).expect("a model");
    model.dispose();
    model.dispose();
    let error = wait(|reply| model.parameters(reply)).expect_err("an error");
    assert_eq!(error.code(), "ERR_DISPOSED");
}

#[test]
fn an_id_outside_the_vocabulary_fails_the_step_and_changes_nothing() {
    let (model, session) = start(transformer(), plain(1e-3));
    let before = digest(&model);
    let error = wait(|reply| session.step(one_pair(&[3, 99, 0], &[4, 0]), reply)).expect_err("an error");
    assert!(error.to_string().contains("99"), "{error}");
    assert_eq!(digest(&model), before);
    wait(|reply| session.step(one_pair(&[3, 9, 0], &[4, 0]), reply)).expect("the session goes on");
    assert_ne!(digest(&model), before);
}

#[test]
fn a_poisoned_weight_stops_the_run_with_the_step_and_changes_nothing_more() {
    let (model, session) = start(transformer(), plain(1e-3));
    let name = wait(|reply| model.parameters(reply)).expect("parameters")[0].name.clone();
    let mut values = wait(|reply| model.read(name.clone(), reply)).expect("values").values;
    values[3 * 16] = f32::NAN;
    wait(|reply| model.write(name, values, reply)).expect("written");
    let before = digest(&model);
    let error = wait(|reply| session.step(one_pair(&[3, 9, 0], &[4, 0]), reply)).expect_err("an error");
    assert_eq!(error.code(), "ERR_NON_FINITE");
    assert_eq!(digest(&model), before);
}

#[test]
fn learning_reverses_a_sentence() {
    let (model, session) = start(transformer_with(0.0), plain(5e-3));
    let dataset = sentences(20);
    for batch in batches(&dataset, 200, LoaderState::default()).take(300) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    let losses = wait(|reply| model.losses(dataset, sagetrain_trainer::BatchSize::Tokens(200), reply))
        .expect("losses");
    assert!(losses.nll < 0.2, "{losses:?}");
    let found =
        wait(|reply| model.translate(Request::all(vec![vec![2, 5, 14, 0]]), Default::default(), reply))
            .expect("outputs");
    assert_eq!(found[0][0].tokens, [14, 5, 2]);
}

fn encoder(classes: usize) -> ModelSpec {
    encoder_with(json!({ "kind": "classification", "classes": classes }))
}

fn encoder_with(head: Value) -> ModelSpec {
    let spec = json!({
        "type": "bert", "vocabularySize": 40, "hiddenSize": 16, "layers": 2, "heads": 2, "feedForwardSize": 32,
        "maxPositions": 32, "dropout": 0.2, "head": head
    });
    ModelSpec::read("model", &spec).expect("a valid spec")
}

/// Sequences of many lengths in three classes.
fn labelled(samples: usize) -> Arc<Dataset> {
    let tokens =
        |sample: usize| (0..2 + sample % 9).map(move |place| (1 + (sample * 7 + place * 5) % 39) as i32);
    let columns = vec![
        ("tokens".to_owned(), Column::ragged((0..samples).map(|sample| tokens(sample).collect::<Vec<_>>()))),
        ("label".to_owned(), Column::ragged((0..samples).map(|sample| [(sample % 3) as i32]))),
    ];
    Arc::new(Dataset::from_columns(columns).expect("a data set"))
}

fn one_pair(source: &[i32], target: &[i32]) -> Arc<Batch> {
    let columns = vec![
        ("source".to_owned(), Column::ragged([source])),
        ("target".to_owned(), Column::ragged([target])),
    ];
    let dataset = Dataset::from_columns(columns).expect("a data set");
    Arc::new(dataset.batch(vec![0]).expect("a batch"))
}
