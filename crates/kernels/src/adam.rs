//! Adam and AdamW, plain or with the learning rate modulated: paper form.

use crate::float::Float;
use crate::isa::Isa;
use crate::pass::{self, Block, Rule};
use crate::probe::Probe;
use crate::sage::Sensing;
use std::hint::black_box;

/// Where weight decay λ enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// g + λθ takes g's place in the moments (never in the sensitivity): the default of Adam.
    Coupled,
    /// θ ← θ − ηλθ, then the step: the default of AdamW.
    Decoupled,
    /// θ ← θ − ηrλθ, then the step.
    Modulated,
}

/// One step of Adam(W) in words a user knows; [`Adam::new`] turns it into the constants of a pass.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// η = learning rate × schedule.
    pub rate: f64,
    /// β1 and β2, each in [0, 1).
    pub betas: [f64; 2],
    /// ε of the denominator √v̂ + ε.
    pub epsilon: f64,
    /// Where λ enters.
    pub decay: Decay,
    /// λ
    pub weight_decay: f64,
    /// What each raw gradient is multiplied with: un-scaling, division and clipping in one.
    pub gradient_factor: f64,
    /// t, from 1.
    pub step: u64,
}

/// The constants of one step of Adam(W), rounded to the parameters' type.
///
/// Order of operations and places of fusion are those of torch 2.13's unfused (for-loop) Adam and AdamW, so that without
/// modulation the bits are the same.
#[derive(Clone, Copy, Debug)]
pub struct Adam<F> {
    factor: F,
    first_weight: F,
    first_from_gradient: bool,
    beta2: F,
    second_weight: F,
    root_correction: F,
    epsilon: F,
    step_size: F,
    decay: Decay,
    decay_amount: F,
}

impl<F: Float> Adam<F> {
    /// The constants of `step`. They are formed in float64 and rounded once.
    pub fn new(step: &AdamStep) -> Self {
        let [beta1, beta2] = step.betas;
        let t = step.step as f64;
        // torch raises to the power 0.5 by pow(), which is not always √: black_box keeps the compiler from replacing it.
        let root_correction = (1.0 - beta2.powf(t)).powf(black_box(0.5));
        // As torch's lerp: from the nearer end, so that a weight of 1 gives the gradient itself.
        let first_weight = F::from_f64(1.0 - beta1);
        let first_from_gradient = first_weight.to_f64() >= 0.5;
        let none = step.weight_decay == 0.0;
        Self {
            factor: F::from_f64(step.gradient_factor),
            first_weight: if first_from_gradient { first_weight - F::ONE } else { first_weight },
            first_from_gradient,
            beta2: F::from_f64(beta2),
            second_weight: F::from_f64(1.0 - beta2),
            root_correction: F::from_f64(root_correction),
            epsilon: F::from_f64(step.epsilon),
            step_size: F::from_f64(-(step.rate / (1.0 - beta1.powf(t)))),
            // Without decay θ × 1 is exact, while g + 0 θ would turn −0 into 0.
            decay: if none { Decay::Decoupled } else { step.decay },
            decay_amount: F::from_f64(match step.decay {
                _ if none => 1.0,
                Decay::Coupled => step.weight_decay,
                Decay::Decoupled => 1.0 - step.rate * step.weight_decay,
                Decay::Modulated => step.rate * step.weight_decay,
            }),
        }
    }

    /// One pass over a block: θ, m, v and (where kept) E are updated in place.
    ///
    /// # Panics
    /// When an array the pass needs is shorter than `block.parameter`.
    pub fn apply(&self, isa: Isa, sensing: Sensing<'_, F>, block: Block<'_, F>, probe: Option<Probe<'_, F>>) {
        match self.decay {
            Decay::Coupled => pass::run(isa, Decaying::<_, COUPLED>(*self), sensing, block, probe),
            Decay::Decoupled => pass::run(isa, Decaying::<_, DECOUPLED>(*self), sensing, block, probe),
            Decay::Modulated => pass::run(isa, Decaying::<_, MODULATED>(*self), sensing, block, probe),
        }
    }

    /// The step proper, on a θ and a g that decay has been applied to.
    #[inline(always)]
    fn element(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F) {
        let nearer = if self.first_from_gradient { gradient } else { first };
        let first = self.first_weight.mul_add(gradient - first, nearer);
        let second = (self.second_weight * gradient).mul_add(gradient, second * self.beta2);
        let denominator = second.sqrt() / self.root_correction + self.epsilon;
        (theta + self.step_size * rate * first / denominator, first, second)
    }
}

const COUPLED: u8 = 0;
const DECOUPLED: u8 = 1;
const MODULATED: u8 = 2;

/// Adam with its decay as part of the type, so that a loop holds one formula and no branch.
#[derive(Clone, Copy)]
struct Decaying<F, const DECAY: u8>(Adam<F>);

impl<F: Float, const DECAY: u8> Rule<F> for Decaying<F, DECAY> {
    const STATES: usize = 2;

    #[inline(always)]
    fn factor(&self) -> F {
        self.0.factor
    }

    #[inline(always)]
    fn update(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F) {
        let amount = self.0.decay_amount;
        let (theta, gradient) = match DECAY {
            COUPLED => (theta, amount.mul_add(theta, gradient)),
            DECOUPLED => (theta * amount, gradient),
            _ => ((-(amount * rate)).mul_add(theta, theta), gradient),
        };
        self.0.element(theta, gradient, rate, first, second)
    }
}
