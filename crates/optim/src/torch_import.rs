//! A torch.optim state dict as states by parameter name.

use crate::array::StateArray;
use crate::error::{OptimError, Result};
use crate::parameter::{ParameterInfo, check_names};
use crate::torch_groups::{self, RawGroup, TorchGroup};
use crate::torch_state::{MOMENTUM, OURS, TorchImport, TorchState};
use std::collections::{BTreeMap, HashMap};

impl TorchState {
    /// Names the states after `parameters`: by `param_names` where the groups have them (the torch optimizer was given `named_parameters()`), else in
    /// order, and then `parameters` must be as many as torch's and in the order of its groups.
    ///
    /// # Errors
    /// `ERR_CONFIG` for a group that cannot be (amsgrad, maximize, dampening, another optimizer, an unknown key); `ERR_SHAPE` for a
    /// state of another shape than its parameter; `ERR_CHECKPOINT` for steps that differ, an index or a name without a parameter, an
    /// incomplete or unknown state.
    pub fn import(&self, parameters: &[ParameterInfo]) -> Result<TorchImport> {
        check_names(parameters)?;
        let class = self.optimizer.as_deref();
        let groups = self.param_groups.iter().enumerate();
        let groups = groups.map(|(index, group)| torch_groups::read(group, index, class));
        let groups = groups.collect::<Result<Vec<_>>>()?;
        let Some(first) = groups.first() else {
            return Err(OptimError::checkpoint("param_groups is empty; save optimizer.state_dict() whole"));
        };
        let (base, counts) = (first.spec.states(), first.spec.kind() != "sgd");
        let named = named(&groups, parameters)?;
        if let Some(index) = self.state.keys().find(|index| !named.contains_key(index)) {
            return Err(OptimError::checkpoint(format!("state.{index}: no group has a parameter {index}")));
        }
        let mut import = TorchImport {
            step: self.step(&named)?.filter(|_| self.exported || counts),
            states: Vec::new(),
            groups: Vec::new(),
            missing: Vec::new(),
            stale: Vec::new(),
        };
        for (index, parameter) in &named {
            self.take(*index, parameter, base, &mut import)?;
        }
        let name = |index: &usize| named.get(index).map(|parameter| parameter.name.clone());
        import.groups = groups
            .into_iter()
            .map(|group| TorchGroup {
                names: group.params.iter().filter_map(name).collect(),
                spec: group.spec,
            })
            .collect();
        Ok(import)
    }

    /// The one count of steps.
    fn step(&self, named: &BTreeMap<usize, &ParameterInfo>) -> Result<Option<u64>> {
        let steps = self.state.iter().filter_map(|(index, entry)| Some((named.get(index)?, entry.step?)));
        let mut first: Option<(&str, u64)> = None;
        for (parameter, step) in steps {
            let (name, expected) = *first.get_or_insert((&parameter.name, step));
            if step != expected {
                return Err(OptimError::checkpoint(format!(
                    "'{name}' has seen {expected} steps and '{}' {step}, and sagetrain keeps one count for all parameters, across \
                     groups too; import those of one count alone, the others begin at 0",
                    parameter.name
                )));
            }
        }
        Ok(first.map(|(_, step)| step))
    }

    /// One parameter's states.
    fn take(
        &self,
        index: usize,
        parameter: &ParameterInfo,
        base: &[&str],
        import: &mut TorchImport,
    ) -> Result<()> {
        let arrays = self.state.get(&index).map_or(&[][..], |entry| &entry.arrays);
        for array in arrays {
            let state = if array.name == MOMENTUM[0] { MOMENTUM[1] } else { array.name.as_str() };
            if !base.contains(&state) && !OURS.contains(&state) {
                return Err(unknown(index, parameter, &array.name, base));
            }
            let name = format!("{}/{state}", parameter.name);
            if !self.exported && OURS.contains(&state) {
                import.stale.push(name);
                continue;
            }
            parameter.check_shape(state, &array.shape, array.values.as_values().len())?;
            // Kept in bfloat16 here too, where torch has all states in the parameter's type.
            let narrow = ["sensitivity", "compensation"].contains(&state);
            let values = array.values.clone();
            let values = if narrow { values } else { values.widened() };
            import.states.push(StateArray { name, shape: array.shape.clone(), values });
        }
        let has =
            |state: &str| arrays.iter().any(|array| array.name == state || [&array.name, state] == MOMENTUM);
        let absent: Vec<&str> = base.iter().copied().filter(|state| !has(state)).collect();
        if !absent.is_empty() && absent.len() < base.len() {
            let problem = format!(
                "state.{index} ('{}') lacks {}; save optimizer.state_dict() whole",
                parameter.name,
                absent.join(", ")
            );
            return Err(OptimError::checkpoint(problem));
        }
        import.missing.extend(absent.iter().map(|state| format!("{}/{state}", parameter.name)));
        Ok(())
    }
}

/// Each index's parameter.
fn named<'a>(
    groups: &[RawGroup],
    parameters: &'a [ParameterInfo],
) -> Result<BTreeMap<usize, &'a ParameterInfo>> {
    let indices: Vec<usize> = groups.iter().flat_map(|group| group.params.iter().copied()).collect();
    let unnamed = groups.iter().position(|group| group.param_names.is_none());
    if let Some(index) = unnamed.filter(|_| groups.iter().any(|group| group.param_names.is_some())) {
        return Err(OptimError::checkpoint(format!(
            "param_groups[{index}] has no param_names and others have; make all groups of named_parameters(), or none"
        )));
    }
    let names: Option<Vec<&String>> = groups
        .iter()
        .map(|group| group.param_names.as_ref())
        .collect::<Option<Vec<_>>>()
        .map(|names| names.into_iter().flatten().collect());
    let found: Vec<&ParameterInfo> = match names {
        Some(names) => {
            let by_name: HashMap<&str, &ParameterInfo> =
                parameters.iter().map(|parameter| (parameter.name.as_str(), parameter)).collect();
            let find = |name: &&String| {
                by_name.get(name.as_str()).copied().ok_or_else(|| nameless(name, parameters))
            };
            names.iter().map(find).collect::<Result<_>>()?
        }
        None if indices.len() == parameters.len() => parameters.iter().collect(),
        None => {
            return Err(OptimError::checkpoint(format!(
                "torch has {} parameters without names and here are {}; give the torch optimizer model.named_parameters()",
                indices.len(),
                parameters.len()
            )));
        }
    };
    let named: BTreeMap<usize, &ParameterInfo> = indices.iter().copied().zip(found).collect();
    if named.len() < indices.len() {
        return Err(OptimError::checkpoint("an index is in param_groups twice"));
    }
    Ok(named)
}

fn nameless(name: &str, parameters: &[ParameterInfo]) -> OptimError {
    let stride = parameters.len().div_ceil(5).max(1);
    let some: Vec<&str> =
        parameters.iter().step_by(stride).map(|parameter| parameter.name.as_str()).collect();
    OptimError::checkpoint(format!(
        "param_names has '{name}', which is no parameter; those are like {}",
        some.join(", ")
    ))
}

fn unknown(index: usize, parameter: &ParameterInfo, name: &str, base: &[&str]) -> OptimError {
    let why = match name {
        "max_exp_avg_sq" => {
            "which amsgrad keeps and sagetrain has not; train without amsgrad in torch".to_owned()
        }
        _ => format!("which its optimizer does not keep; there are {}", [base, &OURS].concat().join(", ")),
    };
    OptimError::checkpoint(format!("state.{index} ('{}') has {name}, {why}", parameter.name))
}
