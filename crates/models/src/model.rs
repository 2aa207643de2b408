//! What every model can do for a session.

use std::path::Path;

use sagetrain_torch::{Dropout, Precision};
use tch::Tensor;

use crate::error::{ModelError, Result};
use crate::inputs::Inputs;
use crate::parameters::Parameters;
use crate::sequence_encoder::SequenceEncoder;
use crate::smoothness::SmoothnessTerm;
use crate::spec::ModelSpec;
use crate::translator::Translator;

/// How a forward pass is to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forward {
    /// Whether dropout is on.
    pub training: bool,
    /// Format of the matrix products.
    pub precision: Precision,
    /// The session's seed.
    pub seed: u64,
    /// Counts forward passes (micro-batches), so that no two share a dropout mask.
    pub step: u64,
    /// What the loss will be multiplied with before the backward pass, 1 for nothing: 16-bit gradients are rounded as it makes them.
    pub loss_scale: f64,
}

impl Forward {
    /// A pass without dropout.
    pub fn evaluation(precision: Precision) -> Self {
        Self { training: false, precision, seed: 0, step: 0, loss_scale: 1.0 }
    }

    /// The same pass once more, for the `pass`-th time, with dropout of its own: no training counts so many steps.
    pub(crate) fn again(&self, pass: u32) -> Self {
        Self { step: self.step ^ (u64::from(pass) << 48), ..*self }
    }

    /// The dropout of one site: its `stream` tells it apart from the model's other sites.
    pub(crate) fn dropout(&self, p: f64, stream: u32) -> Option<Dropout> {
        (self.training && p > 0.0).then_some(Dropout { p, seed: self.seed, step: self.step, stream })
    }
}

/// A batch's loss as sums, to be divided by `count`.
#[derive(Debug)]
pub struct Loss {
    /// The loss, summed over tokens or samples: a differentiable float32 scalar.
    pub sum: Tensor,
    /// The negative log-likelihood in nats, without label smoothing: a detached float32 scalar.
    pub nll: Tensor,
    /// Target tokens, or samples.
    pub count: i64,
    /// Samples classified correctly (a scalar), where the model is a classifier.
    pub correct: Option<Tensor>,
    /// How little smooth the model is around the batch, where that was asked for.
    pub smoothness: Option<SmoothnessTerm>,
}

impl Loss {
    /// What is differentiated: `sum` and, weighted, the smoothness term.
    pub fn minimised(&self) -> Result<Tensor> {
        let Some(term) = &self.smoothness else { return Ok(self.sum.shallow_clone()) };
        Ok(self.sum.f_add(&term.sum.f_mul_scalar(term.weight)?)?)
    }
}

/// A model whose tensors one engine thread owns.
pub trait Model: Send {
    /// The complete description.
    fn spec(&self) -> &ModelSpec;

    /// The trainable tensors.
    fn parameters(&self) -> &Parameters;

    /// Handles to the tensors that nobody trains.
    fn buffers(&self) -> Vec<Tensor> {
        Vec::new()
    }

    /// Handles to all tensors, each once.
    fn tensors(&self) -> Vec<Tensor> {
        self.parameters().tensors().into_iter().chain(self.buffers()).collect()
    }

    /// The loss of a batch with labels. `smoothing` is that of the labels, 0 for none.
    fn loss(&self, inputs: &Inputs, smoothing: f64, forward: &Forward) -> Result<Loss>;

    /// The logits of a batch in float32: `[target tokens, vocabulary]` or `[samples, classes]`.
    fn forward(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor>;

    /// Refuses, by `ERR_ARGUMENT` and its reason, a format that cannot hold this model; [`Model::save`] writes the one that can.
    fn check_format(&self, format: &str) -> Result<()> {
        let problem = format!("a {} has no format but its own; leave the format out", self.spec().kind());
        Err(ModelError::Format { format: format.to_owned(), problem })
    }

    /// Writes a complete Hugging Face folder; `folder` exists and its files of the same names are replaced.
    fn save(&self, folder: &Path) -> Result<()>;

    /// The model as a translator, if it is one.
    fn as_translator(&self) -> Option<&dyn Translator> {
        None
    }

    /// The model as an encoder of sequences, if it is one.
    fn as_encoder(&self) -> Option<&dyn SequenceEncoder> {
        None
    }
}
