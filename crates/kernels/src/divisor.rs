//! Division by one number that all elements share, to the bits of `/`, without the divider.

use crate::float::Float;

/// A divisor known before the loop. Processors divide several times slower than they multiply, and a pass out of cache memory
/// waits for its divisions and roots.
///
/// Markstein, "Computation of elementary functions on the IBM RISC System/6000", 1990, Theorem 8.4: from the correctly rounded
/// reciprocal and a quotient that is off by less than one unit in the last place, one exact remainder gives the correctly rounded
/// quotient. The first quotient is close enough because the reciprocal is taken to twice the precision (Brisebarre, Muller and
/// Raina, 2004).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Divisor<F> {
    divisor: F,
    reciprocal: F,
    /// 1/divisor − reciprocal.
    rest: F,
}

impl<F: Float> Divisor<F> {
    /// `divisor` far from the ends of the range: neither quotients nor remainders may leave it.
    pub fn new(divisor: F) -> Self {
        let reciprocal = F::ONE / divisor;
        let rest = (-reciprocal).mul_add(divisor, F::ONE) / divisor;
        Self { divisor, reciprocal, rest }
    }

    /// The divisor.
    #[cfg(feature = "cuda")]
    pub fn value(&self) -> F {
        self.divisor
    }

    /// `value / divisor`, for `value` ≥ 0, 0 and infinity included, where value · u² is not subnormal.
    #[inline(always)]
    pub fn divide(&self, value: F) -> F {
        let near = value.mul_add(self.reciprocal, value * self.rest);
        let remainder = (-self.divisor).mul_add(near, value);
        let quotient = remainder.mul_add(self.reciprocal, near);
        // ∞ − ∞ on the way would make a NaN of an infinity.
        if value <= F::MAX { quotient } else { value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_correction(beta2: f64, step: i32) -> f64 {
        (1.0 - beta2.powi(step)).sqrt()
    }

    #[test]
    fn every_significand_divides_to_the_same_bits() {
        for (beta2, step) in [(0.999, 1), (0.98, 3)] {
            let divisor = root_correction(beta2, step) as f32;
            let known = Divisor::new(divisor);
            for bits in 0..1u32 << 23 {
                let value = f32::from_bits(1f32.to_bits() | bits);
                assert_eq!(known.divide(value).to_bits(), (value / divisor).to_bits(), "{value} / {divisor}");
            }
        }
    }

    fn same<F: Float>(value: F, divisor: F) {
        let (ours, hardware) = (Divisor::new(divisor).divide(value), value / divisor);
        assert_eq!(ours.to_f64().to_bits(), hardware.to_f64().to_bits(), "{value:?} / {divisor:?}");
    }

    /// Of every size: 0, subnormal, infinite.
    #[test]
    fn roots_divide_to_the_same_bits() {
        let mut random = 1u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 1) % below
        };
        for _ in 0..500_000 {
            let beta2 = 1.0 - 10f64.powf(-(next(1 << 20) as f64) / (1 << 17) as f64);
            let correction = root_correction(beta2, 1 + next(10_000) as i32);
            same(f64::from_bits(next(f64::INFINITY.to_bits())).sqrt(), correction);
            same(f32::from_bits(next(f32::INFINITY.to_bits().into()) as u32).sqrt(), correction as f32);
            same([0.0, f64::INFINITY][next(2) as usize], correction);
            same([0.0, f32::INFINITY][next(2) as usize], correction as f32);
        }
    }
}
