//! The optimizer of a device: everything but the arrays.

use crate::cuda::error::{DeviceError, Result};
use crate::cuda::step::{DeviceStep, numbers};
use crate::cuda::tables::{Addresses, Tables};
use crate::error::OptimError;
use crate::layout::Slot;
use crate::loss_scale::{LossScale, LossScaleState};
use crate::optimizer::{StepInputs, StepReport};
use crate::options::{NonFinite, OptimizerOptions};
use crate::parameter::ParameterInfo;
use crate::progress::Progress;
use crate::resolved::Resolved;
use crate::spec::OptimizerSpec;
use crate::state_file::StateOrigin;
use sagetrain_kernels::Stored;
use sagetrain_kernels::cuda::Verdict;

/// As [`Optimizer`](crate::Optimizer), of the same spec and options, for arrays that a device has. `S` is the type of parameters and
/// gradients.
///
/// ```
/// use sagetrain_optim::cuda::{Addresses, DeviceOptimizer};
/// use sagetrain_optim::{OptimizerOptions, OptimizerSpec, ParameterInfo, SageSpec, StepInputs};
///
/// let spec = OptimizerSpec::adam(1e-3).with_sage(SageSpec::default());
/// let parameters = [ParameterInfo::new("weight", [2, 2]), ParameterInfo::new("bias", [2])];
/// let mut optimizer = DeviceOptimizer::<f32>::new(&spec, &parameters, &OptimizerOptions::default())?;
/// let gradients = [Some(0x3000), Some(0x4000)];
/// let addresses = Addresses { parameters: &[0x1000, 0x2000], gradients: &gradients, arena: 0x5000 };
/// let step = optimizer.prepare(&addresses, StepInputs::default())?;
/// // Upload `optimizer.tables()`, queue squares, judge and the launches; then
/// let report = optimizer.finish(&step, None)?;
/// assert_eq!((report.step, optimizer.tables().plans().count()), (1, 1));
/// # Ok::<(), sagetrain_optim::cuda::DeviceError>(())
/// ```
pub struct DeviceOptimizer<S: Stored> {
    pub(crate) resolved: Resolved<S>,
    pub(crate) progress: Progress<S::Compute>,
    pub(crate) slots: Vec<Vec<Slot>>,
    tables: Tables,
    /// The step at which the verdict was last cleared.
    pub(crate) since: u64,
    /// Where training stood before the last step in which an average began.
    pub(crate) before: Option<Progress<S::Compute>>,
}

impl<S: Stored> DeviceOptimizer<S> {
    /// An optimizer at step 0.
    ///
    /// # Errors
    /// Those of [`Optimizer::new`](crate::Optimizer::new), and `ERR_CONFIG` for `observe`, which a device does not report yet.
    pub fn new(
        spec: &OptimizerSpec,
        parameters: &[ParameterInfo],
        options: &OptimizerOptions,
    ) -> crate::Result<Self> {
        let resolved = Resolved::new(spec, parameters, options)?;
        if resolved.spec.observe().is_some() {
            let problem = "is not reported from a device yet: leave it out, or train on the CPU";
            return Err(OptimError::config("optimizer.observe", problem));
        }
        Ok(Self {
            progress: Progress::new(&resolved.options, parameters.len())?,
            slots: resolved.layout.slots(),
            tables: Tables::default(),
            since: 0,
            before: None,
            resolved,
        })
    }

    /// What the coming step launches with; [`tables`](Self::tables) are brought up to date. Nothing has moved on yet.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` for what does not fit, and for a parameter that has an average and no gradient: a device's averages follow with
    /// the step alone.
    pub fn prepare(
        &mut self,
        addresses: &Addresses<'_>,
        inputs: StepInputs,
    ) -> Result<DeviceStep<S::Compute>> {
        self.resolved.check_counts(addresses.parameters.len(), addresses.gradients.len())?;
        let asked = self.resolved.asked(&self.progress, inputs)?;
        self.check_averages(addresses)?;
        let begins = self.begins();
        self.tables.update(&self.resolved, &self.slots, addresses, begins)?;
        Ok(numbers(&self.resolved, &self.progress, &self.tables, asked, self.since))
    }

    /// The tables of the last [`prepare`](Self::prepare).
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Whether [`finish`](Self::finish) needs the verdict of every step.
    pub fn waits(&self) -> bool {
        self.resolved.options.non_finite == NonFinite::Skip
    }

    /// Moves on after the step's launches are queued. `verdict` is what they left, where it was read.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` where a verdict is needed and none is given; `ERR_NON_FINITE` where the policy is `error` and the verdict says so
    /// (then t is set back, as in [`check`](Self::check)), or the loss scale has fallen to nothing.
    pub fn finish(&mut self, step: &DeviceStep<S::Compute>, verdict: Option<&Verdict>) -> Result<StepReport> {
        let skipped = match verdict {
            None if self.waits() => {
                let problem = "is needed after every step under nonFinite 'skip'".to_owned();
                return Err(OptimError::Argument { argument: "verdict", problem }.into());
            }
            verdict => self.waits() && verdict.is_some_and(|verdict| verdict.skip != 0),
        };
        self.progress.follow(skipped)?;
        if !skipped {
            self.advance(step.step);
        }
        if let Some(verdict) = verdict.filter(|_| !skipped) {
            self.check(verdict)?;
        }
        let gradient_norm = verdict.map(|verdict| verdict.norm);
        Ok(StepReport { step: self.progress.step, gradient_norm, skipped, lr: step.lr })
    }

    /// Looks at a verdict that was read after any number of steps.
    ///
    /// # Errors
    /// `ERR_NON_FINITE` where the policy is `error` and a step since the last look was not taken. t is set back to the last that was; the
    /// verdict on the device must be made zeros before the next step.
    pub fn check(&mut self, verdict: &Verdict) -> Result<()> {
        if self.resolved.options.non_finite != NonFinite::Error || verdict.skip == 0 {
            return Ok(());
        }
        let step = self.since + u64::from(verdict.skip);
        if let Some(before) = self.before.take().filter(|before| before.step + 1 >= step) {
            self.progress.averaging = before.averaging;
        }
        (self.progress.step, self.since) = (step - 1, step - 1);
        Err(DeviceError::NonFinite { step })
    }

    /// A step was taken, or will turn out not to have been.
    fn advance(&mut self, step: u64) {
        if self.begins().contains(&true) {
            self.before = Some(self.progress.clone());
        }
        self.progress.step = step;
        if let Some(averaging) = &mut self.progress.averaging {
            averaging.begin();
        }
    }

    /// Of which parameters an average is kept and has not begun.
    fn begins(&self) -> Vec<bool> {
        match &self.progress.averaging {
            None => vec![false; self.slots.len()],
            Some(averaging) => (0..self.slots.len()).map(|index| !averaging.has_begun(index)).collect(),
        }
    }

    fn check_averages(&self, addresses: &Addresses<'_>) -> crate::Result<()> {
        let mut all = self.resolved.parameters.iter().zip(addresses.gradients);
        let without = all.find(|(parameter, gradient)| gradient.is_none() && parameter.elements() > 0);
        match without.filter(|_| self.progress.averaging.is_some()) {
            None => Ok(()),
            Some((parameter, _)) => {
                let problem = format!(
                    "'{}' has none, and its average cannot follow on a device without: give zeros, or take it out of the optimizer",
                    parameter.name
                );
                Err(OptimError::Argument { argument: "gradients", problem })
            }
        }
    }

    /// What the schedule multiplies the next step's rate with.
    ///
    /// # Errors
    /// Those of a schedule without the total it is stretched over.
    pub fn next_multiplier(&self) -> crate::Result<f64> {
        self.resolved.multiplier(self.progress.step + 1, None)
    }

    /// What the states were made by.
    pub fn origin(&self) -> StateOrigin {
        StateOrigin {
            step: self.step_count(),
            spec: self.spec().clone(),
            options: self.options().clone(),
            scope: self.resolved_scope().to_vec(),
            loss_scale: self.loss_scale_state(),
        }
    }

    /// Steps taken; under `error` as far as the host knows.
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// The parameters it was made for.
    pub fn parameters(&self) -> &[ParameterInfo] {
        &self.resolved.parameters
    }

    /// The spec it was made from.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.resolved.spec
    }

    /// Its options, defaults filled in.
    pub fn options(&self) -> &OptimizerOptions {
        &self.resolved.options
    }

    /// Names of the parameters whose rate is modulated, in their order.
    pub fn resolved_scope(&self) -> &[String] {
        &self.resolved.scope
    }

    /// What to multiply the next step's loss with: the dynamic scale, 1 without one.
    pub fn loss_scale(&self) -> f64 {
        self.progress.loss_scale.as_ref().map_or(1.0, LossScale::scale)
    }

    /// Where dynamic loss scaling stands; `None` without it.
    pub fn loss_scale_state(&self) -> Option<LossScaleState> {
        self.progress.loss_scale.as_ref().map(LossScale::state)
    }
}
