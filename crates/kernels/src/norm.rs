//! The global norm's sum of squares and the finite check, in one read of the gradient.

use crate::float::Float;
use crate::isa::{self, Isa, Loop};
use crate::stored::Stored;

/// Running sums kept side by side, in the first-level cache: so many that their loop is not unrolled, hence vectorised.
const LANES: usize = 128;

/// Σ g² of a block, in float64, in one order on every instruction set. Squares of float32 and narrower cannot overflow there, so the
/// sum is finite exactly when every element is; for float64 an infinite sum may also come from large finite elements:
/// ask [`first_non_finite`].
pub fn sum_of_squares<S: Stored>(isa: Isa, gradient: &[S]) -> f64 {
    S::squares(isa, gradient)
}

pub(crate) fn run<S: Stored>(isa: Isa, gradient: &[S]) -> f64 {
    isa::run(isa, Squares(gradient))
}

struct Squares<'a, S>(&'a [S]);

impl<S: Stored> Loop for Squares<'_, S> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [0.0f64; LANES];
        let (rows, rest) = self.0.as_chunks::<LANES>();
        for row in rows {
            for lane in 0..LANES {
                sums[lane] = add_square(sums[lane], row[lane]);
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum = add_square(*sum, *value);
        }
        fold(&mut sums)
    }
}

#[inline(always)]
fn add_square<S: Stored>(sum: f64, value: S) -> f64 {
    let value = value.widen().to_f64();
    value.mul_add(value, sum)
}

/// The sum of all lanes, halves added to halves.
#[inline(always)]
fn fold(sums: &mut [f64; LANES]) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The position of the first NaN or infinity.
pub fn first_non_finite<S: Stored>(gradient: &[S]) -> Option<usize> {
    gradient.iter().position(|value| !value.widen().is_finite())
}

/// √Σ g² over several arrays of finite elements whose plain sum of squares overflowed.
pub fn scaled_norm<S: Stored>(gradients: &[&[S]]) -> f64 {
    // 2^-600: the square of the largest float64 times it is far from overflow.
    const DOWN: f64 = f64::from_bits((1023 - 600) << 52);
    let squares =
        gradients.iter().flat_map(|gradient| gradient.iter()).map(|value| value.widen().to_f64() * DOWN);
    squares.map(|value| value * value).sum::<f64>().sqrt() / DOWN
}
