//! Where weight decay enters, for every rule alike.

use crate::float::Float;
use crate::isa::Isa;
use crate::pass::{self, Block, Rule};
use crate::sage::Sensing;

/// Where weight decay λ enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// g + λθ takes g's place in everything but the sensitivity: the default of SGD, Adam and Adamax.
    Coupled,
    /// θ ← θ − ηλθ, then the step: the default of AdamW.
    Decoupled,
    /// θ ← θ − ηrλθ, then the step.
    Modulated,
}

/// What weight decay and gradient handling are in one step, whatever the rule.
#[derive(Clone, Copy, Debug)]
pub struct Common {
    /// η = learning rate × schedule.
    pub rate: f64,
    /// Where λ enters.
    pub decay: Decay,
    /// λ
    pub weight_decay: f64,
    /// What each raw gradient is multiplied with: un-scaling, division and clipping in one.
    pub gradient_factor: f64,
}

/// A base optimizer's update of one element, decay apart.
pub(crate) trait Element<F: Float>: Copy {
    /// How many states it keeps.
    const STATES: usize;
    /// The new θ, first and second state, from a θ and a g that decay has been applied to. `rate` is r, 1 where nothing
    /// modulates.
    fn element(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F);
}

/// A rule with its decay, rounded to the parameters' type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decaying<F, E> {
    pub(crate) element: E,
    pub(crate) factor: F,
    pub(crate) decay: Decay,
    pub(crate) amount: F,
}

impl<F: Float, E: Element<F>> Decaying<F, E> {
    pub fn new(element: E, common: &Common) -> Self {
        let &Common { rate, decay, weight_decay, gradient_factor } = common;
        // Without decay θ × 1 is exact, while g + 0 θ would turn −0 into 0.
        let decay = if weight_decay == 0.0 { Decay::Decoupled } else { decay };
        let amount = match decay {
            Decay::Coupled => weight_decay,
            Decay::Decoupled => 1.0 - rate * weight_decay,
            Decay::Modulated => rate * weight_decay,
        };
        Self { element, factor: F::from_f64(gradient_factor), decay, amount: F::from_f64(amount) }
    }

    /// One pass over a block.
    #[inline]
    pub fn run(&self, isa: Isa, sensing: Sensing<'_, F>, block: Block<'_, F>) {
        match self.decay {
            Decay::Coupled => pass::run(isa, Fixed::<_, _, COUPLED>(*self), sensing, block),
            Decay::Decoupled => pass::run(isa, Fixed::<_, _, DECOUPLED>(*self), sensing, block),
            Decay::Modulated => pass::run(isa, Fixed::<_, _, MODULATED>(*self), sensing, block),
        }
    }
}

const COUPLED: u8 = 0;
const DECOUPLED: u8 = 1;
const MODULATED: u8 = 2;

/// The decay as part of the type, so that a loop holds one formula and no branch.
#[derive(Clone, Copy)]
struct Fixed<F, E, const DECAY: u8>(Decaying<F, E>);

impl<F: Float, E: Element<F>, const DECAY: u8> Rule<F> for Fixed<F, E, DECAY> {
    const STATES: usize = E::STATES;

    #[inline(always)]
    fn factor(&self) -> F {
        self.0.factor
    }

    #[inline(always)]
    fn update(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F) {
        let amount = self.0.amount;
        let (theta, gradient) = match DECAY {
            COUPLED => (theta, amount.mul_add(theta, gradient)),
            DECOUPLED => (theta * amount, gradient),
            _ => ((-(amount * rate)).mul_add(theta, theta), gradient),
        };
        self.0.element.element(theta, gradient, rate, first, second)
    }
}
