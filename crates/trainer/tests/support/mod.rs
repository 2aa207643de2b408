//! Small models and batches for the session's tests.
#![allow(dead_code, reason = "each test binary uses its own part")]

use sagetrain_data::{Batch, Column, Dataset, Loader, LoaderOptions, LoaderState};
use sagetrain_models::ModelSpec;
use sagetrain_optim::OptimizerSpec;
use sagetrain_trainer::{ModelHandle, PrecisionName, Session, SessionOptions, wait};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A transformer that trains in milliseconds, dropout on.
pub fn transformer() -> ModelSpec {
    transformer_with(0.2)
}

/// The same with another dropout.
pub fn transformer_with(dropout: f64) -> ModelSpec {
    let spec = json!({
        "type": "transformer", "vocabularySize": 40, "hiddenSize": 16, "encoderLayers": 1, "decoderLayers": 1,
        "heads": 2, "feedForwardSize": 32, "dropout": dropout, "maxPositions": 32
    });
    ModelSpec::read("model", &spec).expect("a valid spec")
}

/// Sentence pairs whose target is the source reversed, so that there is something to learn.
pub fn sentences(samples: usize) -> Arc<Dataset> {
    let word = |sample: usize, place: usize| (2 + (sample * 7 + place * place * 3) % 30) as i32;
    let source: Vec<Vec<i32>> =
        (0..samples).map(|s| (0..3 + s % 5).map(|p| word(s, p)).chain([0]).collect()).collect();
    let target =
        source.iter().map(|row| row[..row.len() - 1].iter().rev().copied().chain([0]).collect::<Vec<_>>());
    let columns =
        vec![("source".to_owned(), Column::ragged(&source)), ("target".to_owned(), Column::ragged(target))];
    Arc::new(Dataset::from_columns(columns).expect("a valid data set"))
}

/// The batches from `state` on; `tokens` is the budget.
pub fn batches(
    dataset: &Arc<Dataset>,
    tokens: usize,
    state: LoaderState,
) -> impl Iterator<Item = Arc<Batch>> {
    let options = LoaderOptions { max_tokens: Some(tokens), seed: 3, state, ..LoaderOptions::default() };
    Loader::new(Arc::clone(dataset), options)
        .expect("a loader")
        .map(|batch| Arc::new(batch.expect("a batch")))
}

/// Adam-SAGE with warm-up, two batches an update, clipping and label smoothing.
pub fn options(precision: PrecisionName, threads: usize) -> SessionOptions {
    let mut options = SessionOptions::from_json(&json!({
        "optimizer": { "type": "adam", "lr": 4e-3, "betas": [0.9, 0.98], "sage": { "beta0": 0.8 } },
        "schedule": { "type": "inverseSqrt", "warmupSteps": 10 },
        "maxGradientNorm": 1.0, "accumulate": 2, "labelSmoothing": 0.1, "seed": 11
    }))
    .expect("valid options");
    options.run.precision = Some(precision);
    options.run.threads = Some(threads);
    options.run.device = "cpu".to_owned();
    options
}

/// Plain Adam without anything else.
pub fn plain(lr: f64) -> SessionOptions {
    let mut options = SessionOptions::new(OptimizerSpec::adam(lr));
    options.run.precision = Some(PrecisionName::Float32);
    options.run.threads = Some(1);
    options.run.device = "cpu".to_owned();
    options
}

/// A model and its session.
pub fn start(spec: ModelSpec, options: SessionOptions) -> (ModelHandle, Session) {
    let model = wait(|reply| ModelHandle::create(spec, 5, reply)).expect("a model");
    let (session, _resolved) = wait(|reply| Session::create(&model, options, reply)).expect("a session");
    (model, session)
}

/// SHA-256 over the bits of every parameter.
pub fn digest(model: &ModelHandle) -> Vec<u8> {
    let mut digest = Sha256::new();
    for parameter in wait(|reply| model.parameters(reply)).expect("parameters") {
        let array = wait(|reply| model.read(parameter.name, reply)).expect("a parameter");
        array.values.iter().for_each(|value| digest.update(value.to_le_bytes()));
    }
    digest.finalize().to_vec()
}
