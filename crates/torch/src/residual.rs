//! The residual connection of a Transformer sub-layer, with dropout and, in post-norm, the layer norm after it.

use tch::Tensor;

use crate::check;
use crate::composed::{self, is_composed};
use crate::dropout::{Dropout, effective};
use crate::error::TorchError;
use crate::ffi;
use crate::layer_norm::check as check_norm;

/// Post-norm: `layer_norm(residual + dropout(x))`, all `[tokens, width]` of one kind, `gamma` and `beta` float32 `[width]`.
///
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn residual_norm(
    x: &Tensor,
    residual: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    check_norm("residual_norm", x, gamma, beta)?;
    check_pair("residual_norm", x, residual)?;
    let dropout = effective("residual_norm", dropout)?;
    if is_composed(x) {
        return composed::rows::layer_norm(x, Some(residual), (gamma, beta, eps), dropout);
    }
    ffi::layer_norm("residual_norm", x, Some(residual), (gamma, beta, eps), dropout)
}

/// Pre-norm: `residual + dropout(x)`, both `[tokens, width]` of one kind.
///
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn residual_add(x: &Tensor, residual: &Tensor, dropout: Option<Dropout>) -> Result<Tensor, TorchError> {
    check_pair("residual_add", x, residual)?;
    let dropout = effective("residual_add", dropout)?;
    if is_composed(x) {
        return composed::rows::drop_add(x, Some(residual), dropout);
    }
    ffi::drop_add("residual_add", x, Some(residual), dropout)
}

fn check_pair(op: &'static str, x: &Tensor, residual: &Tensor) -> Result<(), TorchError> {
    check::float(op, "x", x)?;
    check::same_device(op, x, &[("residual", Some(residual))])?;
    check::shape(op, "residual", residual, &x.size())?;
    check::kind(op, "residual", residual, x.kind(), "the kind of x")
}
