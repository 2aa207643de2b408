//! Gradients summed over micro-batches are those of the whole batch, to float32's rounding.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::{Batch, Column, Dataset};
use sagetrain_trainer::{ModelHandle, PrecisionName, Session, SessionOptions, wait};
use serde_json::json;
use std::sync::Arc;
use support::{sentences, start, transformer_with};

/// Target tokens of the whole batch, `</s>` counted.
const TOKENS: usize = 32_768;
/// Shares of the micro-batches: as unequal as a last batch is.
const SHARES: [usize; 8] = [100, 900, 1200, 300, 1500, 7, 1000, 454];
/// A rate that leaves the gradient in the weights: against it they vanish.
const RATE: f64 = 1048576.0;

fn options(lr: f64, momentum: f64, accumulate: u32) -> SessionOptions {
    let mut options = SessionOptions::from_json(&json!({
        "optimizer": { "type": "sgd", "lr": lr, "momentum": momentum }, "accumulate": accumulate, "labelSmoothing": 0.1
    }))
    .expect("valid options");
    options.run.precision = Some(PrecisionName::Float32);
    options.run.threads = Some(2);
    options
}

fn batch(dataset: &Arc<Dataset>, samples: std::ops::Range<usize>) -> Arc<Batch> {
    Arc::new(dataset.batch(samples.map(|sample| sample as u64).collect()).expect("a batch"))
}

/// As far as sums of so many terms stray by rounding each in float32.
fn rounding() -> f64 {
    f64::from(f32::EPSILON) / 2.0 * (TOKENS as f64).sqrt()
}

/// Sentence pairs of [`TOKENS`] target tokens but for a few. Their words do not repeat in cycles: equal terms would round to one side.
fn corpus() -> Arc<Dataset> {
    let samples: usize = SHARES.iter().sum();
    let mut random = 1_u64;
    let mut draw = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut side = || -> Vec<Vec<i32>> {
        let words = |length: u64, draw: &mut dyn FnMut(u64) -> u64| {
            (0..length).map(|_| 2 + draw(30) as i32).chain([0]).collect()
        };
        (0..samples).map(|sample| words(3 + (sample % 5) as u64, &mut draw)).collect()
    };
    let columns = ["source", "target"].map(|name| (name.to_owned(), Column::ragged(side())));
    let dataset = Arc::new(Dataset::from_columns(columns.into()).expect("a valid data set"));
    assert!(batch(&dataset, 0..samples).tokens.abs_diff(TOKENS) < 16);
    dataset
}

fn parts() -> impl Iterator<Item = std::ops::Range<usize>> {
    SHARES.iter().scan(0, |end, share| {
        *end += share;
        Some(*end - share..*end)
    })
}

fn weights(model: &ModelHandle) -> Vec<Vec<f32>> {
    let parameters = wait(|reply| model.parameters(reply)).expect("parameters");
    let read = |name: String| wait(|reply| model.read(name, reply)).expect("a parameter").values;
    parameters.into_iter().map(|parameter| read(parameter.name)).collect()
}

/// The distance of all weights, in the length of those expected.
fn difference(found: &[Vec<f32>], expected: &[Vec<f32>]) -> f64 {
    let both = || found.iter().flatten().zip(expected.iter().flatten());
    let square = |value: f64| value * value;
    let apart: f64 = both().map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let length: f64 = both().map(|(_, b)| square(f64::from(*b))).sum();
    (apart / length).sqrt()
}

fn step(session: &Session, batch: Arc<Batch>) -> sagetrain_trainer::StepReport {
    wait(|reply| session.step(batch, reply)).expect("a step")
}

#[test]
fn the_gradient_of_accumulated_micro_batches_is_that_of_the_whole_batch() {
    let dataset = corpus();
    let (whole, session) = start(transformer_with(0.0), options(RATE, 0.0, 1));
    let at_once = step(&session, batch(&dataset, 0..dataset.len()));
    let (summed, session) = start(transformer_with(0.0), options(RATE, 0.0, SHARES.len() as u32));
    let reports: Vec<_> = parts().map(|part| step(&session, batch(&dataset, part))).collect();
    let last = reports.last().expect("reports");
    assert!(last.updated && reports[..7].iter().all(|report| !report.updated));
    assert_eq!(last.count, at_once.count);
    assert!((last.loss / at_once.loss - 1.0).abs() < 1e-6, "{} {}", last.loss, at_once.loss);
    let apart = difference(&weights(&summed), &weights(&whole));
    assert!(apart < rounding(), "{apart}");

    // A mean of the micro-batches' means, which weighs sentences of small ones more, is another gradient.
    let mut mean: Vec<Vec<f32>> = Vec::new();
    for part in parts() {
        let (model, session) = start(transformer_with(0.0), options(RATE, 0.0, 1));
        step(&session, batch(&dataset, part));
        let weights = weights(&model);
        mean.resize_with(weights.len(), Vec::new);
        for (sum, values) in mean.iter_mut().zip(weights) {
            sum.resize(values.len(), 0.0);
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value / SHARES.len() as f32);
        }
    }
    let apart = difference(&mean, &weights(&whole));
    assert!(apart > 1e-3, "{apart}");
}

#[test]
fn updates_of_accumulated_micro_batches_follow_those_of_whole_batches() {
    let dataset = corpus();
    let (whole, at_once) = start(transformer_with(0.0), options(0.5, 0.9, 1));
    let (summed, parted) = start(transformer_with(0.0), options(0.5, 0.9, SHARES.len() as u32));
    for _update in 0..4 {
        step(&at_once, batch(&dataset, 0..dataset.len()));
        parts().for_each(|part| {
            step(&parted, batch(&dataset, part));
        });
    }
    let apart = difference(&weights(&summed), &weights(&whole));
    assert!(apart < rounding(), "{apart}");
}

/// A weight's sensitivity is that of the whole batch's gradient, not of its last micro-batch's.
#[test]
fn sage_is_guided_by_the_accumulated_gradient() {
    let dataset = corpus();
    for kind in ["adam", "adamax"] {
        let options = |accumulate: u32| {
            // Against a larger ε: where a gradient is nothing but rounding, as a key's bias's is, Adam would make a step of it.
            let optimizer = json!({ "type": kind, "lr": 1e-2, "eps": 1e-3, "sage": { "beta0": 0.6 } });
            let mut options =
                SessionOptions::from_json(&json!({ "optimizer": optimizer, "accumulate": accumulate }))
                    .expect("valid options");
            options.run.precision = Some(PrecisionName::Float32);
            options.run.threads = Some(2);
            options
        };
        let (whole, at_once) = start(transformer_with(0.0), options(1));
        let (summed, parted) = start(transformer_with(0.0), options(SHARES.len() as u32));
        let before = weights(&whole);
        for _update in 0..3 {
            step(&at_once, batch(&dataset, 0..dataset.len()));
            parts().for_each(|part| {
                step(&parted, batch(&dataset, part));
            });
        }
        let moved = |model: &ModelHandle| -> Vec<Vec<f32>> {
            let both = weights(model).into_iter().zip(&before);
            both.map(|(after, before)| after.iter().zip(before).map(|(a, b)| a - b).collect()).collect()
        };
        let apart = difference(&moved(&summed), &moved(&whole));
        assert!(apart < 1e-3, "{kind} {apart}");
    }
}

#[test]
fn an_accumulation_is_finished_with_the_batches_there_are() {
    let dataset = sentences(50);
    let (whole, session) = start(transformer_with(0.0), options(RATE, 0.0, 1));
    step(&session, batch(&dataset, 0..50));
    let (summed, session) = start(transformer_with(0.0), options(RATE, 0.0, 8));
    let before = weights(&summed);
    let nothing = wait(|reply| session.finish(reply)).expect("nothing to do");
    assert!(!nothing.updated && nothing.count == 0 && weights(&summed) == before);
    step(&session, batch(&dataset, 0..10));
    let waiting = step(&session, batch(&dataset, 10..50));
    assert!(!waiting.updated);
    let finished = wait(|reply| session.finish(reply)).expect("an update");
    assert!(finished.updated && finished.step == 1 && finished.count == waiting.count);
    let apart = difference(&weights(&summed), &weights(&whole));
    assert!(apart < rounding(), "{apart}");
}
