//! The optimizer: parameters and gradients in, parameters updated in place.

use crate::arena::{Arena, Kept};
use crate::average::Averaging;
use crate::error::{OptimError, Result};
use crate::executor::Executor;
use crate::gradient::{Gradients, Unscale};
use crate::group::{self, Group, Groups};
use crate::loss_scale::{LossScale, LossScaleState};
use crate::memory::Allocate;
use crate::options::{NonFinite, OptimizerOptions};
use crate::parameter::{ParameterInfo, check_names};
use crate::precision::{Keeping, SensitivityDtype, noise_number};
use crate::report::{Seen, SensitivityReport, sample_positions};
use crate::rule::{Now, Rule};
use crate::spec::OptimizerSpec;
use crate::tile::Arrays;
use crate::update::{self, How, Piece};
use sagetrain_kernels::{Float, Isa, Stored};
use serde::Serialize;
use serde_json::Value;

/// An optimizer over a fixed list of parameters that somebody else owns. `S` is their type and that of the gradients; what is computed in,
/// and states are kept in, is `S::Compute`.
pub struct Optimizer<S: Stored = f32> {
    pub(crate) spec: OptimizerSpec,
    pub(crate) parameters: Vec<ParameterInfo>,
    pub(crate) arena: Arena<S>,
    pub(crate) step: u64,
    options: OptimizerOptions,
    groups: Vec<Group>,
    group_of: Vec<usize>,
    scope: Vec<String>,
    positions: Vec<Vec<usize>>,
    noise_numbers: Vec<u32>,
    pub(crate) averaging: Option<Averaging<S::Compute>>,
    keeping: Keeping,
    pub(crate) loss_scale: Option<LossScale>,
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
        check_names(parameters)?;
        // What was made in Rust is held to what may be written in JSON: one place says what is possible.
        let spec = OptimizerSpec::from_json(&as_json(spec)?, "optimizer")?;
        let options = OptimizerOptions::from_json(&as_json(options)?, "")?;
        check_epsilons::<S::Compute>(&spec)?;
        let Groups { groups, of, in_scope } = group::resolve(&spec, &options, parameters)?;
        let keeps = |parameter: usize| groups[of[parameter]].sense.keeps();
        let keeping = Keeping::of::<S>(options.rounding, options.seed.unwrap_or(0))?;
        let brief = brief_sensitivity::<S>(&options, groups.iter().any(|group| group.sense.keeps()))?;
        let kept = Kept { base: spec.states(), brief, keeping, averages: options.average.is_some() };
        let arena = Arena::new(parameters, kept, keeps, allocate)?;
        let scope = parameters.iter().zip(in_scope).filter(|(_, inside)| *inside);
        Ok(Self {
            scope: scope.map(|(parameter, _)| parameter.name.clone()).collect(),
            positions: if spec.observe().is_some() { sample_positions(parameters) } else { Vec::new() },
            noise_numbers: parameters.iter().map(|parameter| noise_number(&parameter.name)).collect(),
            averaging: options.average.map(|average| Averaging::new(average.decay, parameters.len())),
            parameters: parameters.to_vec(),
            keeping,
            loss_scale: options.loss_scale.map(LossScale::new).transpose()?,
            group_of: of,
            step: 0,
            report: None,
            isa: Isa::best(),
            spec,
            options,
            arena,
            groups,
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
        let multiplier = self.multiplier(inputs.multiplier)?;
        let lr = self.spec.lr() * multiplier;
        let mut report = StepReport { step: self.step, gradient_norm: None, skipped: false, lr };
        let Some(unscale) = self.unscale(inputs)? else {
            self.follow(true)?;
            report.skipped = true;
            return Ok(report);
        };
        let read = self.read(gradients, unscale, executor);
        report.gradient_norm = read.norm;
        match self.bad(&read, gradients) {
            None => self.step += 1,
            Some(_) if self.options.non_finite == NonFinite::Skip => {
                self.follow(true)?;
                report.skipped = true;
                return Ok(report);
            }
            Some(error) => return Err(error),
        }
        report.step = self.step;
        self.update(parameters, gradients, multiplier, read.factor, executor);
        self.follow(false)?;
        Ok(report)
    }

    /// Steps taken.
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// Names of the parameters whose rate is modulated, in their order.
    pub fn resolved_scope(&self) -> &[String] {
        &self.scope
    }

    /// The spec it was made from.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// The parameters it was made for.
    pub fn parameters(&self) -> &[ParameterInfo] {
        &self.parameters
    }

    /// Its options, defaults filled in.
    pub fn options(&self) -> &OptimizerOptions {
        &self.options
    }

    /// What to multiply the next step's loss with: the dynamic scale, 1 without one.
    pub fn loss_scale(&self) -> f64 {
        self.loss_scale.as_ref().map_or(1.0, LossScale::scale)
    }

    /// Where dynamic loss scaling stands; `None` without it.
    pub fn loss_scale_state(&self) -> Option<LossScaleState> {
        self.loss_scale.as_ref().map(LossScale::state)
    }

    /// What the last step taken saw, if `observe` was due then.
    pub fn sensitivity(&self) -> Option<&SensitivityReport> {
        self.report.as_ref()
    }

    fn check(&self, parameters: &[&mut [S]], gradients: &[Option<&[S]>]) -> Result<()> {
        for (argument, found) in [("parameters", parameters.len()), ("gradients", gradients.len())] {
            if found != self.parameters.len() {
                let problem =
                    format!("there are {found}, the optimizer has {} parameters", self.parameters.len());
                return Err(OptimError::Argument { argument, problem });
            }
        }
        for ((info, parameter), gradient) in self.parameters.iter().zip(parameters).zip(gradients) {
            info.check_length("parameter", parameter.len())?;
            gradient.map_or(Ok(()), |gradient| info.check_length("gradient", gradient.len()))?;
        }
        Ok(())
    }

    /// The caller's loss scale, or the dynamic one.
    fn scale_of(&self, inputs: StepInputs) -> Result<f64> {
        match (&self.loss_scale, inputs.loss_scale) {
            (Some(_), Some(_)) => {
                let problem =
                    "is dynamic here: multiply the loss with the optimizer's, and leave it out".to_owned();
                Err(OptimError::Argument { argument: "lossScale", problem })
            }
            (None, given) => Ok(given.unwrap_or(1.0)),
            (Some(scale), None) => Ok(scale.scale()),
        }
    }

    /// What gradients are divided by; `None` where a dynamic loss scale has grown beyond what can be divided out again, which counts as a
    /// gradient that is not finite.
    fn unscale(&self, inputs: StepInputs) -> Result<Option<Unscale>> {
        let scaled = Unscale::new::<S::Compute>(inputs.divisor, self.scale_of(inputs)?);
        if scaled.is_err() && self.loss_scale.is_some() {
            return Unscale::new::<S::Compute>(inputs.divisor, 1.0).map(|_| None);
        }
        scaled.map(Some)
    }

    /// Lets a dynamic loss scale follow a step.
    fn follow(&mut self, found_non_finite: bool) -> Result<()> {
        self.loss_scale.as_mut().map_or(Ok(()), |scale| scale.update(found_non_finite))
    }

    /// The caller's multiplier, or the schedule's of the coming step.
    fn multiplier(&self, given: Option<f64>) -> Result<f64> {
        match given {
            None => {
                let index = self.spec.schedule_index(self.step + 1);
                self.options.schedule.multiplier(index, self.options.total_steps)
            }
            Some(multiplier) if multiplier >= 0.0 && multiplier.is_finite() => Ok(multiplier),
            Some(multiplier) => {
                let problem = format!("is {multiplier}, must be a finite number of at least 0");
                Err(OptimError::Argument { argument: "multiplier", problem })
            }
        }
    }

    fn read(&self, gradients: &[Option<&[S]>], unscale: Unscale, executor: &dyn Executor) -> Gradients {
        let max_norm = self.options.max_gradient_norm;
        match (max_norm, self.options.non_finite) {
            (None, NonFinite::Unchecked) => Gradients::unread(unscale),
            _ => Gradients::read(self.isa, gradients, unscale, max_norm, executor),
        }
    }

    fn bad(&self, read: &Gradients, gradients: &[Option<&[S]>]) -> Option<OptimError> {
        match self.options.non_finite {
            NonFinite::Unchecked => None,
            _ => read.first_bad(&self.parameters, gradients, self.step + 1),
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
        let due = self.spec.observe().is_some_and(|observe| self.step.is_multiple_of(observe.every));
        let now = Now { step: self.step, multiplier, factor };
        let rules: Vec<Rule<S::Compute>> =
            self.groups.iter().map(|group| Rule::new(&self.spec, group, now)).collect();
        let mut pieces = Vec::new();
        let arrays = parameters.iter_mut().zip(gradients).zip(self.arena.split_mut());
        for (index, ((parameter, gradient), states)) in arrays.enumerate() {
            let averager = self.averaging.as_ref().map(|averaging| averaging.of(index));
            let rule = gradient.map(|_| &rules[self.group_of[index]]);
            if rule.is_none() && averager.is_none() {
                continue;
            }
            let noise = self.keeping.noise(self.step, self.noise_numbers[index]);
            let how = How { rule, averager, keeping: self.keeping, noise };
            let arrays = Arrays { parameter, gradient: gradient.unwrap_or_default(), states };
            let positions = due.then(|| self.positions[index].as_slice());
            update::cut(index, arrays, how, positions, &mut pieces);
        }
        update::run(self.isa, &mut pieces, executor);
        self.report = due.then(|| report(self.step, &self.parameters, pieces));
        if let Some(averaging) = &mut self.averaging {
            averaging.begin();
        }
    }
}

fn as_json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| OptimError::config("optimizer", error.to_string()))
}

/// Whether E is kept in half the size.
fn brief_sensitivity<S: Stored>(options: &OptimizerOptions, senses: bool) -> Result<bool> {
    let error = |problem: String| Err(OptimError::config("sensitivityDtype", problem));
    match options.sensitivity_dtype {
        SensitivityDtype::Float32 => Ok(false),
        SensitivityDtype::BFloat16 if !senses => error("has no effect without sage or observe".to_owned()),
        SensitivityDtype::BFloat16 if <S::Brief as Stored>::NARROW => Ok(true),
        SensitivityDtype::BFloat16 => error(format!("'bfloat16' is not of {} parameters", S::DTYPE)),
    }
}

/// An ε that vanishes in the parameters' type would let 0/0 through.
fn check_epsilons<F: Float>(spec: &OptimizerSpec) -> Result<()> {
    let least = F::MIN_POSITIVE.to_f64();
    match spec.epsilons().into_iter().find(|(_, epsilon)| *epsilon < least) {
        None => Ok(()),
        Some((key, _)) => {
            let problem = format!(
                "is too small for {}, where the least number of full precision is {least:e}",
                F::DTYPE
            );
            Err(OptimError::config(format!("optimizer.{key}"), problem))
        }
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
