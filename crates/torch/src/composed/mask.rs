//! Dropout masks, the draws that [`Dropout`] defines, bit for bit: on a GPU by a kernel, on the CPU from ATen's integer operations.

use tch::{Device, Kind, Tensor};

use super::count_up;
use crate::cuda;
use crate::dropout::{Dropout, GROUP};
use crate::error::TorchError;
use crate::philox::{MULTIPLIERS, Philox, ROUNDS, WEYL};

const LOW: i64 = 0xffff_ffff;

/// Which of the first `elements` elements are dropped: bool `[elements]`.
pub(crate) fn dropped(dropout: &Dropout, elements: i64, device: Device) -> Result<Tensor, TorchError> {
    if device != Device::Cpu {
        return cuda::mask::dropped(dropout, elements, device);
    }
    let groups = (elements as u64).div_ceil(GROUP as u64) as i64;
    let Dropout { seed, step, stream, .. } = *dropout;
    let words = words(&Philox { seed, step, stream }, groups * 16, device)?; // [4, counters]
    let words = words.f_view([4, groups, 16])?.f_permute([1, 0, 2])?; // [group, word, counter]
    let halves = [words.f_bitwise_and(0xffff)?, words.f_bitwise_right_shift_tensor_scalar(16)?];
    let draws = Tensor::f_stack(&halves, 3)?.f_reshape([groups * GROUP as i64])?;
    Ok(draws.f_lt(i64::from(dropout.threshold()))?.f_narrow(0, 0, elements)?)
}

/// `x` with elements dropped and the others scaled, in the arithmetic of `x`.
pub(crate) fn drop(x: &Tensor, dropout: Option<Dropout>) -> Result<Tensor, TorchError> {
    let Some(dropout) = dropout else { return Ok(x.shallow_clone()) };
    let mask = dropped(&dropout, x.numel() as i64, x.device())?.f_view(x.size().as_slice())?;
    Ok(x.f_masked_fill(&mask, 0.0)?.f_mul_scalar(f64::from(dropout.scale()))?)
}

/// Philox's four words of the counters `0 .. count`, each in the low half of an int64: `[4, count]`.
pub(crate) fn words(philox: &Philox, count: i64, device: Device) -> Result<Tensor, TorchError> {
    let _no_grad = tch::no_grad_guard();
    let constant = |value: u64| Tensor::f_full([count], (value & LOW as u64) as i64, (Kind::Int64, device));
    let (mut x, mut y) = (count_up(count, device)?, constant(philox.stream.into())?);
    let (mut z, mut w) = (constant(philox.step)?, constant(philox.step >> 32)?);
    let mut key = [philox.seed as u32, (philox.seed >> 32) as u32];
    for _ in 0..ROUNDS {
        let (first_high, first_low) = product(&x, MULTIPLIERS[0])?;
        let (second_high, second_low) = product(&z, MULTIPLIERS[1])?;
        x = second_high.f_bitwise_xor_tensor(&y)?.f_bitwise_xor(i64::from(key[0]))?;
        z = first_high.f_bitwise_xor_tensor(&w)?.f_bitwise_xor(i64::from(key[1]))?;
        (y, w) = (second_low, first_low);
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    Ok(Tensor::f_stack(&[x, y, z, w], 0)?)
}

/// High and low 32 bits of `a · factor`; the int64 product wraps to the unsigned one's bits.
fn product(a: &Tensor, factor: u32) -> Result<(Tensor, Tensor), TorchError> {
    let product = a.f_mul_scalar(i64::from(factor))?;
    let high = product.f_bitwise_right_shift_tensor_scalar(32)?.f_bitwise_and(LOW)?;
    Ok((high, product.f_bitwise_and(LOW)?))
}
