//! Adamax, plain or with the learning rate modulated: paper form.

use crate::decay::{Common, Decaying, Element};
use crate::float::Float;
use crate::isa::Isa;
use crate::moment::Lerp;
use crate::pass::Block;
use crate::sage::Sensing;

/// One step of Adamax in words a user knows.
#[derive(Clone, Copy, Debug)]
pub struct AdamaxStep {
    /// Rate, decay and gradient factor.
    pub common: Common,
    /// β1 and β2, each in [0, 1).
    pub betas: [f64; 2],
    /// ε added to |g|.
    pub epsilon: f64,
    /// t, from 1.
    pub step: u64,
}

/// The constants of one step of Adamax, rounded to the parameters' type:
///
/// ```text
/// m ← β1 m + (1 − β1) g,  u ← max(β2 u, |g| + ε),  θ ← θ − η r m̂ / u
/// ```
///
/// Without modulation its bits are those of torch 2.13's unfused Adamax. `first` is m, `second` is u.
#[derive(Clone, Copy, Debug)]
pub struct Adamax<F>(pub(crate) Decaying<F, AdamaxElement<F>>);

#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamaxElement<F> {
    pub(crate) first: Lerp<F>,
    pub(crate) beta2: F,
    pub(crate) epsilon: F,
    pub(crate) step_size: F,
}

impl<F: Float> Adamax<F> {
    /// The constants of `step`. They are formed in float64 and rounded once.
    pub fn new(step: &AdamaxStep) -> Self {
        let [beta1, beta2] = step.betas;
        let element = AdamaxElement {
            first: Lerp::new(1.0 - beta1),
            beta2: F::from_f64(beta2),
            epsilon: F::from_f64(step.epsilon),
            step_size: F::from_f64(-(step.common.rate / (1.0 - beta1.powf(step.step as f64)))),
        };
        Self(Decaying::new(element, &step.common))
    }

    /// One pass over a block: θ, m, u and (where kept) E are updated in place.
    ///
    /// # Panics
    /// When an array the pass needs is shorter than `block.parameter`.
    pub fn apply(&self, isa: Isa, sensing: Sensing<'_, F>, block: Block<'_, F>) {
        F::adamax(self, isa, sensing, block);
    }
}

impl<F: Float> Element<F> for AdamaxElement<F> {
    const STATES: usize = 2;

    #[inline(always)]
    fn element(&self, theta: F, gradient: F, rate: F, first: F, norm: F) -> (F, F, F) {
        let first = self.first.toward(first, gradient);
        let norm = (norm * self.beta2).maximum(gradient.abs() + self.epsilon);
        (theta + self.step_size * rate * first / norm, first, norm)
    }
}
