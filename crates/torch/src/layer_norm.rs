//! Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450).

use tch::{Kind, Tensor};

use crate::error::TorchError;

/// `gamma · (x − mean) / sqrt(variance + eps) + beta` over the last dimension of `[tokens, width]`, in float32 arithmetic.
///
/// `gamma`, `beta` `[width]` are float32; the result has the kind of `x`. Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_TORCH`.
pub fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, eps: f64) -> Result<Tensor, TorchError> {
    check("layer_norm", x, gamma, beta)?;
    let wide = x.f_to_kind(Kind::Float)?;
    let out = wide.f_layer_norm(gamma.size(), Some(gamma), Some(beta), eps, false)?;
    Ok(out.f_to_kind(x.kind())?)
}

pub(crate) fn check(op: &'static str, x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Result<(), TorchError> {
    let shape = x.size();
    if shape.len() != 2 {
        return Err(TorchError::Shape { op, name: "x", found: shape, expected: "[tokens, width]".into() });
    }
    for (name, tensor) in [("gamma", gamma), ("beta", beta)] {
        if tensor.size() != [shape[1]] {
            return Err(TorchError::Shape {
                op,
                name,
                found: tensor.size(),
                expected: format!("[{}]", shape[1]),
            });
        }
        if tensor.kind() != Kind::Float {
            return Err(TorchError::Dtype { op, name, found: tensor.kind(), expected: "float32" });
        }
    }
    Ok(())
}
