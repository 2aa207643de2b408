//! SMART's smoothness in a session: what is minimised, reported, saved and refused.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::{Batch, Column, Dataset};
use sagetrain_models::{Forward, Inputs, LABEL, Model, ModelSpec, Smoothness, TOKENS, create};
use sagetrain_torch::{Precision, f32_values};
use sagetrain_trainer::checkpoint::Extras;
use sagetrain_trainer::{ModelHandle, Session, SessionOptions, StepReport, TrainerError, wait};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{digest, start, transformer};

const SAMPLES: usize = 24;
/// Seed of [`start`]'s models.
const WEIGHTS: u64 = 5;

fn encoder() -> ModelSpec {
    let spec = json!({
        "type": "bert", "vocabularySize": 40, "hiddenSize": 16, "layers": 2, "heads": 2, "feedForwardSize": 32, "maxPositions": 16,
        "head": { "kind": "classification", "classes": 3 }
    });
    ModelSpec::read("model", &spec).expect("a valid spec")
}

fn tokens(sample: usize) -> Vec<i32> {
    (0..2 + sample % 6).map(|place| (1 + (sample * 7 + place * 5) % 39) as i32).collect()
}

fn label(sample: usize) -> i32 {
    (sample % 3) as i32
}

fn texts() -> Arc<Dataset> {
    let labels = (0..SAMPLES).map(|sample| vec![label(sample)]);
    let columns = vec![
        (TOKENS.to_owned(), Column::ragged((0..SAMPLES).map(tokens))),
        (LABEL.to_owned(), Column::ragged(labels)),
    ];
    Arc::new(Dataset::from_columns(columns).expect("a valid data set"))
}

/// Unequal batches, one after the other and round about.
fn batch(dataset: &Arc<Dataset>, number: usize) -> Arc<Batch> {
    Arc::new(dataset.batch(samples(number).map(|sample| sample as u64).collect()).expect("a batch"))
}

fn samples(number: usize) -> impl Iterator<Item = usize> {
    (0..3 + number % 4).map(move |place| (number * 5 + place) % SAMPLES)
}

fn options(change: Value) -> SessionOptions {
    let mut all = json!({
        "optimizer": { "type": "adamax", "lr": 4e-3, "sage": { "beta0": 0.7 } }, "maxGradientNorm": 1.0, "accumulate": 2,
        "seed": 11, "threads": 2, "precision": "float32", "smoothness": {}
    });
    for (key, value) in change.as_object().expect("an object") {
        all[key] = value.clone();
    }
    SessionOptions::from_json(&all).expect("valid options")
}

fn train(session: &Session, numbers: std::ops::Range<usize>) -> Vec<StepReport> {
    let dataset = texts();
    numbers
        .map(|number| wait(|reply| session.step(batch(&dataset, number), reply)).expect("a step"))
        .collect()
}

fn weights(model: &ModelHandle) -> Vec<f32> {
    let parameters = wait(|reply| model.parameters(reply)).expect("parameters");
    let read = |name: String| wait(|reply| model.read(name, reply)).expect("a parameter").values;
    parameters.into_iter().flat_map(|parameter| read(parameter.name)).collect()
}

/// The loss, the term and the gradient of both of a batch, sums all, by the models alone; the pass is the batch's number.
fn sums(model: &dyn Model, number: usize, smoothness: &Smoothness) -> (f64, f64, Vec<f32>) {
    let column = |inputs: Inputs, name: &str, rows: Vec<Vec<i32>>| {
        let ends = rows.iter().scan(0, |end, row| {
            *end += row.len() as i64;
            Some(*end)
        });
        let offsets: Vec<i64> = std::iter::once(0).chain(ends).collect();
        inputs.ragged(name, &rows.concat(), &offsets).expect("a column")
    };
    let inputs = column(Inputs::new(), TOKENS, samples(number).map(tokens).collect());
    let inputs = column(inputs, LABEL, samples(number).map(|sample| vec![label(sample)]).collect());
    let forward = Forward {
        training: true,
        precision: Precision::Float32,
        seed: 11,
        step: number as u64,
        loss_scale: 1.0,
    };
    let encoder = model.as_encoder().expect("an encoder");
    let loss = encoder.smooth_loss(&inputs, 0.0, smoothness, &forward).expect("a loss");
    let tensors = model.parameters().tensors();
    let all = tch::Tensor::f_run_backward(&[loss.minimised().expect("a sum")], &tensors, false, false);
    let gradient = all.expect("gradients").into_iter().zip(&tensors).flat_map(|(gradient, tensor)| {
        let gradient = if gradient.defined() { gradient.contiguous() } else { tensor.zeros_like() };
        f32_values(&gradient).expect("values").into_owned()
    });
    let term = loss.smoothness.as_ref().expect("a term").sum.double_value(&[]);
    (loss.sum.double_value(&[]), term, gradient.collect())
}

#[test]
fn what_is_minimised_is_the_mean_loss_and_the_weighted_mean_term_of_all_micro_batches() {
    let smoothness = Smoothness { weight: 2.0, ..Smoothness::default() };
    let rate = 1024.0;
    let (model, session) = start(
        encoder(),
        options(
            json!({ "optimizer": { "type": "sgd", "lr": rate }, "maxGradientNorm": null, "smoothness": { "weight": 2 } }),
        ),
    );
    let reports = train(&session, 0..2);
    let report = reports.last().expect("a report");

    let alone = create(&encoder(), WEIGHTS).expect("a model");
    let before: Vec<f32> = alone
        .parameters()
        .tensors()
        .iter()
        .flat_map(|one| f32_values(one).expect("values").into_owned())
        .collect();
    let [first, second] = [0, 1].map(|number| sums(alone.as_ref(), number, &smoothness));
    let count = samples(0).chain(samples(1)).count() as f64;
    assert!(report.updated && report.count as f64 == count);
    assert!((report.loss / ((first.0 + second.0) / count) - 1.0).abs() < 1e-6);
    assert!((report.smoothness.expect("a mean") / ((first.1 + second.1) / count) - 1.0).abs() < 1e-6);
    let gradient = first.2.iter().zip(&second.2).map(|(a, b)| f64::from(a + b) / count);
    let expected = before.iter().zip(gradient).map(|(before, gradient)| f64::from(*before) - rate * gradient);
    let apart = weights(&model)
        .into_iter()
        .zip(expected)
        .map(|(found, expected)| (f64::from(found) - expected).abs() / expected.abs().max(1.0));
    assert!(apart.fold(0.0, f64::max) < 1e-5);
}

#[test]
fn a_resumed_run_continues_to_the_same_bits_from_an_update_and_from_inside_one() {
    for stop in [6, 7] {
        let folder = tempfile::tempdir().expect("a folder");
        let (model, session) = start(encoder(), options(json!({})));
        let undisturbed = train(&session, 0..14);
        let expected = digest(&model);

        let (_model, session) = start(encoder(), options(json!({})));
        train(&session, 0..stop);
        let path =
            wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
        let (model, session) = start(encoder(), options(json!({})));
        let loaded = wait(|reply| session.load(path, reply)).expect("loaded");
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        let resumed = train(&session, stop..14);
        assert_eq!(digest(&model), expected);
        for (found, expected) in resumed.iter().zip(&undisturbed[stop..]) {
            assert_eq!((found.loss, found.smoothness), (expected.loss, expected.smoothness));
        }
    }
}

#[test]
fn a_checkpoint_of_other_smoothness_or_none_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_model, session) = start(encoder(), options(json!({})));
    let path =
        wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
    for (now, key) in
        [(json!({ "weight": 3, "norm": "euclidean" }), "smoothness.weight"), (Value::Null, "smoothness")]
    {
        let (_model, session) = start(encoder(), options(json!({ "smoothness": now })));
        let warnings = wait(|reply| session.load(path.clone(), reply)).expect("loaded").warnings;
        assert!(warnings.iter().any(|text| text.starts_with(&format!("{key} changed from"))), "{warnings:?}");
    }
}

#[test]
fn a_perturbation_that_is_no_number_is_refused_by_its_name_and_changes_nothing() {
    let (model, session) =
        start(encoder(), options(json!({ "accumulate": 1, "smoothness": { "noise": 1e30 } })));
    let before = digest(&model);
    let error = wait(|reply| session.step(batch(&texts(), 0), reply)).expect_err("no number");
    assert!(matches!(error, TrainerError::Perturbation { .. }));
    assert_eq!(error.code(), "ERR_NON_FINITE");
    assert!(
        error.to_string().starts_with("smoothness: a perturbation of the embeddings became NaN"),
        "{error}"
    );
    assert!(digest(&model) == before);

    let skipping = json!({ "accumulate": 1, "smoothness": { "noise": 1e30 }, "nonFinite": "skip" });
    let (model, session) = start(encoder(), options(skipping));
    let report = wait(|reply| session.step(batch(&texts(), 0), reply)).expect("a step");
    assert!(report.skipped && digest(&model) == before);
}

#[test]
fn reports_have_a_mean_only_where_there_is_a_term() {
    let (_model, session) = start(encoder(), options(json!({})));
    assert!(train(&session, 0..4).iter().all(|report| report.smoothness.is_some_and(|mean| mean > 0.0)));
    let (_model, session) = start(encoder(), options(json!({ "smoothness": null })));
    assert!(train(&session, 0..4).iter().all(|report| report.smoothness.is_none()));
}

#[test]
fn options_and_models_that_cannot_be_are_refused_by_their_key() {
    let refused = |spec: ModelSpec, change: Value| {
        let model = wait(|reply| ModelHandle::create(spec, WEIGHTS, reply)).expect("a model");
        let error = wait(|reply| Session::create(&model, options(change), reply)).err().expect("an error");
        assert_eq!(error.code(), "ERR_CONFIG");
        error.to_string()
    };
    let message = refused(encoder(), json!({ "smoothness": { "steps": 0 } }));
    assert!(message.starts_with("smoothness.steps: 0 is out of range"), "{message}");
    let message = refused(transformer(), json!({}));
    assert!(message.starts_with("smoothness: ") && message.contains("\"transformer\""), "{message}");
    let unknown = json!({ "optimizer": { "type": "adam", "lr": 1 }, "smoothness": { "wieght": 1 } });
    let message = SessionOptions::from_json(&unknown).expect_err("an error").to_string();
    assert!(message.starts_with("smoothness: unknown field `wieght`"), "{message}");
}
