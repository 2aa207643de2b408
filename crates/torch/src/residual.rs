//! The residual connection of a Transformer sub-layer, with dropout and, in post-norm, the layer norm after it.

use tch::Tensor;

use crate::dropout::{Dropout, dropout as drop_out};
use crate::error::TorchError;
use crate::layer_norm::{check as check_norm, layer_norm};

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
    layer_norm(&residual.f_add(&drop_out(x, dropout)?)?, gamma, beta, eps)
}

/// Pre-norm: `residual + dropout(x)`, both `[tokens, width]` of one kind.
///
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn residual_add(x: &Tensor, residual: &Tensor, dropout: Option<Dropout>) -> Result<Tensor, TorchError> {
    check_pair("residual_add", x, residual)?;
    Ok(residual.f_add(&drop_out(x, dropout)?)?)
}

fn check_pair(op: &'static str, x: &Tensor, residual: &Tensor) -> Result<(), TorchError> {
    if residual.size() != x.size() {
        let expected = format!("{:?} as x", x.size());
        return Err(TorchError::Shape { op, name: "residual", found: residual.size(), expected });
    }
    if residual.kind() != x.kind() {
        return Err(TorchError::Dtype {
            op,
            name: "residual",
            found: residual.kind(),
            expected: "the kind of x",
        });
    }
    Ok(())
}
