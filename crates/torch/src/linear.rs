//! Fully connected layers of one input in one product.

use tch::{Kind, Tensor};

use crate::error::TorchError;
use crate::precision::Precision;

/// What follows the product and the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// max(0, x).
    Relu,
    /// x Φ(x), the exact Gaussian error linear unit (Hendrycks and Gimpel, arXiv 1606.08415).
    Gelu,
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
    let x = x.f_to_kind(precision.kind())?;
    let mut outputs = Vec::with_capacity(layers.len());
    for (weight, bias) in layers {
        let product = x.f_matmul(&weight.f_to_kind(precision.kind())?.f_tr()?)?.f_to_kind(Kind::Float)?;
        let shifted = match bias {
            Some(bias) => product.f_add(bias)?,
            None => product,
        };
        outputs.push(activate(&shifted, activation)?.f_to_kind(precision.kind())?);
    }
    Ok(Tensor::f_cat(&outputs, 1)?)
}

fn activate(x: &Tensor, activation: Activation) -> Result<Tensor, TorchError> {
    Ok(match activation {
        Activation::None => x.shallow_clone(),
        Activation::Relu => x.f_relu()?,
        Activation::Gelu => x.f_gelu("none")?,
    })
}

fn check(x: &Tensor, layers: &[(&Tensor, Option<&Tensor>)]) -> Result<(), TorchError> {
    let op = "linear";
    let shape = x.size();
    if shape.len() != 2 {
        return Err(TorchError::Shape { op, name: "x", found: shape, expected: "[tokens, in]".into() });
    }
    if layers.is_empty() {
        return Err(TorchError::Argument {
            op,
            name: "layers",
            found: "empty".into(),
            expected: "one or more".into(),
        });
    }
    for (weight, bias) in layers {
        check_layer(op, weight, *bias, shape[1])?;
    }
    Ok(())
}

fn check_layer(
    op: &'static str,
    weight: &Tensor,
    bias: Option<&Tensor>,
    width: i64,
) -> Result<(), TorchError> {
    let found = weight.size();
    if found.len() != 2 || found[1] != width {
        return Err(TorchError::Shape { op, name: "weight", found, expected: format!("[out, {width}]") });
    }
    if weight.kind() != Kind::Float {
        return Err(TorchError::Dtype { op, name: "weight", found: weight.kind(), expected: "float32" });
    }
    match bias {
        Some(bias) if bias.size() != [found[0]] => {
            let expected = format!("[{}]", found[0]);
            Err(TorchError::Shape { op, name: "bias", found: bias.size(), expected })
        }
        Some(bias) if bias.kind() != Kind::Float => {
            Err(TorchError::Dtype { op, name: "bias", found: bias.kind(), expected: "float32" })
        }
        _ => Ok(()),
    }
}
