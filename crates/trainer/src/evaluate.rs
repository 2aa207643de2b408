//! Loss and accuracy over a data set, without gradients and without dropout.

use crate::engine::Owned;
use crate::error::TrainerError;
use crate::inputs::inputs;
use sagetrain_data::{Dataset, Loader, LoaderOptions};
use sagetrain_models::{Forward, Model};
use sagetrain_torch::Precision;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tch::Device;

/// Means over a data set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Losses {
    /// Mean loss in nats, label smoothing included.
    pub loss: f64,
    /// Mean negative log-likelihood in nats; perplexity is its exponential.
    pub nll: f64,
    /// Share of samples whose likeliest class is the label, for classifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Tokens or samples the means are over.
    pub count: i64,
}

/// What every evaluation needs beside its data.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) model: &'a dyn Model,
    pub(crate) device: Device,
    pub(crate) precision: Precision,
    pub(crate) label_smoothing: f64,
    pub(crate) cancel: &'a AtomicBool,
}

/// Goes through `dataset` once in its order, in batches of `max_tokens` (sequences) or `batch_size` (rows).
pub(crate) fn losses(
    setting: &Setting,
    dataset: &Arc<Dataset>,
    batches: BatchSize,
) -> Result<Losses, TrainerError> {
    let _no_grad = tch::no_grad_guard();
    let forward = Forward::evaluation(setting.precision);
    let (mut loss, mut nll, mut count, mut correct) = (0.0, 0.0, 0_i64, None);
    for batch in Loader::new(Arc::clone(dataset), batches.once_through())? {
        Owned::check_cancelled(setting.cancel)?;
        let batch =
            setting.model.loss(&inputs(&batch?, setting.device)?, setting.label_smoothing, &forward)?;
        loss += batch.sum.f_double_value(&[])?;
        nll += batch.nll.f_double_value(&[])?;
        count += batch.count;
        if let Some(hits) = &batch.correct {
            correct = Some(correct.unwrap_or(0.0) + hits.f_double_value(&[])?);
        }
    }
    let total = count.max(1) as f64;
    Ok(Losses {
        loss: loss / total,
        nll: nll / total,
        accuracy: correct.map(|hits: f64| hits / total),
        count,
    })
}

/// Size of evaluation batches.
#[derive(Debug, Clone, Copy)]
pub enum BatchSize {
    /// Token budget of ragged columns.
    Tokens(usize),
    /// Rows.
    Samples(usize),
}

impl BatchSize {
    /// Every sample once, in the data set's order unless sequences are cut by a budget.
    pub(crate) fn once_through(self) -> LoaderOptions {
        match self {
            Self::Tokens(tokens) => {
                LoaderOptions { sort_by_length: true, ..LoaderOptions::sequential(tokens) }
            }
            Self::Samples(samples) => LoaderOptions {
                batch_size: Some(samples),
                shuffle: false,
                epochs: Some(1),
                ..LoaderOptions::default()
            },
        }
    }
}
