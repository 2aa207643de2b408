//! The C functions of `cpp/stream.cpp`.

use std::ffi::c_void;

use tch::Tensor;

use super::{Status, handle, receive};
use crate::error::TorchError;

/// `sagetrain_stream` of `cpp/stream.cpp`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StreamKey {
    id: i64,
    device: i32,
    kind: i32,
}

unsafe extern "C" {
    fn sagetrain_cuda_stream(device: i32, handle: *mut u64) -> Status;
    fn sagetrain_cuda_exchange_device(device: i32, previous: *mut i32) -> Status;
    fn sagetrain_cuda_pool_stream(device: i32, stream: *mut StreamKey) -> Status;
    fn sagetrain_cuda_exchange_stream(stream: *const StreamKey, previous: *mut StreamKey) -> Status;
    fn sagetrain_cuda_upload(host: *mut c_void, device: i32, out: *mut *mut c_void) -> Status;
    fn sagetrain_cuda_record(tensors: *const *const c_void, count: i64, device: i32) -> Status;
}

pub(crate) fn stream(device: i32) -> Result<u64, TorchError> {
    let mut handle = 0;
    // SAFETY: `handle` is writable.
    unsafe { sagetrain_cuda_stream(device, &raw mut handle) }.check("cuda_stream")?;
    Ok(handle)
}

pub(crate) fn exchange_device(device: i32) -> Result<i32, TorchError> {
    let mut previous = 0;
    // SAFETY: `previous` is writable.
    unsafe { sagetrain_cuda_exchange_device(device, &raw mut previous) }.check("cuda_device")?;
    Ok(previous)
}

pub(crate) fn pool_stream(device: i32) -> Result<StreamKey, TorchError> {
    let mut stream = StreamKey::default();
    // SAFETY: `stream` is writable.
    unsafe { sagetrain_cuda_pool_stream(device, &raw mut stream) }.check("cuda_stream")?;
    Ok(stream)
}

/// `stream` came from this function or [`pool_stream`].
pub(crate) fn exchange_stream(stream: StreamKey) -> Result<StreamKey, TorchError> {
    let mut previous = StreamKey::default();
    // SAFETY: the one is readable, the other writable.
    unsafe { sagetrain_cuda_exchange_stream(&raw const stream, &raw mut previous) }.check("cuda_stream")?;
    Ok(previous)
}

/// A copy of a tensor of the host, by way of pinned memory.
pub(crate) fn upload(host: &Tensor, device: i32) -> Result<Tensor, TorchError> {
    // SAFETY: a live tensor, which is only read.
    receive("cuda_upload", |out| unsafe { sagetrain_cuda_upload(handle(host), device, out) })
}

pub(crate) fn record(tensors: &[&Tensor], device: i32) -> Result<(), TorchError> {
    let handles: Vec<*const c_void> = tensors.iter().map(|tensor| handle(tensor).cast_const()).collect();
    // SAFETY: live tensors, which are only looked at, and as many as said.
    unsafe { sagetrain_cuda_record(handles.as_ptr(), handles.len() as i64, device) }.check("cuda_record")
}
