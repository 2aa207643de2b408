//! The numbers of one step, made of the CPU's own, as the kernels read them.

use crate::adam::Adam;
use crate::adamax::Adamax;
use crate::average::Average;
use crate::cuda::{Family, Kept, Tensor, Variant};
use crate::decay::{Decay, Decaying};
use crate::float::Float;
use crate::moment::Lerp;
use crate::released::{ReleasedAdamW, ReleasedAdamax, Shared};
use crate::sage::{AblationRate, Modulation, Sage, Sensing};
use crate::sgd::{Kind, Sgd};

// What the text's decay.cuh, sage.cuh and sgd.cuh call by name.
const COUPLED: u32 = 0;
const DECOUPLED: u32 = 1;
const MODULATED: u32 = 2;
/// A released rule's: not looked at by its kernel.
const OWN: u32 = 3;
/// Not looked at: the kernel keeps no E.
const OFF: u32 = 0;
const WATCH: u32 = 1;
const SAGE: u32 = 2;
const ABLATION: u32 = 3;
const RELEASED: u32 = 4;
const PLAIN: u32 = 0;
const MOMENTUM: u32 = 1;
const NESTEROV: u32 = 2;
// Of rules with one kind, for the host to know whose constants they are.
const ADAM: u32 = 3;
const ADAMAX: u32 = 4;
const RELEASED_ADAMW: u32 = 5;
const RELEASED_ADAMAX: u32 = 6;

/// The numbers of one step of one group of parameters: those of [`Adam::new`] and the others, as they were rounded there.
///
/// ```
/// use sagetrain_kernels::cuda::Constants;
/// use sagetrain_kernels::{Adam, AdamStep, Common, Decay, Sage, Sensing};
///
/// let common = Common { rate: 1e-3, decay: Decay::Decoupled, weight_decay: 0.01, gradient_factor: 1.0 };
/// let adam = Adam::<f32>::new(&AdamStep { common, betas: [0.9, 0.999], epsilon: 1e-8, step: 1 });
/// let sage = Sage::new(0.75, 1e-12, 1);
/// let constants = Constants::adam(&adam).sensing(Sensing::Modulate(&sage, Default::default()));
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Constants<F> {
    factor: F,
    amount: F,
    momentum: F,
    first_weight: F,
    beta2: F,
    second_weight: F,
    root_correction: F,
    epsilon: F,
    step_size: F,
    decayed: F,
    beta0: F,
    weight: F,
    correction: F,
    sage_epsilon: F,
    scaled_epsilon: F,
    ceiling: F,
    variation: [F; 2],
    average: [F; 2],
    divisor: [F; 3],
    average_weight: F,
    decay: u32,
    sensing: u32,
    kind: u32,
    first_from_value: u32,
    average_from_value: u32,
    average_begins: u32,
    seed: u64,
    step: u64,
}

impl<F: Float> Constants<F> {
    /// Those of SGD. Without momentum no buffer is read: `first` may be 0.
    pub fn sgd(rule: &Sgd<F>) -> Self {
        match rule.0 {
            Kind::Plain(rule) => Self { kind: PLAIN, step_size: rule.element.0, ..Self::decaying(&rule) },
            Kind::Momentum(rule) => Self {
                kind: MOMENTUM,
                step_size: rule.element.0,
                momentum: rule.element.1,
                ..Self::decaying(&rule)
            },
            Kind::Nesterov(rule) => Self {
                kind: NESTEROV,
                step_size: rule.element.0,
                momentum: rule.element.1,
                ..Self::decaying(&rule)
            },
        }
    }

    /// Those of Adam(W).
    pub fn adam(rule: &Adam<F>) -> Self {
        let element = rule.0.element;
        Self {
            kind: ADAM,
            beta2: element.beta2,
            second_weight: element.second_weight,
            root_correction: element.root_correction.value(),
            epsilon: element.epsilon,
            step_size: element.step_size,
            ..Self::decaying(&rule.0).first(element.first)
        }
    }

    /// Those of Adamax.
    pub fn adamax(rule: &Adamax<F>) -> Self {
        let element = rule.0.element;
        Self {
            kind: ADAMAX,
            beta2: element.beta2,
            epsilon: element.epsilon,
            step_size: element.step_size,
            ..Self::decaying(&rule.0).first(element.first)
        }
    }

    /// Those of the released AdamW.
    pub fn released_adamw(rule: &ReleasedAdamW<F>) -> Self {
        Self {
            kind: RELEASED_ADAMW,
            second_weight: rule.second_weight,
            decayed: rule.decayed,
            ..Self::released(&rule.shared)
        }
    }

    /// Those of the released Adamax.
    pub fn released_adamax(rule: &ReleasedAdamax<F>) -> Self {
        Self { kind: RELEASED_ADAMAX, decayed: rule.weight_decay, ..Self::released(&rule.shared) }
    }

    /// What is done about sensitivity. Fits a kernel that keeps E, or with [`Sensing::Off`] one that does not.
    pub fn sensing(self, sensing: Sensing<'_, F>) -> Self {
        match sensing {
            Sensing::Off => Self { sensing: OFF, ..self },
            Sensing::Watch(sage) => Self { sensing: WATCH, ..self.sage(sage) },
            Sensing::Modulate(sage, _) if self.decay == OWN => Self { sensing: RELEASED, ..self.sage(sage) },
            Sensing::Modulate(sage, Modulation::Sage) => Self { sensing: SAGE, ..self.sage(sage) },
            Sensing::Modulate(sage, modulation) => {
                let AblationRate { variation, average, divisor } = AblationRate::new(modulation);
                Self { sensing: ABLATION, variation, average, divisor, ..self.sage(sage) }
            }
        }
    }

    /// How the parameters' average follows where a tensor has one: `None` sets it to the parameter, as a first step does.
    pub fn averaging(self, average: Option<&Average<F>>) -> Self {
        match average {
            None => Self { average_begins: 1, ..self },
            Some(Average(lerp)) => Self {
                average_begins: 0,
                average_weight: lerp.weight,
                average_from_value: lerp.from_value.into(),
                ..self
            },
        }
    }

    /// Seed and step of [`Noise`](crate::Noise); the parameter's number is in its [`Tensor`](crate::cuda::Tensor).
    pub fn noise(self, seed: u64, step: u64) -> Self {
        Self { seed, step, ..self }
    }

    /// What keeps a kernel from taking these for a tensor, if anything does.
    pub(crate) fn misfit(&self, variant: Variant, tensor: &Tensor) -> Option<&'static str> {
        let family = match self.kind {
            ADAM => Family::Adam,
            ADAMAX => Family::Adamax,
            RELEASED_ADAMW => Family::ReleasedAdamW,
            RELEASED_ADAMAX => Family::ReleasedAdamax,
            _ => Family::Sgd,
        };
        let buffered = self.kind == MOMENTUM || self.kind == NESTEROV;
        match (self.sensing == OFF, variant.kept == Kept::Off) {
            _ if family != variant.family => Some("its group's constants are of another rule"),
            _ if buffered && tensor.first == 0 => Some("its group has momentum, hence it needs its first"),
            (true, false) => Some("its group's constants do not say what is done about sensitivity"),
            (false, true) => Some("its group senses, which this kernel does not"),
            _ => None,
        }
    }

    fn decaying<E>(rule: &Decaying<F, E>) -> Self {
        let decay = match rule.decay {
            Decay::Coupled => COUPLED,
            Decay::Decoupled => DECOUPLED,
            Decay::Modulated => MODULATED,
        };
        Self { factor: rule.factor, amount: rule.amount, decay, ..Self::default() }
    }

    fn released(shared: &Shared<F>) -> Self {
        let base = Self { factor: shared.factor, decay: OWN, ..Self::default() };
        Self {
            beta2: shared.beta2,
            epsilon: shared.epsilon,
            step_size: shared.step_size,
            ..base.first(shared.first)
        }
    }

    fn first(self, lerp: Lerp<F>) -> Self {
        Self { first_weight: lerp.weight, first_from_value: lerp.from_value.into(), ..self }
    }

    fn sage(self, sage: &Sage<F>) -> Self {
        Self {
            beta0: sage.beta0,
            weight: sage.weight,
            correction: sage.correction,
            sage_epsilon: sage.epsilon,
            scaled_epsilon: sage.scaled_epsilon,
            ceiling: sage.ceiling,
            ..self
        }
    }
}
