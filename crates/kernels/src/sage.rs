//! Sensitivity, its moving average, and the modulations of the learning rate. Eq. 1-4 and Appendix A.4.4 of Liang et al., ICLR 2022.

use crate::Float;

/// What the variation U and the corrected average Î make of the learning rate: `sage` is the method, the others are the
/// ablations of Table 12, variants 1-5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Modulation {
    /// (U + ε) / (Î + ε)
    #[default]
    Sage,
    /// (Î + ε) (U + ε), variant 1
    Product,
    /// (Î + ε) / (U + ε), variant 2
    Inverse,
    /// Î + ε, variant 3
    Average,
    /// 1 / (Î + ε), variant 4
    Reciprocal,
    /// U + ε, variant 5
    Variation,
    /// U / (Î + ε): the released code's, its ε the square of the optimizer's. A parameter that is exactly 0 has r = 0.
    Released,
}

/// What a pass does about sensitivity.
#[derive(Clone, Copy, Debug)]
pub enum Sensing<'a, F> {
    /// Nothing: no average is kept, r = 1.
    Off,
    /// Keep the average, leave the step alone: r = 1.
    Watch(&'a Sage<F>),
    /// Keep the average and multiply the rate by r.
    Modulate(&'a Sage<F>, Modulation),
}

/// The numbers of one step that all elements share.
///
/// The method's own r is formed from `c·I` and `E` with c = 1 − β0^t in place of I and Î = E/c, so numerator and denominator
/// are both c times the equation's. That saves a division, and makes the first step's U exactly 0: c = 1 − β0 there, so
/// `c·I` and `E` are the same product.
#[derive(Clone, Copy, Debug)]
pub struct Sage<F> {
    pub(crate) beta0: F,
    pub(crate) weight: F,
    pub(crate) correction: F,
    pub(crate) epsilon: F,
    pub(crate) scaled_epsilon: F,
    pub(crate) ceiling: F,
}

impl<F: Float> Sage<F> {
    /// Î = E/(1 − β0^t), as Adam and Adamax have it. `beta0` in (0, 1), `epsilon` > 0, `step` from 1.
    pub fn new(beta0: f64, epsilon: f64, step: u64) -> Self {
        Self::with(beta0, epsilon, 1.0 - beta0.powf(step as f64))
    }

    /// Î = E, as SGD and the released Adamax have it: the first r is β0/(1 − β0).
    pub fn uncorrected(beta0: f64, epsilon: f64) -> Self {
        Self::with(beta0, epsilon, 1.0)
    }

    fn with(beta0: f64, epsilon: f64, correction: f64) -> Self {
        Self {
            beta0: F::from_f64(beta0),
            weight: F::from_f64(1.0 - beta0),
            correction: F::from_f64(correction),
            epsilon: F::from_f64(epsilon),
            scaled_epsilon: F::from_f64(correction * epsilon),
            ceiling: F::MAX / (F::ONE + F::ONE),
        }
    }

    /// I = |θ g|, held at half the largest number: an infinite I would make U = ∞ − ∞ and a NaN of a finite θ.
    #[inline(always)]
    pub(crate) fn sensitivity(&self, theta: F, gradient: F) -> F {
        let product = (theta * gradient).abs();
        if product < self.ceiling { product } else { self.ceiling }
    }

    /// E ← β0 E + (1 − β0) I. Rounding keeps E ≥ (1 − β0) I, which bounds r.
    #[inline(always)]
    pub(crate) fn average(&self, sensitivity: F, average: F) -> F {
        self.weight.mul_add(sensitivity, self.beta0 * average)
    }

    /// c U
    #[inline(always)]
    fn scaled_variation(&self, sensitivity: F, average: F) -> F {
        (self.correction * sensitivity - average).abs()
    }

    /// Î
    #[inline(always)]
    pub(crate) fn corrected(&self, average: F) -> F {
        average / self.correction
    }

    /// U
    #[inline(always)]
    pub(crate) fn variation(&self, sensitivity: F, average: F) -> F {
        (sensitivity - self.corrected(average)).abs()
    }
}

/// A modulation as a type, so that a loop holds one formula and no branch.
pub(crate) trait Rate<F: Float>: Copy {
    /// r of an element with sensitivity I and (new) average E.
    fn rate(&self, sage: &Sage<F>, sensitivity: F, average: F) -> F;
}

/// (U + ε) / (Î + ε)
#[derive(Clone, Copy)]
pub(crate) struct SageRate;

impl<F: Float> Rate<F> for SageRate {
    #[inline(always)]
    fn rate(&self, sage: &Sage<F>, sensitivity: F, average: F) -> F {
        (sage.scaled_variation(sensitivity, average) + sage.scaled_epsilon) / (average + sage.scaled_epsilon)
    }
}

/// U / (Î + ε)
#[derive(Clone, Copy)]
pub(crate) struct ReleasedRate;

impl<F: Float> Rate<F> for ReleasedRate {
    #[inline(always)]
    fn rate(&self, sage: &Sage<F>, sensitivity: F, average: F) -> F {
        sage.scaled_variation(sensitivity, average) / (average + sage.scaled_epsilon)
    }
}

/// The ablations in one loop, each a row of zeros and ones around u = U + ε and i = Î + ε: r = a·b/d with a one of 1, u; b one of
/// 1, i; d one of 1, i, u. Multiplying by 1 and adding 0 are exact.
#[derive(Clone, Copy)]
pub(crate) struct AblationRate<F> {
    pub(crate) variation: [F; 2],
    pub(crate) average: [F; 2],
    pub(crate) divisor: [F; 3],
}

impl<F: Float> AblationRate<F> {
    /// The row of `modulation`. That of `sage` is here for completeness; it has a loop of its own, as has `released`.
    pub fn new(modulation: Modulation) -> Self {
        let [zero, one] = [F::ZERO, F::ONE];
        let (absent, present) = ([one, zero], [zero, one]);
        let (by_one, by_average, by_variation) = ([one, zero, zero], [zero, one, zero], [zero, zero, one]);
        let (variation, average, divisor) = match modulation {
            Modulation::Sage | Modulation::Released => (present, absent, by_average),
            Modulation::Product => (present, present, by_one),
            Modulation::Inverse => (absent, present, by_variation),
            Modulation::Average => (absent, present, by_one),
            Modulation::Reciprocal => (absent, absent, by_average),
            Modulation::Variation => (present, absent, by_one),
        };
        Self { variation, average, divisor }
    }
}

impl<F: Float> Rate<F> for AblationRate<F> {
    #[inline(always)]
    fn rate(&self, sage: &Sage<F>, sensitivity: F, average: F) -> F {
        let u = sage.variation(sensitivity, average) + sage.epsilon;
        let i = sage.corrected(average) + sage.epsilon;
        let a = self.variation[1].mul_add(u, self.variation[0]);
        let b = self.average[1].mul_add(i, self.average[0]);
        let d = self.divisor[2].mul_add(u, self.divisor[1].mul_add(i, self.divisor[0]));
        a * b / d
    }
}

/// What a loop does about sensitivity, as a type.
pub(crate) trait Sense<F: Float>: Copy {
    /// Whether the loop reads and writes E.
    const KEEPS: bool;
    /// The new E, and r.
    fn sense(&self, theta: F, gradient: F, average: F) -> (F, F);
}

/// No sensitivity is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Blind;

impl<F: Float> Sense<F> for Blind {
    const KEEPS: bool = false;
    #[inline(always)]
    fn sense(&self, _: F, _: F, average: F) -> (F, F) {
        (average, F::ONE)
    }
}

/// E is kept, the step left alone.
#[derive(Clone, Copy)]
pub(crate) struct Watching<'a, F>(pub &'a Sage<F>);

impl<F: Float> Sense<F> for Watching<'_, F> {
    const KEEPS: bool = true;
    #[inline(always)]
    fn sense(&self, theta: F, gradient: F, average: F) -> (F, F) {
        (self.0.average(self.0.sensitivity(theta, gradient), average), F::ONE)
    }
}

/// E is kept and the rate modulated.
#[derive(Clone, Copy)]
pub(crate) struct Steering<'a, F, R>(pub &'a Sage<F>, pub R);

impl<F: Float, R: Rate<F>> Sense<F> for Steering<'_, F, R> {
    const KEEPS: bool = true;
    #[inline(always)]
    fn sense(&self, theta: F, gradient: F, average: F) -> (F, F) {
        let sensitivity = self.0.sensitivity(theta, gradient);
        let average = self.0.average(sensitivity, average);
        (average, self.1.rate(self.0, sensitivity, average))
    }
}
