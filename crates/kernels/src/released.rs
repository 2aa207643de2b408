//! AdamW and Adamax in the form of the authors' released code, which differs from the paper's in ε, corrections and decay.

use crate::float::Float;
use crate::isa::Isa;
use crate::moment::Lerp;
use crate::pass::{Block, Rule};
use crate::sage::Sensing;

/// One step of a released optimizer in words a user knows.
#[derive(Clone, Copy, Debug)]
pub struct ReleasedStep {
    /// Learning rate without the schedule.
    pub base_rate: f64,
    /// The schedule's multiplier.
    pub multiplier: f64,
    /// λ
    pub weight_decay: f64,
    /// What each raw gradient is multiplied with.
    pub gradient_factor: f64,
    /// β1 and β2, each in [0, 1).
    pub betas: [f64; 2],
    /// ε of the denominators.
    pub epsilon: f64,
    /// t, from 1.
    pub step: u64,
}

/// The released AdamW, η = lr·s:
///
/// ```text
/// D = √v + ε,  θ ← θ − η·√(1 − β2^t)/(1 − β1^t)·r·m/D,  then θ ← θ − lr·λ·θ
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReleasedAdamW<F> {
    pub(crate) shared: Shared<F>,
    pub(crate) second_weight: F,
    pub(crate) decayed: F,
}

/// The released Adamax, nothing corrected, decay scheduled and modulated:
///
/// ```text
/// u ← max(β2 u, |g| + ε),  d = m/(u + ε) + λθ,  θ ← θ − η r d
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReleasedAdamax<F> {
    pub(crate) shared: Shared<F>,
    pub(crate) weight_decay: F,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<F> {
    pub(crate) factor: F,
    pub(crate) first: Lerp<F>,
    pub(crate) beta2: F,
    pub(crate) epsilon: F,
    pub(crate) step_size: F,
}

impl<F: Float> Shared<F> {
    fn new(step: &ReleasedStep, correction: f64) -> Self {
        Self {
            factor: F::from_f64(step.gradient_factor),
            first: Lerp::new(1.0 - step.betas[0]),
            beta2: F::from_f64(step.betas[1]),
            epsilon: F::from_f64(step.epsilon),
            step_size: F::from_f64(-step.base_rate * step.multiplier * correction),
        }
    }
}

impl<F: Float> ReleasedAdamW<F> {
    /// The constants of `step`.
    pub fn new(step: &ReleasedStep) -> Self {
        let ([beta1, beta2], t) = (step.betas, step.step as f64);
        let correction = (1.0 - beta2.powf(t)).sqrt() / (1.0 - beta1.powf(t));
        Self {
            shared: Shared::new(step, correction),
            second_weight: F::from_f64(1.0 - beta2),
            decayed: F::from_f64(1.0 - step.base_rate * step.weight_decay),
        }
    }

    /// One pass over a block: `first` is m, `second` is v.
    ///
    /// # Panics
    /// When an array the pass needs is shorter than `block.parameter`.
    pub fn apply(&self, isa: Isa, sensing: Sensing<'_, F>, block: Block<'_, F>) {
        F::released_adamw(self, isa, sensing, block);
    }
}

impl<F: Float> ReleasedAdamax<F> {
    /// The constants of `step`.
    pub fn new(step: &ReleasedStep) -> Self {
        Self { shared: Shared::new(step, 1.0), weight_decay: F::from_f64(step.weight_decay) }
    }

    /// One pass over a block: `first` is m, `second` is u.
    ///
    /// # Panics
    /// When an array the pass needs is shorter than `block.parameter`.
    pub fn apply(&self, isa: Isa, sensing: Sensing<'_, F>, block: Block<'_, F>) {
        F::released_adamax(self, isa, sensing, block);
    }
}

impl<F: Float> Rule<F> for ReleasedAdamW<F> {
    const STATES: usize = 2;

    #[inline(always)]
    fn factor(&self) -> F {
        self.shared.factor
    }

    #[inline(always)]
    fn update(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F) {
        let first = self.shared.first.toward(first, gradient);
        let second = (self.second_weight * gradient).mul_add(gradient, second * self.shared.beta2);
        let denominator = second.sqrt() + self.shared.epsilon;
        let theta = theta + self.shared.step_size * rate * first / denominator;
        (theta * self.decayed, first, second)
    }
}

impl<F: Float> Rule<F> for ReleasedAdamax<F> {
    const STATES: usize = 2;

    #[inline(always)]
    fn factor(&self) -> F {
        self.shared.factor
    }

    #[inline(always)]
    fn update(&self, theta: F, gradient: F, rate: F, first: F, norm: F) -> (F, F, F) {
        let first = self.shared.first.toward(first, gradient);
        let norm = (norm * self.shared.beta2).maximum(gradient.abs() + self.shared.epsilon);
        let direction = self.weight_decay.mul_add(theta, first / (norm + self.shared.epsilon));
        ((self.shared.step_size * rate).mul_add(direction, theta), first, norm)
    }
}
