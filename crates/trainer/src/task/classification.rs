//! Classification and regression: a model's outputs for every sample, and how good they are.

use crate::engine::Owned;
use crate::error::TrainerError;
use crate::evaluate::{BatchSize, Setting};
use crate::inputs::inputs;
use sagetrain_data::{Column, Dataset, Loader};
use sagetrain_metrics::{MetricsError, accuracy, f1, matthews, pearson, spearman};
use sagetrain_models::{Forward, LABEL, NUMBER};
use serde::Serialize;
use std::sync::Arc;
use tch::{Device, Kind};

/// What a model says of every sample, in the data set's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// Row by row: the logits of the classes, or one number.
    pub values: Vec<f32>,
    /// Numbers a sample.
    pub width: usize,
}

/// Scores of one evaluation; those of classes or those of numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Mean cross-entropy in nats, or mean squared error.
    pub loss: f64,
    /// Share of samples whose likeliest class is the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// F1 of class 1 where there are two, else the mean of all classes'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// Matthews' correlation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matthews: Option<f64>,
    /// Pearson's correlation; NaN where a model says the same of all, and of a single sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pearson: Option<f64>,
    /// Spearman's correlation; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spearman: Option<f64>,
}

/// Goes through `dataset` once in its order; rows are packed, so that sorting by length would spare nothing.
pub(crate) fn outputs(
    setting: &Setting,
    dataset: &Arc<Dataset>,
    batch_size: usize,
) -> Result<Outputs, TrainerError> {
    let _no_grad = tch::no_grad_guard();
    let forward = Forward::evaluation(setting.precision);
    let mut found = Outputs { values: Vec::new(), width: 0 };
    for batch in Loader::new(Arc::clone(dataset), BatchSize::Samples(batch_size).once_through())? {
        Owned::check_cancelled(setting.cancel)?;
        let output = setting.model.forward(&inputs(&batch?, setting.device)?, &forward)?; // [samples, width]
        let output = output.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        found.width = output.size().last().map_or(0, |width| *width as usize);
        found.values.extend(Vec::<f32>::try_from(&output.f_view([-1])?)?);
    }
    Ok(found)
}

/// The outputs with their scores: of classes where the data set has a column `label`, of numbers where it has `target`.
pub(crate) fn evaluate(
    setting: &Setting,
    dataset: &Arc<Dataset>,
    batch_size: usize,
) -> Result<(Scores, Outputs), TrainerError> {
    let truth = Truth::of(dataset)?;
    let outputs = outputs(setting, dataset, batch_size)?;
    let scores = match truth {
        Truth::Labels(labels) => score_classes(&outputs, &labels)?,
        Truth::Targets(targets) => score_numbers(&outputs, &targets)?,
    };
    Ok((scores, outputs))
}

/// What the outputs should be.
enum Truth {
    Labels(Vec<i32>),
    Targets(Vec<f32>),
}

impl Truth {
    fn of(dataset: &Dataset) -> Result<Self, TrainerError> {
        if let Some(Column::Ragged { values, .. }) = dataset.column(LABEL)? {
            return Ok(Self::Labels(values));
        }
        if let Some(Column::Dense { values, .. }) = dataset.column(NUMBER)? {
            return Ok(Self::Targets(values));
        }
        Err(TrainerError::Batch {
            message: format!(
                "the data set has neither a ragged column \"{LABEL}\" nor a dense \"{NUMBER}\"; a part without labels can be predicted, not scored"
            ),
        })
    }
}

fn score_classes(outputs: &Outputs, labels: &[i32]) -> Result<Scores, MetricsError> {
    let rows = || outputs.values.chunks_exact(outputs.width.max(1));
    let predictions: Vec<i32> = rows().map(likeliest).collect();
    let loss = rows().zip(labels).map(|(row, label)| surprise(row, *label as usize)).sum::<f64>();
    let f1 = match outputs.width {
        2 => f1::binary(&predictions, labels, 1)?,
        _ => f1::macro_average(&predictions, labels)?,
    };
    Ok(Scores {
        loss: loss / labels.len().max(1) as f64,
        accuracy: Some(accuracy(&predictions, labels)?),
        f1: Some(f1),
        matthews: Some(matthews(&predictions, labels)?),
        ..Scores::default()
    })
}

/// The first of the largest. NaN is larger than nothing; whoever asks for scores refuses outputs that hold it.
fn likeliest(row: &[f32]) -> i32 {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best as i32
}

/// −log softmax(row)[label].
fn surprise(row: &[f32], label: usize) -> f64 {
    let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let total: f64 = row.iter().map(|value| (f64::from(*value) - largest).exp()).sum();
    total.ln() + largest - row.get(label).map_or(f64::NAN, |value| f64::from(*value))
}

fn score_numbers(outputs: &Outputs, targets: &[f32]) -> Result<Scores, MetricsError> {
    let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
    let (predictions, targets) = (wide(&outputs.values), wide(targets));
    let squares = predictions.iter().zip(&targets).map(|(found, target)| (found - target).powi(2));
    // A single sample has a loss; that it has no correlation is a result, and no reason to end a run.
    let correlation = |of: fn(&[f64], &[f64]) -> Result<f64, MetricsError>| match of(&predictions, &targets) {
        Err(MetricsError::TooFew { .. }) => Ok(f64::NAN),
        found => found,
    };
    Ok(Scores {
        loss: squares.sum::<f64>() / targets.len().max(1) as f64,
        pearson: Some(correlation(pearson)?),
        spearman: Some(correlation(spearman)?),
        ..Scores::default()
    })
}
