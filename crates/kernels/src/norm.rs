//! The global norm's sum of squares and the finite check, in one read of the gradient.

use crate::float::Float;
use crate::isa::{self, Isa, Loop};

/// Running sums kept side by side; fixed, so that the order of additions is the same on every instruction set.
const LANES: usize = 32;

/// Σ g² of a block, in float64. Float32 cannot overflow there, so the sum is finite exactly when every element is;
/// for float64 an infinite sum may also come from large finite elements: ask [`first_non_finite`].
pub fn sum_of_squares<F: Float>(isa: Isa, gradient: &[F]) -> f64 {
    isa::run(isa, Squares(gradient, 1.0))
}

/// A gradient, and what its elements are multiplied with first.
struct Squares<'a, F>(&'a [F], f64);

impl<F: Float> Loop for Squares<'_, F> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let Squares(gradient, scale) = self;
        let mut sums = [0.0f64; LANES];
        let (rows, rest) = gradient.as_chunks::<LANES>();
        for row in rows {
            for lane in 0..LANES {
                let value = row[lane].to_f64() * scale;
                sums[lane] += value * value;
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            let value = value.to_f64() * scale;
            *sum += value * value;
        }
        sums.iter().sum()
    }
}

/// The position of the first NaN or infinity.
pub fn first_non_finite<F: Float>(gradient: &[F]) -> Option<usize> {
    gradient.iter().position(|value| !value.is_finite())
}

/// √Σ g² over several arrays of finite elements whose plain sum of squares overflowed.
pub fn scaled_norm<F: Float>(isa: Isa, gradients: &[&[F]]) -> f64 {
    let sum: f64 = gradients.iter().map(|gradient| isa::run(isa, Squares(gradient, DOWN))).sum();
    sum.sqrt() / DOWN
}

/// 2^-600: the square of the largest float64 times it is far from overflow.
const DOWN: f64 = f64::from_bits((1023 - 600) << 52);
