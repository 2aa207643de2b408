//! Sessions side by side, disposal, and errors that leave a session usable.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::{Batch, Column, Dataset, LoaderState};
use sagetrain_trainer::{ModelHandle, PrecisionName, Request, Session, wait};
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

fn one_pair(source: &[i32], target: &[i32]) -> Arc<Batch> {
    let columns = vec![
        ("source".to_owned(), Column::ragged([source])),
        ("target".to_owned(), Column::ragged([target])),
    ];
    let dataset = Dataset::from_columns(columns).expect("a data set");
    Arc::new(dataset.batch(vec![0]).expect("a batch"))
}
