//! The device that a session or a model is asked for by name.

use crate::error::TrainerError;
use tch::Device;

/// `cpu`, `cuda:0` and so on, or `auto`: the first GPU where there is one that libtorch can use and nothing needs the CPU, else the CPU.
///
/// # Errors
/// `ERR_DEVICE` with what is missing, `ERR_CONFIG` for a name that none has.
pub(crate) fn resolve(name: &str, needs_cpu: bool) -> Result<Device, TrainerError> {
    match name {
        "cpu" => return Ok(Device::Cpu),
        "auto" if needs_cpu => return Ok(Device::Cpu),
        "auto" => return Ok(sagetrain_torch::cuda::devices().map_or(Device::Cpu, |_| Device::Cuda(0))),
        _ => (),
    }
    let number = match name {
        "cuda" => Some(0),
        other => other.strip_prefix("cuda:").and_then(|number| number.parse::<usize>().ok()),
    };
    let number = number.ok_or_else(|| TrainerError::Option {
        key: "device",
        message: format!("is \"{name}\"; give \"auto\", \"cpu\", or a GPU by its number, such as \"cuda:0\""),
    })?;
    let missing = |message: String| TrainerError::Device { name: name.to_owned(), message };
    let count = sagetrain_torch::cuda::devices().map_err(|reason| missing(reason.to_string()))?;
    if number < count {
        return Ok(Device::Cuda(number));
    }
    let (devices, last) = (if count == 1 { "device" } else { "devices" }, count - 1);
    Err(missing(format!("this machine has {count} CUDA {devices}; give one of cuda:0 to cuda:{last}")))
}

/// How a device is written in specs.
pub(crate) fn name(device: Device) -> String {
    match device {
        Device::Cuda(number) => format!("cuda:{number}"),
        _ => "cpu".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(resolve("cpu", false).unwrap(), Device::Cpu);
        assert_eq!(resolve("auto", true).unwrap(), Device::Cpu);
        assert_eq!(resolve("gpu", false).unwrap_err().code(), "ERR_CONFIG");
        assert_eq!(resolve("cuda:x", false).unwrap_err().code(), "ERR_CONFIG");
        assert_eq!(resolve("cuda:999", false).unwrap_err().code(), "ERR_DEVICE");
        if let Err(reason) = sagetrain_torch::cuda::devices() {
            eprintln!("skipped: {reason}");
            assert_eq!(resolve("auto", false).unwrap(), Device::Cpu);
            assert!(resolve("cuda:0", false).unwrap_err().to_string().contains(&reason.to_string()));
        }
    }
}
