//! Fully connected layers whose weights are laid out once for many products without gradients.

use tch::Tensor;

use crate::check;
use crate::composed::{self, is_composed};
use crate::error::TorchError;
use crate::ffi::decode::Packed;
use crate::linear::{self, Activation};
use crate::precision::Precision;

/// Layers of one input, side by side; [`crate::linear`] packs its weights at every call, this once.
///
/// The weights are copied: later changes of them do not show.
#[derive(Debug)]
pub struct PackedLinear {
    layers: Layers,
    inputs: i64,
}

#[derive(Debug)]
enum Layers {
    Packed(Packed),
    Composed(composed::linear::Layers),
}

impl PackedLinear {
    /// Packs weights `[out_i, in]` and biases `[out_i]`, all float32, for products in `precision`.
    /// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
    pub fn new(layers: &[(&Tensor, Option<&Tensor>)], precision: Precision) -> Result<Self, TorchError> {
        let inputs = linear::check_layers(layers)?;
        let layers = match is_composed(layers[0].0) {
            true => Layers::Composed(composed::linear::Layers::new(layers, precision)?),
            false => Layers::Packed(Packed::new(layers, precision)?),
        };
        Ok(Self { layers, inputs })
    }

    /// `activation(x Wᵀ + b)`, the bits of [`crate::linear`]: `[rows, in]` → `[rows, Σ out_i]` in the precision it was packed for.
    /// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_TORCH`.
    pub fn apply(&self, x: &Tensor, activation: Activation) -> Result<Tensor, TorchError> {
        let op = "packed_linear";
        let (rows, _) = check::matrix(op, "x", x, "[rows, in]")?;
        check::shape(op, "x", x, &[rows, self.inputs])?;
        check::float(op, "x", x)?;
        match &self.layers {
            Layers::Packed(packed) => {
                check::on_cpu(op, x)?;
                packed.apply(x, activation)
            }
            Layers::Composed(layers) => layers.apply(x, activation),
        }
    }
}
