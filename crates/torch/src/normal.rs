//! Normal draws that are functions of (seed, step, stream, element), on any device.

use std::f64::consts::TAU;
use std::sync::{Mutex, PoisonError};

use sagetrain_optim::Executor;
use tch::{Device, Kind, Tensor};

use crate::composed::{is_composed, mask};
use crate::error::TorchError;
use crate::executor::ParallelFor;
use crate::memory::f32_slice_mut;
use crate::philox::Philox;

/// Elements that a thread draws at a time, four of each counter.
const BLOCK: usize = 1 << 14;
/// What a word is divided by.
const WORDS: f64 = 4_294_967_296.0;

/// The draws of [`Philox::fill_normal`] in the shape of `like` and on its device, float32; on a GPU to the rounding of its functions.
///
/// Errors: `ERR_TORCH`.
pub fn normal_like(like: &Tensor, philox: &Philox) -> Result<Tensor, TorchError> {
    let (shape, elements) = (like.size(), like.numel() as i64);
    if is_composed(like) {
        return Ok(composed(philox, elements, like.device())?.f_view(shape.as_slice())?);
    }
    let mut draws = Tensor::f_empty(shape.as_slice(), (Kind::Float, Device::Cpu))?;
    let blocks: Vec<_> = f32_slice_mut(&mut draws)?.chunks_mut(BLOCK).map(Mutex::new).collect();
    ParallelFor.run(blocks.len(), &|index| {
        let mut block = blocks[index].lock().unwrap_or_else(PoisonError::into_inner);
        philox.fill_normal_from((index * BLOCK / 4) as u32, &mut block);
    });
    drop(blocks);
    Ok(draws)
}

/// Box and Muller's transform by ATen's functions: `[elements]`.
fn composed(philox: &Philox, elements: i64, device: Device) -> Result<Tensor, TorchError> {
    let counters = (elements + 3) / 4;
    let words = mask::words(philox, counters, device)?.f_to_kind(Kind::Double)?;
    let words = words.f_view([2, 2, counters])?; // [pair, radius or angle, counter]
    let share = words.f_select(1, 0)?.f_add_scalar(1.0)?.f_div_scalar(WORDS)?;
    let radius = share.f_log()?.f_mul_scalar(-2.0)?.f_sqrt()?;
    let angle = words.f_select(1, 1)?.f_mul_scalar(TAU)?.f_div_scalar(WORDS)?;
    let normals = [radius.f_mul(&angle.f_cos()?)?, radius.f_mul(&angle.f_sin()?)?];
    let normals = Tensor::f_stack(&normals, 2)?.f_transpose(0, 1)?; // [counter, pair, cosine or sine]
    Ok(normals.f_to_kind(Kind::Float)?.f_reshape([counters * 4])?.f_narrow(0, 0, elements)?)
}
