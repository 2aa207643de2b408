//! Fully connected layers of one input in one product.

use tch::Tensor;

use crate::check;
use crate::composed::{self, is_composed};
use crate::error::TorchError;
use crate::ffi;
use crate::precision::Precision;

/// As many layers go into one product.
const MOST_LAYERS: usize = 62;

/// What follows the product and the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// max(0, x).
    Relu,
    /// x Φ(x), the exact Gaussian error linear unit (Hendrycks and Gimpel, arXiv 1606.08415).
    Gelu,
    /// x σ(x), also called SiLU (Ramachandran et al., arXiv 1710.05941).
    Swish,
    /// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, the approximation of [`Activation::Gelu`] that the same paper gives.
    GeluTanh,
}

/// `activation(x Wᵀ + b)` for several layers of the same input, side by side: `[tokens, in]` → `[tokens, Σ out_i]`.
///
/// `x` is rounded to `precision` for the product, weights `[out_i, in]` and biases `[out_i]` are float32 and so are their gradients;
/// the result has the kind of `precision`. Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_TORCH`.
pub fn linear(
    x: &Tensor,
    layers: &[(&Tensor, Option<&Tensor>)],
    activation: Activation,
    precision: Precision,
) -> Result<Tensor, TorchError> {
    check(x, layers)?;
    if is_composed(x) {
        return composed::linear::Layers::new(layers, precision)?.apply(x, activation);
    }
    ffi::linear(x, layers, activation, precision)
}

fn check(x: &Tensor, layers: &[(&Tensor, Option<&Tensor>)]) -> Result<(), TorchError> {
    let op = "linear";
    let (_, width) = check::matrix(op, "x", x, "[tokens, in]")?;
    check::float(op, "x", x)?;
    let inputs = check_layers(layers)?;
    check::same_device(op, x, &[("weight", Some(layers[0].0))])?;
    if inputs == width {
        return Ok(());
    }
    let (found, expected) = (layers[0].0.size(), format!("[out, {width}]"));
    Err(TorchError::Shape { op, name: "weight", found, expected })
}

/// Float32 layers of the same input; returns its width.
pub(crate) fn check_layers(layers: &[(&Tensor, Option<&Tensor>)]) -> Result<i64, TorchError> {
    let op = "linear";
    if !(1..=MOST_LAYERS).contains(&layers.len()) {
        let (found, expected) = (layers.len().to_string(), format!("1 to {MOST_LAYERS}"));
        return Err(TorchError::Argument { op, name: "layers", found, expected });
    }
    let (_, inputs) = check::matrix(op, "weight", layers[0].0, "[out, in]")?;
    for (weight, bias) in layers {
        check::same_device(op, layers[0].0, &[("weight", Some(weight)), ("bias", *bias)])?;
        let (out, _) = check::matrix(op, "weight", weight, "[out, in]")?;
        check::shape(op, "weight", weight, &[out.max(1), inputs])?;
        check::float32(op, "weight", weight)?;
        if let Some(bias) = bias {
            check::shape(op, "bias", bias, &[out])?;
            check::float32(op, "bias", bias)?;
        }
    }
    Ok(inputs)
}
