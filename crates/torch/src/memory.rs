//! Tensors as slices, so that code without libtorch can work on them in place, and tensors as the optimizer's memory.

use std::borrow::Cow;

use sagetrain_optim::{Allocate, Memory, OptimError};
use tch::{Device, Kind, Tensor};

use crate::error::TorchError;

/// The elements of a contiguous float32 CPU tensor. Errors: `ERR_DTYPE`, `ERR_ARGUMENT`.
pub fn f32_slice(tensor: &Tensor) -> Result<&[f32], TorchError> {
    check("f32_slice", tensor)?;
    // SAFETY: checked to be a contiguous float32 CPU tensor of `numel` elements; the borrow keeps it alive.
    Ok(unsafe { std::slice::from_raw_parts(pointer(tensor), tensor.numel()) })
}

/// The elements of a contiguous float32 CPU tensor, to write. Errors: `ERR_DTYPE`, `ERR_ARGUMENT`.
///
/// Other handles of the same storage see the writes; autograd does not: hold a `no_grad_guard` and do not write what a pending
/// backward pass has saved.
pub fn f32_slice_mut(tensor: &mut Tensor) -> Result<&mut [f32], TorchError> {
    check("f32_slice_mut", tensor)?;
    // SAFETY: as above; the exclusive borrow of this handle lasts as long as the slice, and one engine thread owns all handles.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer(tensor), tensor.numel()) })
}

/// The elements of a contiguous float32 tensor wherever it lies: themselves on the CPU, else a copy, for which the device is waited for.
/// Errors: `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn f32_values(tensor: &Tensor) -> Result<Cow<'_, [f32]>, TorchError> {
    if tensor.device() == Device::Cpu {
        return f32_slice(tensor).map(Cow::Borrowed);
    }
    Ok(Cow::Owned(f32_slice(&tensor.f_to_device(Device::Cpu)?.f_contiguous()?)?.to_vec()))
}

/// A float32 tensor that the optimizer works on as its own memory.
#[derive(Debug)]
pub struct TensorMemory(Tensor);

impl TensorMemory {
    /// `elements` zeros. Errors: `ERR_TORCH`.
    pub fn zeros(elements: usize) -> Result<Self, TorchError> {
        let zeros = Tensor::f_zeros([elements as i64], (Kind::Float, Device::Cpu));
        zeros.map(Self).map_err(|error| TorchError::torch("zeros", error))
    }

    /// The tensor behind it.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }
}

impl Memory for TensorMemory {
    fn as_slice(&self) -> &[f32] {
        // SAFETY: made by `zeros` as a contiguous float32 CPU tensor, and never handed out to be resized.
        unsafe { std::slice::from_raw_parts(pointer(&self.0), self.0.numel()) }
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as in `as_slice`, and borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(pointer(&self.0), self.0.numel()) }
    }
}

/// Allocates the optimizer's arenas as libtorch storages.
#[derive(Debug, Clone, Copy, Default)]
pub struct TensorAllocate;

impl Allocate for TensorAllocate {
    fn zeros(&self, elements: usize) -> sagetrain_optim::Result<Box<dyn Memory>> {
        let memory = TensorMemory::zeros(elements);
        let memory = memory.map_err(|error| OptimError::Memory { elements, reason: error.to_string() })?;
        Ok(Box::new(memory))
    }
}

/// An empty tensor's data pointer is null, which no slice may have.
fn pointer(tensor: &Tensor) -> *mut f32 {
    let pointer = tensor.data_ptr().cast::<f32>();
    if pointer.is_null() { std::ptr::NonNull::dangling().as_ptr() } else { pointer }
}

fn check(op: &'static str, tensor: &Tensor) -> Result<(), TorchError> {
    if tensor.kind() != Kind::Float {
        return Err(TorchError::Dtype { op, name: "tensor", found: tensor.kind(), expected: "float32" });
    }
    if tensor.device() != Device::Cpu || !tensor.is_contiguous() {
        let found = format!("{:?}, strides {:?}", tensor.device(), tensor.stride());
        let expected = "a contiguous CPU tensor".to_string();
        return Err(TorchError::Argument { op, name: "tensor", found, expected });
    }
    Ok(())
}
