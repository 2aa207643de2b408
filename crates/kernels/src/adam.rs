//! Adam and AdamW, plain or with the learning rate modulated: paper form.

use crate::decay::{Common, Decaying, Element};
use crate::divisor::Divisor;
use crate::float::Float;
use crate::isa::Isa;
use crate::moment::Lerp;
use crate::pass::Block;
use crate::sage::Sensing;
use std::hint::black_box;

/// One step of Adam(W) in words a user knows; [`Adam::new`] turns it into the constants of a pass.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Rate, decay and gradient factor.
    pub common: Common,
    /// β1 and β2, each in [0, 1).
    pub betas: [f64; 2],
    /// ε of the denominator √v̂ + ε.
    pub epsilon: f64,
    /// t, from 1.
    pub step: u64,
}

/// The constants of one step of Adam(W), rounded to the parameters' type:
///
/// ```text
/// m ← β1 m + (1 − β1) g,  v ← β2 v + (1 − β2) g²,  θ ← θ − η r m̂ / (√v̂ + ε)
/// ```
///
/// Order of operations and places of fusion are those of torch 2.13's unfused (for-loop) Adam and AdamW, so that without
/// modulation the bits are the same. `first` is m, `second` is v.
#[derive(Clone, Copy, Debug)]
pub struct Adam<F>(pub(crate) Decaying<F, AdamElement<F>>);

#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamElement<F> {
    pub(crate) first: Lerp<F>,
    pub(crate) beta2: F,
    pub(crate) second_weight: F,
    pub(crate) root_correction: Divisor<F>,
    pub(crate) epsilon: F,
    pub(crate) step_size: F,
}

impl<F: Float> Adam<F> {
    /// The constants of `step`. They are formed in float64 and rounded once.
    pub fn new(step: &AdamStep) -> Self {
        let [beta1, beta2] = step.betas;
        let t = step.step as f64;
        // torch raises to the power 0.5 by pow(), which is not always √: black_box keeps the compiler from replacing it.
        let root_correction = (1.0 - beta2.powf(t)).powf(black_box(0.5));
        let element = AdamElement {
            first: Lerp::new(1.0 - beta1),
            beta2: F::from_f64(beta2),
            second_weight: F::from_f64(1.0 - beta2),
            root_correction: Divisor::new(F::from_f64(root_correction)),
            epsilon: F::from_f64(step.epsilon),
            step_size: F::from_f64(-(step.common.rate / (1.0 - beta1.powf(t)))),
        };
        Self(Decaying::new(element, &step.common))
    }

    /// One pass over a block: θ, m, v and (where kept) E are updated in place.
    ///
    /// # Panics
    /// When an array the pass needs is shorter than `block.parameter`.
    pub fn apply(&self, isa: Isa, sensing: Sensing<'_, F>, block: Block<'_, F>) {
        F::adam(self, isa, sensing, block);
    }
}

impl<F: Float> Element<F> for AdamElement<F> {
    const STATES: usize = 2;

    #[inline(always)]
    fn element(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F) {
        let first = self.first.toward(first, gradient);
        let second = (self.second_weight * gradient).mul_add(gradient, second * self.beta2);
        let denominator = self.root_correction.divide(second.sqrt()) + self.epsilon;
        (theta + self.step_size * rate * first / denominator, first, second)
    }
}
