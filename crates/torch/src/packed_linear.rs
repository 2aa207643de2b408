//! Fully connected layers whose weights are laid out once for many products without gradients.

use tch::Tensor;

use crate::check;
use crate::error::TorchError;
use crate::ffi::decode::Packed;
use crate::linear::{self, Activation};
use crate::precision::Precision;

/// Layers of one input, side by side; [`crate::linear`] packs its weights at every call, this once.
///
/// The weights are copied: later changes of them do not show.
#[derive(Debug)]
pub struct PackedLinear {
    packed: Packed,
    inputs: i64,
}

impl PackedLinear {
    /// Packs weights `[out_i, in]` and biases `[out_i]`, all float32, for products in `precision`.
    /// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
    pub fn new(layers: &[(&Tensor, Option<&Tensor>)], precision: Precision) -> Result<Self, TorchError> {
        let inputs = linear::check_layers(layers)?;
        Ok(Self { packed: Packed::new(layers, precision)?, inputs })
    }

    /// `activation(x Wᵀ + b)`, the bits of [`crate::linear`]: `[rows, in]` → `[rows, Σ out_i]` in the precision it was packed for.
    /// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_TORCH`.
    pub fn apply(&self, x: &Tensor, activation: Activation) -> Result<Tensor, TorchError> {
        let op = "packed_linear";
        let (rows, _) = check::matrix(op, "x", x, "[rows, in]")?;
        check::shape(op, "x", x, &[rows, self.inputs])?;
        check::float(op, "x", x)?;
        self.packed.apply(x, activation)
    }
}
