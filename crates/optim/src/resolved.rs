//! What spec and options come to for a list of parameters: the same for arrays of this process and of a device.

use crate::error::{OptimError, Result};
use crate::gradient::Unscale;
use crate::group::{self, Group, Groups};
use crate::layout::{Kept, Layout};
use crate::optimizer::StepInputs;
use crate::options::{NonFinite, OptimizerOptions};
use crate::parameter::{ParameterInfo, check_names};
use crate::precision::{Keeping, SensitivityDtype, noise_number};
use crate::progress::Progress;
use crate::rule::{Now, Rule};
use crate::spec::OptimizerSpec;
use sagetrain_kernels::{Float, Stored};
use serde::Serialize;
use serde_json::Value;

/// What does not change from step to step.
pub(crate) struct Resolved<S: Stored> {
    pub spec: OptimizerSpec,
    pub options: OptimizerOptions,
    pub parameters: Vec<ParameterInfo>,
    pub groups: Vec<Group>,
    /// Each parameter's group.
    pub group_of: Vec<usize>,
    /// Names of the parameters whose rate is modulated.
    pub scope: Vec<String>,
    /// Each parameter's number in the noise.
    pub noise_numbers: Vec<u32>,
    pub keeping: Keeping,
    pub layout: Layout<S>,
}

/// What a step is asked for, checked.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub multiplier: f64,
    pub unscale: Unscale,
}

impl<S: Stored> Resolved<S> {
    pub fn new(
        spec: &OptimizerSpec,
        parameters: &[ParameterInfo],
        options: &OptimizerOptions,
    ) -> Result<Self> {
        check_names(parameters)?;
        // What was made in Rust is held to what may be written in JSON: one place says what is possible.
        let spec = OptimizerSpec::from_json(&as_json(spec)?, "optimizer")?;
        let options = OptimizerOptions::from_json(&as_json(options)?, "")?;
        check_epsilons::<S::Compute>(&spec)?;
        let Groups { groups, of, in_scope } = group::resolve(&spec, &options, parameters)?;
        let keeping = Keeping::of::<S>(options.rounding, options.seed.unwrap_or(0))?;
        let brief = brief_sensitivity::<S>(&options, groups.iter().any(|group| group.sense.keeps()))?;
        let kept = Kept { base: spec.states(), brief, keeping, averages: options.average.is_some() };
        let layout = Layout::new(parameters, kept, |parameter| groups[of[parameter]].sense.keeps());
        let scope = parameters.iter().zip(in_scope).filter(|(_, inside)| *inside);
        Ok(Self {
            scope: scope.map(|(parameter, _)| parameter.name.clone()).collect(),
            noise_numbers: parameters.iter().map(|parameter| noise_number(&parameter.name)).collect(),
            parameters: parameters.to_vec(),
            group_of: of,
            keeping,
            layout,
            spec,
            options,
            groups,
        })
    }

    /// As many parameters and gradients as there should be.
    pub fn check_counts(&self, parameters: usize, gradients: usize) -> Result<()> {
        for (argument, found) in [("parameters", parameters), ("gradients", gradients)] {
            if found != self.parameters.len() {
                let problem =
                    format!("there are {found}, the optimizer has {} parameters", self.parameters.len());
                return Err(OptimError::Argument { argument, problem });
            }
        }
        Ok(())
    }

    /// What the coming step is asked for.
    pub fn asked(&self, progress: &Progress<S::Compute>, inputs: StepInputs) -> Result<Asked> {
        let unscale = match Unscale::new::<S::Compute>(inputs.divisor, progress.scale_of(inputs.loss_scale)?)
        {
            // A dynamic scale that has grown beyond what can be divided out again is found to be too large, as any other is.
            Err(_) if progress.loss_scale.is_some() => {
                Unscale::new::<S::Compute>(inputs.divisor, 1.0)?;
                Unscale::OVERFLOW
            }
            unscale => unscale?,
        };
        Ok(Asked { unscale, multiplier: self.multiplier(progress.step + 1, inputs.multiplier)? })
    }

    /// Whether gradients are read before the step: for clipping, or to see that they are finite.
    pub fn reads(&self) -> bool {
        self.options.max_gradient_norm.is_some() || self.options.non_finite != NonFinite::Unchecked
    }

    /// What each group does in a step.
    pub fn rules(&self, now: Now) -> Vec<Rule<S::Compute>> {
        self.groups.iter().map(|group| Rule::new(&self.spec, group, now)).collect()
    }

    /// The caller's multiplier, or the schedule's of that step.
    pub fn multiplier(&self, step: u64, given: Option<f64>) -> Result<f64> {
        match given {
            None => {
                let index = self.spec.schedule_index(step);
                self.options.schedule.multiplier(index, self.options.total_steps)
            }
            Some(multiplier) if multiplier >= 0.0 && multiplier.is_finite() => Ok(multiplier),
            Some(multiplier) => {
                let problem = format!("is {multiplier}, must be a finite number of at least 0");
                Err(OptimError::Argument { argument: "multiplier", problem })
            }
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
