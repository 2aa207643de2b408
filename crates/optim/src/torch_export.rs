//! States by parameter name as a torch.optim state dict.

use crate::array::{NamedState, StateArray, StateValues};
use crate::error::{OptimError, Result};
use crate::group::{self, Groups};
use crate::options::OptimizerOptions;
use crate::parameter::ParameterInfo;
use crate::spec::OptimizerSpec;
use crate::torch_groups;
use crate::torch_state::{MOMENTUM, TorchEntry, TorchState};
use std::collections::{BTreeMap, HashMap};

impl TorchState {
    /// The state dict of a torch optimizer over the same parameters. Its groups are one for each pair of rate and weight decay, in the
    /// order of the parameters, with `param_names`: the torch optimizer must be made with the same. The rate is the base rate, without
    /// the schedule.
    ///
    /// # Errors
    /// `ERR_CONFIG` for a weight decay that torch's optimizer has not; `ERR_CHECKPOINT` for a state of no parameter; `ERR_SHAPE`.
    pub fn export(
        spec: &OptimizerSpec,
        options: &OptimizerOptions,
        parameters: &[ParameterInfo],
        step: u64,
        states: &[NamedState<'_>],
    ) -> Result<Self> {
        let resolved = group::resolve(spec, options, parameters)?;
        let class = torch_groups::class(spec, resolved.groups.iter().any(|group| group.weight_decay != 0.0))?;
        let (mut param_groups, mut index_of) = (Vec::new(), HashMap::new());
        for (numbers, members) in by_numbers(&resolved, parameters) {
            let indices: Vec<usize> = (index_of.len()..index_of.len() + members.len()).collect();
            let names: Vec<&str> = members.iter().map(|parameter| parameter.name.as_str()).collect();
            param_groups.push(torch_groups::write(spec, class, numbers, &indices, &names));
            index_of.extend(members.iter().map(|parameter| parameter.name.as_str()).zip(indices));
        }
        let entry = |index: &usize| (*index, TorchEntry { step: Some(step), arrays: Vec::new() });
        let mut state: BTreeMap<usize, TorchEntry> = index_of.values().map(entry).collect();
        let shapes: HashMap<&str, &ParameterInfo> =
            parameters.iter().map(|parameter| (parameter.name.as_str(), parameter)).collect();
        for (name, shape, values) in states {
            let (parameter, of) = name.rsplit_once('/').unwrap_or((name, ""));
            let found = shapes.get(parameter).zip(index_of.get(parameter));
            let found = found.and_then(|(info, index)| Some((info, state.get_mut(index)?)));
            let Some((info, entry)) = found else {
                return Err(OptimError::checkpoint(format!("'{name}' is the state of no parameter")));
            };
            info.check_shape(of, shape, values.len())?;
            let name = if of == MOMENTUM[1] { MOMENTUM[0] } else { of }.to_owned();
            entry.arrays.push(StateArray { name, shape: shape.to_vec(), values: StateValues::from(*values) });
        }
        Ok(Self { optimizer: Some(class.to_owned()), state, param_groups, exported: true })
    }
}

/// Parameters by what torch's groups can tell apart.
fn by_numbers<'a>(
    resolved: &Groups,
    parameters: &'a [ParameterInfo],
) -> Vec<((f64, f64), Vec<&'a ParameterInfo>)> {
    let mut groups: Vec<((f64, f64), Vec<&ParameterInfo>)> = Vec::new();
    for (parameter, of) in parameters.iter().zip(&resolved.of) {
        let numbers = (resolved.groups[*of].lr, resolved.groups[*of].weight_decay);
        match groups.iter_mut().find(|(known, _)| *known == numbers) {
            Some((_, members)) => members.push(parameter),
            None => groups.push((numbers, vec![parameter])),
        }
    }
    groups
}
