//! SGD with momentum, heavy-ball or Nesterov's, plain or with the learning rate modulated.

use crate::decay::{Common, Decaying, Element};
use crate::float::Float;
use crate::isa::Isa;
use crate::pass::Block;
use crate::sage::Sensing;

/// One step of SGD in words a user knows.
#[derive(Clone, Copy, Debug)]
pub struct SgdStep {
    /// Rate, decay and gradient factor.
    pub common: Common,
    /// μ in [0, 1); 0 keeps no buffer.
    pub momentum: f64,
    /// Whether the step looks ahead along the buffer.
    pub nesterov: bool,
}

/// The constants of one step of SGD, rounded to the parameters' type:
///
/// ```text
/// b ← μ b + g,  θ ← θ − η r b        Nesterov: θ ← θ − η r (g + μ b)
/// ```
///
/// Without modulation its bits are those of torch 2.13's unfused SGD. `first` is b, and empty without momentum.
#[derive(Clone, Copy, Debug)]
pub struct Sgd<F>(pub(crate) Kind<F>);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind<F> {
    Plain(Decaying<F, Plain<F>>),
    Momentum(Decaying<F, Momentum<F>>),
    Nesterov(Decaying<F, Nesterov<F>>),
}

/// θ ← θ − η r g
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<F>(pub(crate) F);
/// Heavy ball: the step size and μ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Momentum<F>(pub(crate) F, pub(crate) F);
/// Nesterov's: the step size and μ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nesterov<F>(pub(crate) F, pub(crate) F);

impl<F: Float> Sgd<F> {
    /// The constants of `step`.
    pub fn new(step: &SgdStep) -> Self {
        let (size, momentum) = (F::from_f64(-step.common.rate), F::from_f64(step.momentum));
        Self(match (step.momentum == 0.0, step.nesterov) {
            (true, _) => Kind::Plain(Decaying::new(Plain(size), &step.common)),
            (false, false) => Kind::Momentum(Decaying::new(Momentum(size, momentum), &step.common)),
            (false, true) => Kind::Nesterov(Decaying::new(Nesterov(size, momentum), &step.common)),
        })
    }

    /// One pass over a block: θ, b and (where kept) E are updated in place.
    ///
    /// # Panics
    /// When an array the pass needs is shorter than `block.parameter`.
    pub fn apply(&self, isa: Isa, sensing: Sensing<'_, F>, block: Block<'_, F>) {
        F::sgd(self, isa, sensing, block);
    }
}

impl<F: Float> Element<F> for Plain<F> {
    const STATES: usize = 0;
    #[inline(always)]
    fn element(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F) {
        ((self.0 * rate).mul_add(gradient, theta), first, second)
    }
}

impl<F: Float> Element<F> for Momentum<F> {
    const STATES: usize = 1;
    #[inline(always)]
    fn element(&self, theta: F, gradient: F, rate: F, buffer: F, second: F) -> (F, F, F) {
        let buffer = buffer * self.1 + gradient;
        ((self.0 * rate).mul_add(buffer, theta), buffer, second)
    }
}

impl<F: Float> Element<F> for Nesterov<F> {
    const STATES: usize = 1;
    #[inline(always)]
    fn element(&self, theta: F, gradient: F, rate: F, buffer: F, second: F) -> (F, F, F) {
        let buffer = buffer * self.1 + gradient;
        let ahead = self.1.mul_add(buffer, gradient);
        ((self.0 * rate).mul_add(ahead, theta), buffer, second)
    }
}
