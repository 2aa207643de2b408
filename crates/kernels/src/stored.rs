//! The types a parameter may be stored in, and the one it is then computed in.

use crate::float::Float;
use crate::isa::{self, Isa, Loop};
use crate::noise::Noise;
use crate::norm;
use half::{bf16, f16};

/// What is computed with [`Stored::Compute`] and kept as `Self`: `f32` and `f64` as they are, [`bf16`] and [`f16`](struct@f16) widened to `f32`.
pub trait Stored: sealed::Sealed + Copy + Default + std::fmt::Debug + Send + Sync + bytemuck::Pod {
    /// The type of the arithmetic and of the states.
    type Compute: Float;
    /// A type of half the size for states that bear it: [`bf16`], but for `f64`, which has none.
    type Brief: Stored<Compute = Self::Compute>;
    /// `float32`, `float64`, `bfloat16` or `float16`.
    const DTYPE: &'static str;
    /// Whether the type is narrower than the one computed in.
    const NARROW: bool;

    /// The same number, exactly.
    fn widen(self) -> Self::Compute;
    /// The nearest number, ties to even; a NaN becomes the quiet one without sign.
    fn narrow(value: Self::Compute) -> Self;
    /// One of the two neighbours, the nearer the likelier: bfloat16 only, [`narrow`](Stored::narrow) elsewhere. Each of the 65,536 values
    /// of `noise` takes its share of the distance.
    fn narrow_by(value: Self::Compute, noise: u16) -> Self;
    /// Whether both have the same bits.
    fn same(self, other: Self) -> bool;

    /// The slice itself where nothing has to be widened.
    fn as_compute(slice: &[Self]) -> Option<&[Self::Compute]>;
    /// The slice itself where nothing has to be widened.
    fn as_compute_mut(slice: &mut [Self]) -> Option<&mut [Self::Compute]>;

    #[doc(hidden)]
    fn squares(isa: Isa, values: &[Self]) -> f64;
    #[doc(hidden)]
    fn convert(isa: Isa, conversion: Conversion<'_, Self>);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for half::bf16 {}
    impl Sealed for half::f16 {}
}

/// A loop between what is kept and what is computed with; all slices of one are equally long.
#[doc(hidden)]
#[derive(Debug)]
pub enum Conversion<'a, S: Stored> {
    Widen { stored: &'a [S], to: &'a mut [S::Compute] },
    Narrow { from: &'a [S::Compute], stored: &'a mut [S] },
    NarrowBy { from: &'a [S::Compute], noise: Noise, start: u64, stored: &'a mut [S] },
    OpenMaster { stored: &'a [S], master: &'a mut [S::Compute] },
    OpenKahan { stored: &'a [S], compensation: &'a [S::Brief], to: &'a mut [S::Compute] },
    CloseKahan { from: &'a [S::Compute], stored: &'a mut [S], compensation: &'a mut [S::Brief] },
}

impl<S: Stored> Loop for Conversion<'_, S> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        match self {
            Self::Widen { stored, to } => {
                to.iter_mut().zip(stored).for_each(|(to, stored)| *to = stored.widen())
            }
            Self::Narrow { from, stored } => {
                stored.iter_mut().zip(from).for_each(|(stored, from)| *stored = S::narrow(*from));
            }
            Self::NarrowBy { from, noise, start, stored } => narrow_by(from, noise, start, stored),
            Self::OpenMaster { stored, master } => {
                master
                    .iter_mut()
                    .zip(stored)
                    .for_each(|(master, stored)| *master = current(*stored, *master));
            }
            Self::OpenKahan { stored, compensation, to } => {
                for ((to, stored), compensation) in to.iter_mut().zip(stored).zip(compensation) {
                    *to = current(*stored, stored.widen() + compensation.widen());
                }
            }
            Self::CloseKahan { from, stored, compensation } => {
                for ((from, stored), compensation) in from.iter().zip(stored).zip(compensation) {
                    *stored = S::narrow(*from);
                    *compensation = left::<S>(*from, *stored);
                }
            }
        }
    }
}

/// What a stored parameter stands for: `fine`, unless that does not round to it, for somebody has written to the parameter since.
#[inline(always)]
fn current<S: Stored>(stored: S, fine: S::Compute) -> S::Compute {
    if S::narrow(fine).same(stored) { fine } else { stored.widen() }
}

/// What rounding to `stored` left of `from`. Where that rounds to half a unit of the parameter, and both together to its neighbour,
/// it is a little less: [`current`] would take it for a parameter that somebody has written to.
#[inline(always)]
fn left<S: Stored>(from: S::Compute, stored: S) -> S::Brief {
    // 1 − 2^-8: a unit of bfloat16 less.
    let less = S::Compute::ONE - S::Compute::from_f64(f64::from_bits((1023 - 8) << 52));
    let rest = from - stored.widen();
    let nearest = S::Brief::narrow(rest);
    if S::narrow(stored.widen() + nearest.widen()).same(stored) {
        nearest
    } else {
        S::Brief::narrow(rest * less)
    }
}

/// Elements whose noise is drawn at a time.
const DRAWN: usize = 512;

#[inline(always)]
fn narrow_by<S: Stored>(from: &[S::Compute], noise: Noise, start: u64, stored: &mut [S]) {
    let mut drawn = [0; DRAWN];
    let mut start = start;
    for (from, stored) in from.chunks(DRAWN).zip(stored.chunks_mut(DRAWN)) {
        noise.fill(start, &mut drawn);
        for ((from, stored), noise) in from.iter().zip(stored).zip(&drawn) {
            *stored = S::narrow_by(*from, *noise);
        }
        start += DRAWN as u64;
    }
}

macro_rules! stored {
    ($type:ident, $compute:ident, $brief:ident, $dtype:literal, $narrow:literal,
     $widen:expr, $nearest:expr, $by:expr, $slice:expr, $slice_mut:expr) => {
        impl Stored for $type {
            type Compute = $compute;
            type Brief = $brief;
            const DTYPE: &'static str = $dtype;
            const NARROW: bool = $narrow;

            #[inline(always)]
            fn widen(self) -> $compute {
                $widen(self)
            }
            #[inline(always)]
            fn narrow(value: $compute) -> Self {
                $nearest(value)
            }
            #[inline(always)]
            fn narrow_by(value: $compute, noise: u16) -> Self {
                $by(value, noise)
            }
            #[inline(always)]
            fn same(self, other: Self) -> bool {
                self.to_bits() == other.to_bits()
            }
            fn as_compute(slice: &[Self]) -> Option<&[$compute]> {
                $slice(slice)
            }
            fn as_compute_mut(slice: &mut [Self]) -> Option<&mut [$compute]> {
                $slice_mut(slice)
            }
            fn squares(isa: Isa, values: &[Self]) -> f64 {
                norm::run(isa, values)
            }
            fn convert(isa: Isa, conversion: Conversion<'_, Self>) {
                isa::run(isa, conversion);
            }
        }
    };
}

stored!(f32, f32, bf16, "float32", false, |x| x, |x| x, |x, _| x, Some, Some);
stored!(f64, f64, f64, "float64", false, |x| x, |x| x, |x, _| x, Some, Some);
stored!(bf16, f32, bf16, "bfloat16", true, widen_bf16, narrow_bf16, narrow_bf16_by, |_| None, |_| None);
stored!(f16, f32, bf16, "float16", true, widen_f16, narrow_f16, |x, _| narrow_f16(x), |_| None, |_| None);

// The conversions are written out, without a branch, because `half`'s own do not vectorise.

#[inline(always)]
fn widen_bf16(value: bf16) -> f32 {
    f32::from_bits(u32::from(value.to_bits()) << 16)
}

#[inline(always)]
fn narrow_bf16(value: f32) -> bf16 {
    let bits = value.to_bits();
    // To nearest, ties to even: half a unit less one, and one more where the last bit kept is odd.
    let nearest = (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16;
    bf16::from_bits(if value.is_nan() { 0x7fc0 } else { nearest })
}

#[inline(always)]
fn narrow_bf16_by(value: f32, noise: u16) -> bf16 {
    let bits = (value.to_bits().wrapping_add(u32::from(noise)) >> 16) as u16;
    if value.is_finite() { bf16::from_bits(bits) } else { narrow_bf16(value) }
}

/// 2^-14, the least float16 of full precision, as float32 bits.
const F16_NORMAL: u32 = 113 << 23;

#[inline(always)]
fn widen_f16(value: f16) -> f32 {
    let bits = u32::from(value.to_bits());
    let (sign, magnitude) = ((bits & 0x8000) << 16, bits & 0x7fff);
    let shifted = magnitude << 13;
    let normal = shifted + (112 << 23);
    let infinite = shifted + (224 << 23);
    // A subnormal's bits count units of 2^-24: beside 2^-14 they are the significand, and 2^-14 goes off again.
    let subnormal = (f32::from_bits(shifted + F16_NORMAL) - f32::from_bits(F16_NORMAL)).to_bits();
    let wide = if magnitude >= 0x7c00 { infinite } else { normal };
    f32::from_bits(sign | if magnitude < 0x0400 { subnormal } else { wide })
}

#[inline(always)]
fn narrow_f16(value: f32) -> f16 {
    let sign = (value.to_bits() >> 16 & 0x8000) as u16;
    let magnitude = value.to_bits() & 0x7fff_ffff;
    let normal =
        (magnitude.wrapping_sub(112 << 23).wrapping_add(0x0fff + (magnitude >> 13 & 1)) >> 13) as u16;
    // Beside 0.5 a unit in the last place is 2^-24, float16's least: the sum rounds to it.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits()) as u16;
    let finite = if magnitude < F16_NORMAL { subnormal } else { normal };
    // From 2^16 on all is infinite; what lies between the largest float16 and that carries into the exponent by itself.
    let bits = if magnitude >= 143 << 23 { 0x7c00 } else { finite };
    f16::from_bits(if value.is_nan() { 0x7e00 } else { sign | bits })
}
