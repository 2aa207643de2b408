//! The optimizer: parameters and gradients in, parameters updated in place.

use crate::arena::Arena;
use crate::error::{OptimError, Result};
use crate::executor::Executor;
use crate::gradient::{Gradients, Unscale};
use crate::loss_scale::{LossScale, LossScaleState};
use crate::memory::Allocate;
use crate::options::{NonFinite, OptimizerOptions};
use crate::parameter::ParameterInfo;
use crate::progress::Progress;
use crate::report::{Seen, SensitivityReport, sample_positions};
use crate::resolved::{Asked, Resolved};
use crate::rule::Now;
use crate::spec::OptimizerSpec;
use crate::tile::Arrays;
use crate::update::{self, How, Piece};
use sagetrain_kernels::{Isa, Stored};

/// An optimizer over a fixed list of parameters that somebody else owns. `S` is their type and that of the gradients; what is computed in,
/// and states are kept in, is `S::Compute`.
pub struct Optimizer<S: Stored = f32> {
    pub(crate) resolved: Resolved<S>,
    pub(crate) progress: Progress<S::Compute>,
    pub(crate) arena: Arena<S>,
    positions: Vec<Vec<usize>>,
    pub(crate) report: Option<SensitivityReport>,
    isa: Isa,
}

/// What differs from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepInputs {
    /// Multiplies the learning rate in place of the schedule in the options. Default: what the schedule says.
    pub multiplier: Option<f64>,
    /// What the gradients are divided by: tokens or samples. Default 1.
    pub divisor: f64,
    /// What the loss was multiplied with. Default 1, or the dynamic scale where the options ask for one.
    pub loss_scale: Option<f64>,
}

impl Default for StepInputs {
    fn default() -> Self {
        Self { multiplier: None, divisor: 1.0, loss_scale: None }
    }
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Steps taken so far, this one included if it was.
    pub step: u64,
    /// Global L2 norm after un-scaling and division, before clipping; `None` where neither clipping nor the check ran.
    pub gradient_norm: Option<f64>,
    /// Whether a non-finite gradient kept the step from being taken.
    pub skipped: bool,
    /// Learning rate × multiplier of this step, for parameters whose group has no rate of its own.
    pub lr: f64,
}

impl<S: Stored> Optimizer<S> {
    /// An optimizer at step 0, its states zero.
    ///
    /// # Errors
    /// `ERR_CONFIG`, `ERR_SCOPE_EMPTY`, `ERR_ARGUMENT` (two parameters of one name), or the allocator's.
    pub fn new(
        spec: &OptimizerSpec,
        parameters: &[ParameterInfo],
        options: &OptimizerOptions,
        allocate: &dyn Allocate<S::Compute>,
    ) -> Result<Self> {
        let resolved = Resolved::new(spec, parameters, options)?;
        let samples = resolved.spec.observe().is_some();
        Ok(Self {
            positions: if samples { sample_positions(parameters) } else { Vec::new() },
            progress: Progress::new(&resolved.options, parameters.len())?,
            arena: Arena::new(resolved.layout.clone(), allocate)?,
            report: None,
            isa: Isa::best(),
            resolved,
        })
    }

    /// Takes one step, in place. A gradient that is `None` leaves its parameter and states untouched, decay included.
    ///
    /// # Errors
    /// `ERR_SHAPE` or `ERR_ARGUMENT` for what does not fit, `ERR_NON_FINITE` as the policy says. Nothing has changed then.
    pub fn step(
        &mut self,
        parameters: &mut [&mut [S]],
        gradients: &[Option<&[S]>],
        inputs: StepInputs,
        executor: &dyn Executor,
    ) -> Result<StepReport> {
        self.check(parameters, gradients)?;
        let Asked { unscale, multiplier } = self.resolved.asked(&self.progress, inputs)?;
        let read = self.read(gradients, unscale, executor);
        let mut report = StepReport {
            step: self.progress.step,
            gradient_norm: read.norm,
            skipped: false,
            lr: self.spec().lr() * multiplier,
        };
        match self.bad(&read, gradients) {
            None => self.progress.step += 1,
            Some(_) if self.options().non_finite == NonFinite::Skip => {
                self.progress.follow(true)?;
                report.skipped = true;
                return Ok(report);
            }
            Some(error) => return Err(error),
        }
        report.step = self.progress.step;
        self.update(parameters, gradients, multiplier, read.factor, executor);
        self.progress.follow(false)?;
        Ok(report)
    }

    /// What the schedule multiplies the next step's rate with.
    ///
    /// # Errors
    /// Those of a schedule without the total it is stretched over.
    pub fn next_multiplier(&self) -> Result<f64> {
        self.resolved.multiplier(self.progress.step + 1, None)
    }

    /// Steps taken.
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// Names of the parameters whose rate is modulated, in their order.
    pub fn resolved_scope(&self) -> &[String] {
        &self.resolved.scope
    }

    /// The spec it was made from.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.resolved.spec
    }

    /// The parameters it was made for.
    pub fn parameters(&self) -> &[ParameterInfo] {
        &self.resolved.parameters
    }

    /// Its options, defaults filled in.
    pub fn options(&self) -> &OptimizerOptions {
        &self.resolved.options
    }

    /// What to multiply the next step's loss with: the dynamic scale, 1 without one.
    pub fn loss_scale(&self) -> f64 {
        self.progress.loss_scale.as_ref().map_or(1.0, LossScale::scale)
    }

    /// Where dynamic loss scaling stands; `None` without it.
    pub fn loss_scale_state(&self) -> Option<LossScaleState> {
        self.progress.loss_scale.as_ref().map(LossScale::state)
    }

    /// What the last step taken saw, if `observe` was due then.
    pub fn sensitivity(&self) -> Option<&SensitivityReport> {
        self.report.as_ref()
    }

    fn check(&self, parameters: &[&mut [S]], gradients: &[Option<&[S]>]) -> Result<()> {
        self.resolved.check_counts(parameters.len(), gradients.len())?;
        for ((info, parameter), gradient) in self.parameters().iter().zip(parameters).zip(gradients) {
            info.check_length("parameter", parameter.len())?;
            gradient.map_or(Ok(()), |gradient| info.check_length("gradient", gradient.len()))?;
        }
        Ok(())
    }

    fn read(&self, gradients: &[Option<&[S]>], unscale: Unscale, executor: &dyn Executor) -> Gradients {
        match self.resolved.reads() {
            false => Gradients::unread(unscale),
            true => {
                let max_norm = self.options().max_gradient_norm;
                Gradients::read(self.isa, gradients, unscale, max_norm, executor)
            }
        }
    }

    fn bad(&self, read: &Gradients, gradients: &[Option<&[S]>]) -> Option<OptimError> {
        match self.options().non_finite {
            NonFinite::Unchecked => None,
            _ => read.first_bad(self.parameters(), gradients, self.progress.step + 1),
        }
    }

    /// The pass itself.
    fn update(
        &mut self,
        parameters: &mut [&mut [S]],
        gradients: &[Option<&[S]>],
        multiplier: f64,
        factor: f64,
        executor: &dyn Executor,
    ) {
        let (resolved, step) = (&self.resolved, self.progress.step);
        let due = resolved.spec.observe().is_some_and(|observe| step.is_multiple_of(observe.every));
        let rules = resolved.rules(Now { step, multiplier, factor });
        let mut pieces = Vec::new();
        let arrays = parameters.iter_mut().zip(gradients).zip(self.arena.split_mut());
        for (index, ((parameter, gradient), states)) in arrays.enumerate() {
            let averager = self.progress.averaging.as_ref().map(|averaging| averaging.of(index));
            let rule = gradient.map(|_| &rules[resolved.group_of[index]]);
            if rule.is_none() && averager.is_none() {
                continue;
            }
            let noise = resolved.keeping.noise(step, resolved.noise_numbers[index]);
            let how = How { rule, averager, keeping: resolved.keeping, noise };
            let arrays = Arrays { parameter, gradient: gradient.unwrap_or_default(), states };
            let positions = due.then(|| self.positions[index].as_slice());
            update::cut(index, arrays, how, positions, &mut pieces);
        }
        update::run(self.isa, &mut pieces, executor);
        self.report = due.then(|| report(step, &resolved.parameters, pieces));
        if let Some(averaging) = &mut self.progress.averaging {
            averaging.begin();
        }
    }
}

impl Optimizer<f32> {
    /// Exchanges every parameter with its average, where one has begun; a second call puts both back, to the bit.
    ///
    /// # Errors
    /// `ERR_SHAPE` for what does not fit. Nothing has changed then.
    pub fn swap_averages(&mut self, parameters: &mut [&mut [f32]]) -> Result<()> {
        self.check(parameters, &vec![None; parameters.len()])?;
        let Some(averaging) = &self.progress.averaging else { return Ok(()) };
        for (index, (parameter, states)) in parameters.iter_mut().zip(self.arena.split_mut()).enumerate() {
            if averaging.has_begun(index) {
                parameter.swap_with_slice(states.average);
            }
        }
        Ok(())
    }
}

/// What the pieces saw, put together in their order.
fn report<S: Stored>(
    step: u64,
    parameters: &[ParameterInfo],
    pieces: Vec<Piece<'_, S>>,
) -> SensitivityReport {
    let mut tensors: Vec<(usize, Seen)> = Vec::new();
    for piece in pieces {
        let index = piece.parameter;
        let Some(seen) = piece.seen() else { continue };
        match tensors.last_mut() {
            Some((last, tensor)) if *last == index => tensor.merge(seen),
            _ => tensors.push((index, seen)),
        }
    }
    let tensors = tensors.into_iter().map(|(index, seen)| seen.finish(&parameters[index].name));
    SensitivityReport { step, tensors: tensors.collect() }
}
