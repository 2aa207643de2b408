//! Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450).

use tch::Tensor;

use crate::check;
use crate::composed::{self, is_composed};
use crate::error::TorchError;
use crate::ffi;

/// `gamma · (x − mean) / sqrt(variance + eps) + beta` over the last dimension of `[tokens, width]`, in float32 arithmetic.
///
/// `gamma`, `beta` `[width]` are float32; the result has the kind of `x`. Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_TORCH`.
pub fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, eps: f64) -> Result<Tensor, TorchError> {
    check("layer_norm", x, gamma, beta)?;
    if is_composed(x) {
        return composed::rows::layer_norm(x, None, (gamma, beta, eps), None);
    }
    ffi::layer_norm("layer_norm", x, None, (gamma, beta, eps), None)
}

pub(crate) fn check(op: &'static str, x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Result<(), TorchError> {
    let (_, width) = check::matrix(op, "x", x, "[tokens, width]")?;
    check::float(op, "x", x)?;
    check::same_device(op, x, &[("gamma", Some(gamma)), ("beta", Some(beta))])?;
    for (name, tensor) in [("gamma", gamma), ("beta", beta)] {
        check::shape(op, name, tensor, &[width])?;
        check::float32(op, name, tensor)?;
    }
    Ok(())
}
