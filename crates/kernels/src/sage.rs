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
/// Rates are formed from `c·I` and `E` with c = 1 − β0^t in place of I and Î = E/c, so numerator and denominator are both c
/// times the equation's. That saves a division, and makes the first step's U exactly 0: c = 1 − β0 there, so `c·I`
/// and `E` are the same product.
#[derive(Clone, Copy, Debug)]
pub struct Sage<F> {
    beta0: F,
    weight: F,
    correction: F,
    inverse: F,
    epsilon: F,
    ceiling: F,
}

impl<F: Float> Sage<F> {
    /// `beta0` in (0, 1), `epsilon` > 0, `step` from 1.
    pub fn new(beta0: f64, epsilon: f64, step: u64) -> Self {
        let correction = 1.0 - beta0.powf(step as f64);
        Self {
            beta0: F::from_f64(beta0),
            weight: F::from_f64(1.0 - beta0),
            correction: F::from_f64(correction),
            inverse: F::from_f64(1.0 / correction),
            epsilon: F::from_f64(correction * epsilon),
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
    fn variation(&self, sensitivity: F, average: F) -> F {
        (self.correction * sensitivity - average).abs()
    }

    /// Î, for reports.
    #[inline(always)]
    pub(crate) fn corrected(&self, average: F) -> F {
        average * self.inverse
    }

    /// U, for reports.
    #[inline(always)]
    pub(crate) fn corrected_variation(&self, sensitivity: F, average: F) -> F {
        self.variation(sensitivity, average) * self.inverse
    }
}

/// A modulation as a type, so that a loop holds one formula and no branch.
pub(crate) trait Rate<F: Float>: Copy {
    /// r of an element with sensitivity I and (new) average E.
    fn rate(sage: &Sage<F>, sensitivity: F, average: F) -> F;
}

macro_rules! rates {
    ($($name:ident: |$sage:ident, $variation:ident, $average:ident| $formula:expr;)*) => {$(
        #[derive(Clone, Copy)]
        pub(crate) struct $name;
        impl<F: Float> Rate<F> for $name {
            #[inline(always)]
            #[allow(unused_variables, reason = "half of the ablations use only one of the two")]
            fn rate($sage: &Sage<F>, sensitivity: F, average: F) -> F {
                let $variation = $sage.variation(sensitivity, average) + $sage.epsilon; // c (U + ε)
                let $average = average + $sage.epsilon; // c (Î + ε)
                $formula
            }
        }
    )*};
}

rates! {
    SageRate: |sage, variation, average| variation / average;
    ProductRate: |sage, variation, average| (average * sage.inverse) * (variation * sage.inverse);
    InverseRate: |sage, variation, average| average / variation;
    AverageRate: |sage, variation, average| average * sage.inverse;
    ReciprocalRate: |sage, variation, average| sage.correction / average;
    VariationRate: |sage, variation, average| variation * sage.inverse;
}

/// What a loop does about sensitivity, as a type.
pub(crate) trait Sense<F: Float>: Copy {
    /// Whether the loop reads and writes E.
    const KEEPS: bool;
    /// The new E, the r that is reported and the r that is applied.
    fn sense(&self, theta: F, gradient: F, average: F) -> Sensed<F>;
    /// The step's constants, for reports.
    fn sage(&self) -> Option<&Sage<F>>;
}

#[derive(Clone, Copy)]
pub(crate) struct Sensed<F> {
    pub sensitivity: F,
    pub average: F,
    pub reported: F,
    pub applied: F,
}

/// No sensitivity is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Blind;

impl<F: Float> Sense<F> for Blind {
    const KEEPS: bool = false;
    #[inline(always)]
    fn sense(&self, _: F, _: F, average: F) -> Sensed<F> {
        Sensed { sensitivity: F::ZERO, average, reported: F::ONE, applied: F::ONE }
    }
    #[inline(always)]
    fn sage(&self) -> Option<&Sage<F>> {
        None
    }
}

/// Sensitivity is kept; `STEERS` says whether it changes the step.
#[derive(Clone, Copy)]
pub(crate) struct Seeing<'a, F, R, const STEERS: bool>(pub &'a Sage<F>, pub R);

impl<F: Float, R: Rate<F>, const STEERS: bool> Sense<F> for Seeing<'_, F, R, STEERS> {
    const KEEPS: bool = true;
    #[inline(always)]
    fn sense(&self, theta: F, gradient: F, average: F) -> Sensed<F> {
        let sensitivity = self.0.sensitivity(theta, gradient);
        let average = self.0.average(sensitivity, average);
        let reported = R::rate(self.0, sensitivity, average);
        Sensed { sensitivity, average, reported, applied: if STEERS { reported } else { F::ONE } }
    }
    #[inline(always)]
    fn sage(&self) -> Option<&Sage<F>> {
        Some(self.0)
    }
}
