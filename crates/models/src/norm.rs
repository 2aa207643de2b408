//! Layer normalisation and the residual connection around a block, post-norm or pre-norm.

use sagetrain_torch::{Dropout, layer_norm, residual_add, residual_norm};
use tch::Tensor;

use crate::error::Result;
use crate::parameters::Parameters;
use crate::transformer_spec::Normalization;

/// PyTorch's default, which Hugging Face's Marian and fairseq use.
pub const EPSILON: f64 = 1e-5;

/// Handles to `<name>.weight` and `<name>.bias`, both `[width]`.
#[derive(Debug)]
pub struct Norm {
    pub(crate) weight: Tensor,
    pub(crate) bias: Tensor,
    pub(crate) epsilon: f64,
}

impl Norm {
    /// Finds the norm's parameters. `epsilon` is added to the variance.
    pub fn new(parameters: &Parameters, name: &str, epsilon: f64) -> Result<Self> {
        let weight = parameters.tensor(&format!("{name}.weight"))?;
        Ok(Self { weight, bias: parameters.tensor(&format!("{name}.bias"))?, epsilon })
    }

    /// The normalised rows of `x` `[tokens, width]`.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        Ok(layer_norm(x, &self.weight, &self.bias, self.epsilon)?)
    }
}

/// The way around a block: what goes in, and how what comes out joins the residual stream.
#[derive(Debug)]
pub struct Residual {
    norm: Norm,
    placement: Normalization,
}

impl Residual {
    /// The connection around which `norm` stands so.
    pub fn new(norm: Norm, placement: Normalization) -> Self {
        Self { norm, placement }
    }

    /// The block's input: normalised in pre-norm, the stream itself in post-norm.
    pub fn enter(&self, stream: &Tensor) -> Result<Tensor> {
        match self.placement {
            Normalization::Pre => self.norm.apply(stream),
            Normalization::Post => Ok(stream.shallow_clone()),
        }
    }

    /// The stream after the block: `stream + dropout(block)`, normalised in post-norm. All `[tokens, width]`.
    pub fn leave(&self, block: &Tensor, stream: &Tensor, dropout: Option<Dropout>) -> Result<Tensor> {
        let Norm { weight, bias, epsilon } = &self.norm;
        Ok(match self.placement {
            Normalization::Pre => residual_add(block, stream, dropout)?,
            Normalization::Post => residual_norm(block, stream, weight, bias, *epsilon, dropout)?,
        })
    }
}
