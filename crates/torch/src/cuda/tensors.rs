//! From tensors to addresses, with every check that a kernel cannot make.

use sagetrain_kernels::Stored;
use sagetrain_optim::ParameterInfo;
use tch::{Device, Kind, Tensor};

use crate::error::TorchError;

const OP: &str = "cuda_optimizer";

/// Addresses of parameters and gradients.
#[derive(Debug)]
pub(crate) struct Places {
    pub parameters: Vec<u64>,
    pub gradients: Vec<Option<u64>>,
}

/// The tensors' addresses, where each is a contiguous tensor of `S` and its parameter's shape on `device`, and none overlaps another.
pub(crate) fn places<S: Stored>(
    infos: &[ParameterInfo],
    device: Device,
    parameters: &[Tensor],
    gradients: &[Option<Tensor>],
) -> Result<Places, TorchError> {
    count("parameters", infos.len(), parameters.len())?;
    count("gradients", infos.len(), gradients.len())?;
    let mut places = Places { parameters: Vec::new(), gradients: Vec::new() };
    for ((info, parameter), gradient) in infos.iter().zip(parameters).zip(gradients) {
        places.parameters.push(address::<S>("parameter", info, device, parameter)?);
        let gradient = gradient.as_ref().map(|gradient| address::<S>("gradient", info, device, gradient));
        places.gradients.push(gradient.transpose()?);
    }
    apart::<S>(infos, &places)?;
    Ok(places)
}

fn count(name: &'static str, expected: usize, found: usize) -> Result<(), TorchError> {
    if found == expected {
        return Ok(());
    }
    Err(TorchError::Argument { op: OP, name, found: found.to_string(), expected: expected.to_string() })
}

fn address<S: Stored>(
    name: &'static str,
    info: &ParameterInfo,
    device: Device,
    tensor: &Tensor,
) -> Result<u64, TorchError> {
    let wrong = |found, expected| Err(TorchError::Argument { op: OP, name, found, expected });
    if tensor.f_kind()? != kind::<S>() {
        return Err(TorchError::Dtype { op: OP, name, found: tensor.f_kind()?, expected: S::DTYPE });
    }
    if tensor.device() != device {
        return wrong(format!("'{}' on {:?}", info.name, tensor.device()), format!("on {device:?}"));
    }
    let shape = tensor.size();
    if !shape.iter().map(|&extent| extent as usize).eq(info.shape.iter().copied()) {
        let expected = format!("{:?} of '{}'", info.shape, info.name);
        return Err(TorchError::Shape { op: OP, name, found: shape, expected });
    }
    match tensor.is_contiguous() {
        true => Ok(tensor.data_ptr() as u64),
        false => wrong(format!("'{}' of strides {:?}", info.name, tensor.stride()), "contiguous".to_string()),
    }
}

/// Arrays that share memory, as a tied weight given twice does, would be updated by two threads at once.
fn apart<S: Stored>(infos: &[ParameterInfo], places: &Places) -> Result<(), TorchError> {
    let arrays = infos.iter().zip(&places.parameters).zip(&places.gradients);
    let arrays = arrays.flat_map(|((info, parameter), gradient)| {
        let bytes = (info.elements() * size_of::<S>()) as u64;
        [Some(*parameter), *gradient].into_iter().flatten().map(move |at| (at, at + bytes, info))
    });
    let mut arrays: Vec<_> = arrays.filter(|(start, end, _)| start < end).collect();
    arrays.sort_unstable_by_key(|(start, ..)| *start);
    match arrays.windows(2).find(|pair| pair[1].0 < pair[0].1) {
        None => Ok(()),
        Some(pair) => {
            let found = format!("of '{}' and '{}' in the same memory", pair[0].2.name, pair[1].2.name);
            let expected = "apart: a tied weight is given once".to_string();
            Err(TorchError::Argument { op: OP, name: "tensors", found, expected })
        }
    }
}

fn kind<S: Stored>() -> Kind {
    match S::DTYPE {
        "float64" => Kind::Double,
        "bfloat16" => Kind::BFloat16,
        "float16" => Kind::Half,
        _ => Kind::Float,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The checks are the same for CPU tensors, which every machine has.
    fn code(parameters: &[Tensor], gradients: &[Option<Tensor>], device: Device) -> &'static str {
        let infos = [ParameterInfo::new("a", [2, 3]), ParameterInfo::new("b", [4])];
        places::<f32>(&infos, device, parameters, gradients).map_or_else(|error| error.code(), |_| "")
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let zeros = |shape: &[i64], kind| Tensor::zeros(shape, (kind, Device::Cpu));
        let good = || vec![zeros(&[2, 3], Kind::Float), zeros(&[4], Kind::Float)];
        let none = || vec![None, None];
        assert_eq!(code(&good(), &none(), Device::Cpu), "");
        assert_eq!(code(&good(), &[None, Some(zeros(&[4], Kind::Float))], Device::Cpu), "");
        assert_eq!(code(&good(), &none(), Device::Cuda(0)), "ERR_ARGUMENT");
        assert_eq!(code(&good()[..1], &none(), Device::Cpu), "ERR_ARGUMENT");
        assert_eq!(code(&good(), &none()[..1], Device::Cpu), "ERR_ARGUMENT");
        assert_eq!(code(&good(), &[None, Some(zeros(&[4], Kind::Half))], Device::Cpu), "ERR_DTYPE");
        let reshaped = [zeros(&[3, 2], Kind::Float), zeros(&[4], Kind::Float)];
        assert_eq!(code(&reshaped, &none(), Device::Cpu), "ERR_SHAPE");
        let turned = [zeros(&[3, 2], Kind::Float).t_(), zeros(&[4], Kind::Float)];
        assert_eq!(code(&turned, &none(), Device::Cpu), "ERR_ARGUMENT");
        let tied = good();
        let own = tied[1].shallow_clone();
        assert_eq!(code(&tied, &[None, Some(own)], Device::Cpu), "ERR_ARGUMENT");
    }
}
