//! Which GPUs there are, and what is missing where there are none.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sagetrain_kernels::cuda::{Cache, Driver, Folders, Kernels};

use super::error::CudaStepError;
use crate::error::TorchError;
use crate::runtime::runtime;

/// Why no GPU can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDevice {
    /// No driver, or none that starts.
    #[error("{0}")]
    Driver(String),
    /// A driver, and a libtorch without its CUDA half or without a device.
    #[error(
        "there is an NVIDIA driver, but libtorch's CUDA half is not loaded or finds no device; \
         run `npm run setup -- --cuda`, see `npx sagetrain doctor`, or train on the CPU"
    )]
    Libtorch,
}

/// How many GPUs libtorch can use, at least one.
pub fn devices() -> Result<usize, NoDevice> {
    match runtime() {
        Ok(runtime) if runtime.cuda_devices > 0 => Ok(runtime.cuda_devices),
        _ => match Driver::open() {
            Ok(_) => Err(NoDevice::Libtorch),
            Err(error) => Err(NoDevice::Driver(error.to_string())),
        },
    }
}

/// Whether a GPU multiplies bfloat16 natively: from compute capability 8.0 on. It becomes the calling thread's current device.
///
/// # Errors
/// `ERR_CUDA`.
pub fn has_bfloat16(number: usize) -> Result<bool, CudaStepError> {
    let kernels = kernels()?;
    kernels.driver().use_device(number as u32)?;
    Ok(kernels.driver().architecture()? >= 80)
}

/// The kernels of this process, compiled by the NVRTC beside its libtorch and kept in the user's cache.
///
/// # Errors
/// `ERR_CUDA` without a driver.
pub fn kernels() -> Result<Arc<Kernels>, TorchError> {
    static SHARED: Mutex<Option<Arc<Kernels>>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kernels) = shared.as_ref() {
        return Ok(Arc::clone(kernels));
    }
    let folders = Folders { nvrtc: nvrtc_folder(), cache: Cache::of_user() };
    Ok(Arc::clone(shared.insert(Arc::new(Kernels::open(folders)?))))
}

/// `<packages>/nvidia/<one>/lib` beside `<packages>/torch/lib`, or libtorch's own folder where NVRTC lies in it.
fn nvrtc_folder() -> Option<PathBuf> {
    let own = libtorch_folder()?;
    let packages = own.join("../../nvidia");
    let beside = fs::read_dir(packages).into_iter().flatten().flatten().map(|entry| entry.path().join("lib"));
    beside.chain([own]).find(|folder| folder.join("libnvrtc.so.13").exists())
}

/// Where the loaded libtorch lies.
fn libtorch_folder() -> Option<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..]));
    path.map(Path::new).find(|path| path.ends_with("libtorch_cpu.so"))?.parent().map(Path::to_path_buf)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn nvrtc_is_found_beside_libtorch() {
        assert!(libtorch_folder().unwrap().join("libtorch_cpu.so").exists());
        match nvrtc_folder() {
            Some(folder) => assert!(folder.join("libnvrtc.so.13").exists()),
            None => eprintln!("skipped: this libtorch has no NVRTC beside it"),
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        match devices() {
            Ok(count) => assert!(count > 0),
            Err(reason) => eprintln!("{reason}"),
        }
    }
}
