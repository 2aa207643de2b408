//! The operations as compositions of ATen's own, for tensors on a GPU: the same functions, masks included, with other roundings. Masks
//! alone have a kernel there.
//!
//! On the CPU they are a reference for the fused ones, and show there what a GPU will do: a thread takes them where it was told so
//! ([`set_composed`]) or where the environment says `SAGETRAIN_OPERATIONS=composed`.

use std::cell::Cell;

use tch::{Device, Kind, Tensor};

use crate::cuda::number;
use crate::error::TorchError;
use crate::ffi;

pub(crate) mod attention;
pub(crate) mod decode;
pub(crate) mod linear;
pub(crate) mod mask;
pub(crate) mod padding;
pub(crate) mod rows;

thread_local! {
    static COMPOSED: Cell<bool> = Cell::new(std::env::var("SAGETRAIN_OPERATIONS").is_ok_and(|asked| asked == "composed"));
}

/// Makes the calling thread compose its operations on CPU tensors too; returns what held before. Other threads keep theirs.
pub fn set_composed(composed: bool) -> bool {
    COMPOSED.replace(composed)
}

/// Whether the calling thread composes an operation on this tensor.
pub(crate) fn is_composed(tensor: &Tensor) -> bool {
    tensor.device() != Device::Cpu || COMPOSED.get()
}

/// Numbers of the host on a device. To a GPU they go by way of pinned memory, so that nobody waits: libtorch keeps that memory until
/// the copy is through.
pub fn upload(host: &Tensor, device: Device) -> Result<Tensor, TorchError> {
    if device == Device::Cpu {
        return Ok(host.shallow_clone());
    }
    ffi::stream::upload(host, number(device)?)
}

pub(crate) fn numbers(values: &[i64], device: Device) -> Result<Tensor, TorchError> {
    upload(&Tensor::f_from_slice(values)?, device)
}

/// `0, 1, … count − 1`.
pub(crate) fn count_up(count: i64, device: Device) -> Result<Tensor, TorchError> {
    Ok(Tensor::f_arange(count, (Kind::Int64, device))?)
}
