//! From spec, groups and scope to what holds for each parameter.

use crate::error::{OptimError, Result};
use crate::options::OptimizerOptions;
use crate::parameter::ParameterInfo;
use crate::sage::OBSERVED_BETA0;
use crate::spec::OptimizerSpec;
use sagetrain_kernels::Modulation;

/// Numbers that a set of parameters shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Group {
    pub lr: f64,
    pub weight_decay: f64,
    pub sense: Sense,
}

/// What is done about the sensitivity of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sense {
    Off,
    Watch { beta0: f64, epsilon: f64 },
    Modulate { beta0: f64, epsilon: f64, modulation: Modulation },
}

impl Sense {
    /// Whether E is kept.
    pub fn keeps(self) -> bool {
        self != Self::Off
    }
}

/// The groups there are, and each parameter's among them.
pub(crate) struct Groups {
    pub groups: Vec<Group>,
    pub of: Vec<usize>,
    /// For each parameter whether its rate is modulated.
    pub in_scope: Vec<bool>,
}

pub(crate) fn resolve(
    spec: &OptimizerSpec,
    options: &OptimizerOptions,
    parameters: &[ParameterInfo],
) -> Result<Groups> {
    let modulates = spec.sage().filter(|sage| sage.modulation.is_some());
    let in_scope = match modulates {
        Some(sage) => sage.scope.select(parameters, "sage.scope")?,
        None => vec![false; parameters.len()],
    };
    let member = membership(options, parameters)?;
    let mut resolved = Groups { groups: Vec::new(), of: Vec::with_capacity(parameters.len()), in_scope };
    for (member, in_scope) in member.iter().zip(&resolved.in_scope) {
        let group = group(spec, options, *member, *in_scope);
        let known = resolved.groups.iter().position(|known| *known == group);
        resolved.of.push(known.unwrap_or(resolved.groups.len()));
        if known.is_none() {
            resolved.groups.push(group);
        }
    }
    check_beta0(spec, options, &member, &resolved)?;
    Ok(resolved)
}

/// For each parameter the index of its group in the options.
fn membership(options: &OptimizerOptions, parameters: &[ParameterInfo]) -> Result<Vec<Option<usize>>> {
    let mut member = vec![None; parameters.len()];
    for (index, group) in options.groups.iter().enumerate() {
        let path = format!("groups[{index}]");
        let selected = group.selection.select(parameters, &path)?;
        for (parameter, _) in selected.iter().enumerate().filter(|(_, selected)| **selected) {
            if let Some(other) = member[parameter].replace(index) {
                let name = &parameters[parameter].name;
                let problem = format!("'{name}' is in groups[{other}] too; exclude it from one of them");
                return Err(OptimError::config(path, problem));
            }
        }
    }
    Ok(member)
}

fn group(spec: &OptimizerSpec, options: &OptimizerOptions, member: Option<usize>, in_scope: bool) -> Group {
    let special = member.map(|index| &options.groups[index]);
    Group {
        lr: special.and_then(|group| group.lr).unwrap_or(spec.lr()),
        weight_decay: special.and_then(|group| group.weight_decay).unwrap_or(spec.weight_decay()),
        sense: sense(spec, special.and_then(|group| group.beta0), in_scope),
    }
}

fn sense(spec: &OptimizerSpec, beta0: Option<f64>, in_scope: bool) -> Sense {
    let epsilon = spec.modulation_epsilon();
    match (spec.sage(), spec.observe()) {
        (Some(sage), observe) => {
            let beta0 = beta0.unwrap_or(sage.beta0);
            match sage.modulation {
                Some(_) if in_scope && spec.released() => {
                    Sense::Modulate { beta0, epsilon, modulation: Modulation::Released }
                }
                Some(modulation) if in_scope => Sense::Modulate { beta0, epsilon, modulation },
                None if observe.is_some() => Sense::Watch { beta0, epsilon },
                _ => Sense::Off,
            }
        }
        (None, Some(observe)) => {
            Sense::Watch { beta0: beta0.or(observe.beta0).unwrap_or(OBSERVED_BETA0), epsilon }
        }
        (None, None) => Sense::Off,
    }
}

/// A group's β0 must have something to act on.
fn check_beta0(
    spec: &OptimizerSpec,
    options: &OptimizerOptions,
    member: &[Option<usize>],
    resolved: &Groups,
) -> Result<()> {
    for (index, group) in options.groups.iter().enumerate().filter(|(_, group)| group.beta0.is_some()) {
        let mut members = member.iter().zip(&resolved.of).filter(|(member, _)| **member == Some(index));
        if !members.any(|(_, of)| resolved.groups[*of].sense.keeps()) {
            let why =
                if spec.sage().is_some() { "none of its parameters is in sage.scope" } else { "sage is off" };
            let problem = format!("has no effect: {why} ({:?})", group.selection.include);
            return Err(OptimError::config(format!("groups[{index}].beta0"), problem));
        }
    }
    Ok(())
}
