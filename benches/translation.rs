//! Trains a translation model from Rust alone and prints one line of JSON: what Node's share is measured against.
//!
//! `cargo run --release -p sagetrain-benches --features torch --bin translation -- config.json`, where the file holds
//! `{ "prepare", "model", "session", "maxTokens", "steps", "warmup", "export"? }`; a vocabulary that is not given is the text's. With `export` the batches are
//! written for the peers to train on the same ones, the prepared data set is named, and nothing is trained.
#![allow(clippy::print_stdout, reason = "the result is this program's output")]

use sagetrain_data::translation::{PrepareOptions, prepare};
use sagetrain_data::{Batch, Column, Dataset, Loader, LoaderOptions};
use sagetrain_models::ModelSpec;
use sagetrain_trainer::{ModelHandle, Session, SessionOptions, wait};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    prepare: PrepareOptions,
    model: Value,
    session: Value,
    max_tokens: usize,
    steps: usize,
    warmup: usize,
    #[serde(default)]
    export: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: translation config.json")?;
    let mut config: Config = serde_json::from_slice(&std::fs::read(path)?)?;
    let prepared = prepare(&config.prepare)?;
    if config.model.get("vocabularySize").is_none() {
        config.model["vocabularySize"] = prepared.vocabulary.into();
    }
    let dataset = Arc::new(Dataset::open(&prepared.train)?);
    match &config.export {
        Some(path) => {
            export(&config, dataset, path)?;
            println!("{}", json!({ "train": prepared.train, "vocabulary": prepared.vocabulary }));
            Ok(())
        }
        None => train(&config, dataset),
    }
}

fn train(config: &Config, dataset: Arc<Dataset>) -> Result<(), Box<dyn Error>> {
    let spec = ModelSpec::read("model", &config.model)?;
    let options = SessionOptions::from_json(&config.session)?;
    let model = wait(|reply| ModelHandle::create(spec, 1, reply))?;
    let (session, options) = wait(|reply| Session::create(&model, options, reply))?;
    let mut loader = loader(config, dataset)?;
    let (mut tokens, mut optimizer, mut waited, mut loss) = (0, 0.0, 0.0, 0.0);
    let mut started = Instant::now();
    for step in 0..config.warmup + config.steps {
        if step == config.warmup {
            (tokens, optimizer, waited, started) = (0, 0.0, loader.wait(), Instant::now());
        }
        let batch = Arc::new(loader.next().ok_or("the loader ended")??);
        let report = wait(|reply| session.step(batch, reply))?;
        tokens += report.count;
        optimizer += report.optimizer_seconds;
        loss = report.loss;
    }
    let seconds = started.elapsed().as_secs_f64();
    waited = loader.wait() - waited;
    println!(
        "{}",
        json!({
            "system": "sagetrain (Rust)",
            "precision": options.run.precision,
            "threads": options.run.threads,
            "steps": config.steps,
            "targetTokens": tokens,
            "seconds": seconds,
            "targetTokensPerSecond": tokens as f64 / seconds,
            "optimizerShare": optimizer / seconds,
            "dataWait": waited / seconds,
            "loss": loss,
        })
    );
    Ok(())
}

fn loader(config: &Config, dataset: Arc<Dataset>) -> Result<Loader, Box<dyn Error>> {
    let options = LoaderOptions { max_tokens: Some(config.max_tokens), seed: 1, ..LoaderOptions::default() };
    Ok(Loader::new(dataset, options)?)
}

/// The layout is that of `peers/batches.py`.
fn export(config: &Config, dataset: Arc<Dataset>, path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let batches =
        loader(config, dataset)?.take(config.warmup + config.steps).collect::<Result<Vec<_>, _>>()?;
    let mut rows = vec![0_i64];
    for batch in &batches {
        rows.push(rows[rows.len() - 1] + batch.samples as i64);
    }
    let mut arrays = vec![(
        "batch_offsets".to_owned(),
        bytes(&rows, i64::to_le_bytes),
        safetensors::Dtype::I64,
        rows.len(),
    )];
    for side in ["source", "target"] {
        let (values, offsets) = concatenate(&batches, side)?;
        arrays.push((
            format!("{side}_values"),
            bytes(&values, i32::to_le_bytes),
            safetensors::Dtype::I32,
            values.len(),
        ));
        arrays.push((
            format!("{side}_offsets"),
            bytes(&offsets, i64::to_le_bytes),
            safetensors::Dtype::I64,
            offsets.len(),
        ));
    }
    let views = arrays.iter().map(|(name, bytes, dtype, length)| {
        Ok((name.clone(), safetensors::tensor::TensorView::new(*dtype, vec![*length], bytes)?))
    });
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let vocabulary = config
        .model
        .get("vocabularySize")
        .and_then(Value::as_u64)
        .ok_or("model.vocabularySize is missing")?;
    let metadata = [("vocab_size".to_owned(), vocabulary.to_string())].into_iter().collect();
    Ok(safetensors::serialize_to_file(views, Some(metadata), path)?)
}

fn concatenate(batches: &[Batch], side: &str) -> Result<(Vec<i32>, Vec<i64>), Box<dyn Error>> {
    let (mut all, mut offsets) = (Vec::new(), vec![0_i64]);
    for batch in batches {
        let Some(Column::Ragged { values, offsets: ends }) = batch.column(side) else {
            return Err(format!("the data set has no column {side}").into());
        };
        offsets.extend(ends[1..].iter().map(|end| all.len() as i64 + end));
        all.extend_from_slice(values);
    }
    Ok((all, offsets))
}

fn bytes<T: Copy, const N: usize>(values: &[T], to_bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| to_bytes(value)).collect()
}
