//! A fully connected layer's two parameters.

use sagetrain_torch::{Activation as Fused, PackedLinear, Precision, linear};
use tch::Tensor;

use crate::error::Result;
use crate::parameters::Parameters;
use crate::transformer_spec::Activation;

/// Handles to `<name>.weight` `[outputs, inputs]` and `<name>.bias` `[outputs]`.
#[derive(Debug)]
pub struct Linear {
    pub(crate) weight: Tensor,
    pub(crate) bias: Tensor,
}

impl Linear {
    /// Finds the layer's parameters.
    pub fn new(parameters: &Parameters, name: &str) -> Result<Self> {
        let weight = parameters.tensor(&format!("{name}.weight"))?;
        let bias = parameters.tensor(&format!("{name}.bias"))?;
        Ok(Self { weight, bias })
    }

    /// `activation(x Wᵀ + b)`: `[rows, inputs]` → `[rows, outputs]`.
    pub fn apply(&self, x: &Tensor, activation: Fused, precision: Precision) -> Result<Tensor> {
        Ok(linear(x, &[self.pair()], activation, precision)?)
    }

    /// Several layers of one input in one product, side by side: `[rows, inputs]` → `[rows, Σ outputs]`.
    pub fn apply_all(layers: &[&Self], x: &Tensor, precision: Precision) -> Result<Tensor> {
        let pairs: Vec<_> = layers.iter().map(|layer| layer.pair()).collect();
        Ok(linear(x, &pairs, Fused::None, precision)?)
    }

    /// Several layers of one input, side by side, laid out for many products without gradients.
    pub fn pack(layers: &[&Self], precision: Precision) -> Result<PackedLinear> {
        let pairs: Vec<_> = layers.iter().map(|layer| layer.pair()).collect();
        Ok(PackedLinear::new(&pairs, precision)?)
    }

    fn pair(&self) -> (&Tensor, Option<&Tensor>) {
        (&self.weight, Some(&self.bias))
    }
}

impl From<Activation> for Fused {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::Gelu => Self::Gelu,
            Activation::Swish => Self::Swish,
            Activation::GeluTanh => Self::GeluTanh,
        }
    }
}
