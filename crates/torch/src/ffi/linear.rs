//! `cpp/linear.cpp`.

use std::ffi::c_void;
use std::ptr::null_mut;

use tch::Tensor;

use super::{Status, handle, receive};
use crate::error::TorchError;
use crate::linear::Activation;
use crate::precision::Precision;

unsafe extern "C" {
    fn sagetrain_linear(
        x: *mut c_void,
        weights: *const *mut c_void,
        biases: *const *mut c_void,
        layers: i64,
        activation: i32,
        precision: i32,
        out: *mut *mut c_void,
    ) -> Status;
}

/// Shapes and kinds are checked by `linear.rs`.
pub(crate) fn linear(
    x: &Tensor,
    layers: &[(&Tensor, Option<&Tensor>)],
    activation: Activation,
    precision: Precision,
) -> Result<Tensor, TorchError> {
    let weights: Vec<_> = layers.iter().map(|(weight, _)| handle(weight)).collect();
    let biases: Vec<_> = layers.iter().map(|(_, bias)| bias.map_or(null_mut(), handle)).collect();
    let (activation, precision, count) = (activation as i32, precision as i32, layers.len() as i64);
    receive("linear", |out| {
        // SAFETY: live tensors, two arrays of `count` handles of which biases may be null, and a writable `out`.
        unsafe {
            sagetrain_linear(handle(x), weights.as_ptr(), biases.as_ptr(), count, activation, precision, out)
        }
    })
}
