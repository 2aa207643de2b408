//! The device and the stream that the calling thread works on.

use sagetrain_kernels::cuda::Kernels;
use tch::Device;

use crate::error::TorchError;
use crate::ffi::stream::{self as ffi, StreamKey};

/// libtorch's current stream of the calling thread, as the CUDA driver has it: 0 is the default one.
///
/// # Errors
/// `ERR_ARGUMENT` for a device that is not CUDA's; `ERR_TORCH` where libtorch_cuda is not loaded, or there is no such device.
pub fn current_stream(device: Device) -> Result<u64, TorchError> {
    ffi::stream(number(device)?)
}

/// Runs `body` with a stream of libtorch's pool as the calling thread's current one. Nothing waits: what was queued on another stream
/// before must be through, or be waited for.
///
/// # Errors
/// As [`current_stream`].
pub fn on_pool_stream<T>(device: Device, body: impl FnOnce() -> T) -> Result<T, TorchError> {
    let previous = ffi::exchange_stream(ffi::pool_stream(number(device)?)?)?;
    let _back = Back(Some(previous), None);
    Ok(body())
}

/// Makes a device current until the guard goes.
fn enter(device: i32) -> Result<Back, TorchError> {
    Ok(Back(None, Some(ffi::exchange_device(device)?)))
}

/// As [`enter`], with the device's context the calling thread's, which a thread that has not used it lacks.
pub(crate) fn enter_with(kernels: &Kernels, device: i32) -> Result<Back, TorchError> {
    let back = enter(device)?;
    if kernels.driver().context()? == 0 {
        kernels.driver().use_device(device as u32)?;
    }
    Ok(back)
}

/// Restores stream or device, also when a panic passes.
pub(crate) struct Back(Option<StreamKey>, Option<i32>);

impl Drop for Back {
    fn drop(&mut self) {
        // What was current before is so again, or the device is gone and every later call says so.
        let _ = self.0.map(ffi::exchange_stream);
        let _ = self.1.map(ffi::exchange_device);
    }
}

/// `cuda:1` is 1.
pub(crate) fn number(device: Device) -> Result<i32, TorchError> {
    match device {
        Device::Cuda(number) => Ok(i32::try_from(number).unwrap_or(i32::MAX)),
        other => {
            let (found, expected) = (format!("{other:?}"), "a CUDA device, such as cuda:0".to_string());
            Err(TorchError::Argument { op: "cuda", name: "device", found, expected })
        }
    }
}
