//! Fully connected layers.

use tch::Tensor;

use crate::error::TorchError;
use crate::linear::Activation;
use crate::precision::Precision;

/// Weights and biases of layers side by side, in one precision.
#[derive(Debug)]
pub(crate) struct Layers {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Layers {
    pub(crate) fn new(
        layers: &[(&Tensor, Option<&Tensor>)],
        precision: Precision,
    ) -> Result<Self, TorchError> {
        let weights: Vec<&Tensor> = layers.iter().map(|(weight, _)| *weight).collect();
        let biased = layers.iter().any(|(_, bias)| bias.is_some());
        let biases = layers.iter().map(|(weight, bias)| match bias {
            Some(bias) => Ok(bias.shallow_clone()),
            None => Tensor::f_zeros([weight.size()[0]], (weight.kind(), weight.device())),
        });
        let biases = if biased { biases.collect::<Result<Vec<_>, _>>()? } else { Vec::new() };
        let biases: Vec<&Tensor> = biases.iter().collect();
        let bias = if biased { Some(joined(&biases)?.f_to_kind(precision.kind())?) } else { None };
        Ok(Self { weight: joined(&weights)?.f_to_kind(precision.kind())?, bias })
    }

    /// The weights' precision is the products' and the result's.
    pub(crate) fn apply(&self, x: &Tensor, activation: Activation) -> Result<Tensor, TorchError> {
        let y = x.f_to_kind(self.weight.f_kind()?)?.f_linear(&self.weight, self.bias.as_ref())?;
        Ok(match activation {
            Activation::None => y,
            Activation::Relu => y.f_relu()?,
            Activation::Gelu => y.f_gelu("none")?,
            Activation::Swish => y.f_silu()?,
            Activation::GeluTanh => y.f_gelu("tanh")?,
        })
    }
}

fn joined(tensors: &[&Tensor]) -> Result<Tensor, TorchError> {
    match tensors {
        [one] => Ok(one.shallow_clone()),
        several => Ok(Tensor::f_cat(several, 0)?),
    }
}
