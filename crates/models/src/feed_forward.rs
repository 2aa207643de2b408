//! The position-wise feed-forward block.

use sagetrain_torch::{Activation, dropout};
use tch::Tensor;

use crate::error::Result;
use crate::layout::Layout;
use crate::linear::Linear;
use crate::parameters::{Parameters, Role};
use crate::pass::{Pass, Site};
use crate::transformer_spec;

/// `fc2(activation(fc1(x)))`.
#[derive(Debug)]
pub struct FeedForward {
    pub(crate) fc1: Linear,
    pub(crate) fc2: Linear,
    pub(crate) activation: Activation,
}

impl FeedForward {
    /// Declares the parameters of the block of the layer called `layer`, `[width, inner]` wide.
    pub fn declare(layout: &mut Layout, layer: &str, [width, inner]: [usize; 2], role: Role) {
        layout.linear(&format!("{layer}.fc1"), [width, inner], role, 1.0);
        layout.linear(&format!("{layer}.fc2"), [inner, width], role, 1.0);
    }

    /// Finds the two layers of these names.
    pub fn new(
        parameters: &Parameters,
        [fc1, fc2]: &[String; 2],
        activation: transformer_spec::Activation,
    ) -> Result<Self> {
        let (fc1, fc2) = (Linear::new(parameters, fc1)?, Linear::new(parameters, fc2)?);
        Ok(Self { fc1, fc2, activation: activation.into() })
    }

    /// `[tokens, width]` → `[tokens, width]`.
    pub fn apply(&self, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        let inner = self.fc1.apply(x, self.activation, pass.precision())?; // [tokens, inner]
        let inner = dropout(&inner, pass.dropout(Site::Activation))?;
        self.fc2.apply(&inner, Activation::None, pass.precision())
    }
}
