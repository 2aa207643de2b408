//! Dropout's masks by one kernel each.
#![allow(unsafe_code, reason = "launches a kernel on the address of a tensor")]

use sagetrain_kernels::cuda::Mask;
use tch::{Device, Kind, Tensor};

use super::devices::kernels;
use super::stream::{enter_with, number};
use crate::dropout::Dropout;
use crate::error::TorchError;
use crate::ffi::stream::stream;

/// Which of the first `elements` elements are dropped: bool `[elements]`, queued on the current stream.
///
/// # Errors
/// `ERR_CUDA`, `ERR_TORCH`.
pub(crate) fn dropped(dropout: &Dropout, elements: i64, device: Device) -> Result<Tensor, TorchError> {
    let number = number(device)?;
    let groups = (elements as u64).div_ceil(Mask::GROUP);
    let mask = Tensor::f_empty([(groups * Mask::GROUP) as i64], (Kind::Bool, device))?;
    let kernels = kernels()?;
    let _device = enter_with(&kernels, number)?;
    let Dropout { seed, step, stream: place, .. } = *dropout;
    let (dropped, threshold) = (mask.data_ptr() as u64, dropout.threshold());
    let task = Mask { dropped, seed, step, groups, stream: place, threshold };
    // SAFETY: the tensor holds as many bytes, allocated for this stream, on which libtorch gives them to nobody else before the kernel.
    unsafe { kernels.mask(stream(number)?, &task) }?;
    Ok(mask.f_narrow(0, 0, elements)?)
}
