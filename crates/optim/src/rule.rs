//! The constants of one step, per group: which kernel runs, with what.

use crate::group::{Group, Sense};
use crate::moments::MomentSpec;
use crate::sgd::SgdSpec;
use crate::spec::OptimizerSpec;
#[cfg(unix)]
use sagetrain_kernels::cuda::{Constants, Family};
use sagetrain_kernels::{
    Adam, AdamStep, Adamax, AdamaxStep, Block, Common, Decay, Float, Isa, Modulation, Probe, ReleasedAdamW,
    ReleasedAdamax, ReleasedStep, Sage, Sensing, Sgd, SgdStep, Sight, look,
};

/// One group's kernel for one step.
pub(crate) struct Rule<F> {
    base: Base<F>,
    sage: Option<(Sage<F>, Option<Modulation>)>,
    factor: F,
}

/// The base optimizers.
enum Base<F> {
    Sgd(Sgd<F>),
    Adam(Adam<F>),
    Adamax(Adamax<F>),
    ReleasedAdamW(ReleasedAdamW<F>),
    ReleasedAdamax(ReleasedAdamax<F>),
}

/// What a step is told.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    /// t, from 1.
    pub step: u64,
    /// The schedule's, or the caller's.
    pub multiplier: f64,
    /// What every raw gradient is multiplied with.
    pub factor: f64,
}

impl<F: Float> Rule<F> {
    pub fn new(spec: &OptimizerSpec, group: &Group, now: Now) -> Self {
        let constants = |beta0, epsilon| match spec.corrects() {
            true => Sage::new(beta0, epsilon, now.step),
            false => Sage::uncorrected(beta0, epsilon),
        };
        let sage = match group.sense {
            Sense::Off => None,
            Sense::Watch { beta0, epsilon } => Some((constants(beta0, epsilon), None)),
            Sense::Modulate { beta0, epsilon, modulation } => {
                Some((constants(beta0, epsilon), Some(modulation)))
            }
        };
        Self { base: Base::new(spec, group, now), sage, factor: F::from_f64(now.factor) }
    }

    /// The same for a device, without average and noise.
    #[cfg(unix)]
    pub fn constants(&self) -> Constants<F> {
        let constants = match &self.base {
            Base::Sgd(rule) => Constants::sgd(rule),
            Base::Adam(rule) => Constants::adam(rule),
            Base::Adamax(rule) => Constants::adamax(rule),
            Base::ReleasedAdamW(rule) => Constants::released_adamw(rule),
            Base::ReleasedAdamax(rule) => Constants::released_adamax(rule),
        };
        constants.sensing(self.sensing())
    }

    /// Whether the pass keeps E.
    pub fn senses(&self) -> bool {
        self.sage.is_some()
    }

    fn sensing(&self) -> Sensing<'_, F> {
        match &self.sage {
            None => Sensing::Off,
            Some((sage, None)) => Sensing::Watch(sage),
            Some((sage, Some(modulation))) => Sensing::Modulate(sage, *modulation),
        }
    }

    /// One pass over one block.
    pub fn apply(&self, isa: Isa, block: Block<'_, F>) {
        let sensing = self.sensing();
        match &self.base {
            Base::Sgd(rule) => rule.apply(isa, sensing, block),
            Base::Adam(rule) => rule.apply(isa, sensing, block),
            Base::Adamax(rule) => rule.apply(isa, sensing, block),
            Base::ReleasedAdamW(rule) => rule.apply(isa, sensing, block),
            Base::ReleasedAdamax(rule) => rule.apply(isa, sensing, block),
        }
    }

    /// What [`apply`](Self::apply) is about to see of the block.
    pub fn look(&self, isa: Isa, block: &Block<'_, F>, probe: Probe<'_, F>) {
        let sight = Sight {
            parameter: block.parameter,
            gradient: block.gradient,
            sensitivity: block.sensitivity,
            gradient_factor: self.factor,
        };
        look(isa, self.sensing(), sight, probe);
    }
}

impl<F: Float> Base<F> {
    fn new(spec: &OptimizerSpec, group: &Group, now: Now) -> Self {
        match spec {
            OptimizerSpec::Sgd(sgd) => Self::sgd(sgd, group, now),
            OptimizerSpec::Adam(moments) => Self::adam(moments, group, now),
            OptimizerSpec::AdamW(moments) if spec.released() => {
                Self::ReleasedAdamW(ReleasedAdamW::new(&released(moments, group, now)))
            }
            OptimizerSpec::AdamW(moments) => Self::adam(moments, group, now),
            OptimizerSpec::Adamax(moments) if spec.released() => {
                Self::ReleasedAdamax(ReleasedAdamax::new(&released(moments, group, now)))
            }
            OptimizerSpec::Adamax(moments) => Self::adamax(moments, group, now),
        }
    }

    fn sgd(spec: &SgdSpec, group: &Group, now: Now) -> Self {
        let &SgdSpec { momentum, nesterov, decay, .. } = spec;
        Self::Sgd(Sgd::new(&SgdStep { common: common(decay, group, now), momentum, nesterov }))
    }

    fn adam(spec: &MomentSpec, group: &Group, now: Now) -> Self {
        let &MomentSpec { betas, eps: epsilon, decay, .. } = spec;
        let common = common(decay.unwrap_or(Decay::Decoupled), group, now);
        Self::Adam(Adam::new(&AdamStep { common, betas, epsilon, step: now.step }))
    }

    fn adamax(spec: &MomentSpec, group: &Group, now: Now) -> Self {
        let &MomentSpec { betas, eps: epsilon, decay, .. } = spec;
        let common = common(decay.unwrap_or(Decay::Coupled), group, now);
        Self::Adamax(Adamax::new(&AdamaxStep { common, betas, epsilon, step: now.step }))
    }
}

/// Whose kernels a device runs for an optimizer.
#[cfg(unix)]
pub(crate) fn family(spec: &OptimizerSpec) -> Family {
    match spec {
        OptimizerSpec::Sgd(_) => Family::Sgd,
        OptimizerSpec::AdamW(_) if spec.released() => Family::ReleasedAdamW,
        OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_) => Family::Adam,
        OptimizerSpec::Adamax(_) if spec.released() => Family::ReleasedAdamax,
        OptimizerSpec::Adamax(_) => Family::Adamax,
    }
}

fn common(decay: Decay, group: &Group, now: Now) -> Common {
    let rate = group.lr * now.multiplier;
    Common { rate, decay, weight_decay: group.weight_decay, gradient_factor: now.factor }
}

fn released(spec: &MomentSpec, group: &Group, now: Now) -> ReleasedStep {
    ReleasedStep {
        base_rate: group.lr,
        multiplier: now.multiplier,
        weight_decay: group.weight_decay,
        gradient_factor: now.factor,
        betas: spec.betas,
        epsilon: spec.eps,
        step: now.step,
    }
}
