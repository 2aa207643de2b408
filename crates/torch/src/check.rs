//! Checks of tensor arguments that several operations share.

use tch::{Device, Kind, Tensor};

use crate::error::TorchError;

/// A tensor of one of the floats that the kernels read.
pub(crate) fn float(op: &'static str, name: &'static str, tensor: &Tensor) -> Result<(), TorchError> {
    match tensor.kind() {
        Kind::Float | Kind::BFloat16 | Kind::Half => Ok(()),
        found => Err(TorchError::Dtype { op, name, found, expected: "float32, bfloat16 or float16" }),
    }
}

/// A tensor of the one kind that is expected.
pub(crate) fn kind(
    op: &'static str,
    name: &'static str,
    tensor: &Tensor,
    kind: Kind,
    expected: &'static str,
) -> Result<(), TorchError> {
    if tensor.kind() == kind {
        return Ok(());
    }
    Err(TorchError::Dtype { op, name, found: tensor.kind(), expected })
}

/// A float32 tensor.
pub(crate) fn float32(op: &'static str, name: &'static str, tensor: &Tensor) -> Result<(), TorchError> {
    kind(op, name, tensor, Kind::Float, "float32")
}

/// A tensor of exactly this shape.
pub(crate) fn shape(
    op: &'static str,
    name: &'static str,
    tensor: &Tensor,
    expected: &[i64],
) -> Result<(), TorchError> {
    let found = tensor.size();
    if found == expected {
        return Ok(());
    }
    Err(TorchError::Shape { op, name, found, expected: format!("{expected:?}") })
}

/// A matrix with at least one column; returns its sizes. `expected` says what it should be.
pub(crate) fn matrix(
    op: &'static str,
    name: &'static str,
    tensor: &Tensor,
    expected: &'static str,
) -> Result<(i64, i64), TorchError> {
    match tensor.size()[..] {
        [rows, columns] if columns > 0 => Ok((rows, columns)),
        ref found => Err(TorchError::Shape { op, name, found: found.to_vec(), expected: expected.into() }),
    }
}

/// Tensors that lie where `first` does: the fused operations read memory, not devices.
pub(crate) fn same_device(
    op: &'static str,
    first: &Tensor,
    others: &[(&'static str, Option<&Tensor>)],
) -> Result<(), TorchError> {
    let device = first.device();
    if !matches!(device, Device::Cpu | Device::Cuda(_)) {
        let (found, expected) = (format!("on {device:?}"), "on the CPU or a CUDA device".to_string());
        return Err(TorchError::Argument { op, name: "tensor", found, expected });
    }
    for (name, tensor) in others {
        if let Some(other) = tensor.filter(|tensor| tensor.device() != device) {
            let (found, expected) =
                (format!("on {:?}", other.device()), format!("on {device:?} as the first tensor"));
            return Err(TorchError::Argument { op, name, found, expected });
        }
    }
    Ok(())
}

/// A tensor on the CPU.
pub(crate) fn on_cpu(op: &'static str, x: &Tensor) -> Result<(), TorchError> {
    if x.device() == Device::Cpu {
        return Ok(());
    }
    let (found, expected) = (format!("on {:?}", x.device()), "on the CPU, where the layer is".to_string());
    Err(TorchError::Argument { op, name: "x", found, expected })
}
