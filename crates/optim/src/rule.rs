//! The constants of one step, per group: which kernel runs, with what.

use crate::group::{Group, Sense};
use crate::spec::OptimizerSpec;
use sagetrain_kernels::{Adam, AdamStep, Block, Float, Isa, Modulation, Probe, Sage, Sensing};

/// One group's kernel for one step.
pub(crate) struct Rule<F> {
    base: Base<F>,
    sage: Option<(Sage<F>, Option<Modulation>)>,
}

/// The base optimizers.
enum Base<F> {
    Adam(Adam<F>),
}

impl<F: Float> Rule<F> {
    /// `step` counts from 1, `multiplier` is the schedule's, `factor` what every raw gradient is multiplied with.
    pub fn new(spec: &OptimizerSpec, group: &Group, step: u64, multiplier: f64, factor: f64) -> Self {
        let sage = match group.sense {
            Sense::Off => None,
            Sense::Watch { beta0, epsilon } => Some((Sage::new(beta0, epsilon, step), None)),
            Sense::Modulate { beta0, epsilon, modulation } => {
                Some((Sage::new(beta0, epsilon, step), Some(modulation)))
            }
        };
        Self { base: Base::new(spec, group, step, multiplier, factor), sage }
    }

    /// Whether the pass keeps E.
    pub fn senses(&self) -> bool {
        self.sage.is_some()
    }

    /// One pass over one block.
    pub fn apply(&self, isa: Isa, block: Block<'_, F>, probe: Option<Probe<'_, F>>) {
        let sensing = match &self.sage {
            None => Sensing::Off,
            Some((sage, None)) => Sensing::Watch(sage),
            Some((sage, Some(modulation))) => Sensing::Modulate(sage, *modulation),
        };
        match &self.base {
            Base::Adam(adam) => adam.apply(isa, sensing, block, probe),
        }
    }
}

impl<F: Float> Base<F> {
    fn new(spec: &OptimizerSpec, group: &Group, step: u64, multiplier: f64, factor: f64) -> Self {
        let adam = spec.as_adam();
        Self::Adam(Adam::new(&AdamStep {
            rate: group.lr * multiplier,
            betas: adam.betas,
            epsilon: adam.eps,
            decay: adam.decay,
            weight_decay: group.weight_decay,
            gradient_factor: factor,
            step,
        }))
    }
}
