//! What a torch optimizer trained with beside what ours would go on with.

use crate::changes::{Change, changes};
use crate::error::{OptimError, Result};
use crate::group;
use crate::options::OptimizerOptions;
use crate::parameter::ParameterInfo;
use crate::spec::OptimizerSpec;
use crate::torch_state::TorchImport;
use serde_json::{Value, json};
use std::collections::HashMap;

impl TorchImport {
    /// What torch trained with and what `spec` and `options` would go on with, for the parameters of each group, as
    /// `param_groups[0].lr`. Sensitivity is not compared: torch has none.
    ///
    /// # Errors
    /// `ERR_CHECKPOINT` where the two keep other states; `ERR_CONFIG` and `ERR_SCOPE_EMPTY` as of the optimizer itself.
    pub fn changes(
        &self,
        spec: &OptimizerSpec,
        options: &OptimizerOptions,
        parameters: &[ParameterInfo],
    ) -> Result<Vec<Change>> {
        let resolved = group::resolve(spec, options, parameters)?;
        let of: HashMap<&str, &group::Group> = parameters
            .iter()
            .zip(&resolved.of)
            .map(|(parameter, of)| (parameter.name.as_str(), &resolved.groups[*of]))
            .collect();
        let mut found: Vec<Change> = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            if group.spec.states() != spec.states() {
                let (torch, ours) = (group.spec.kind(), spec.kind());
                let problem =
                    format!("torch's {torch} keeps {:?}, {ours} {:?}", group.spec.states(), spec.states());
                return Err(OptimError::checkpoint(format!(
                    "{problem}; use {torch} with the same momentum or none"
                )));
            }
            let before = numbers(&group.spec, group.spec.lr(), group.spec.weight_decay())?;
            for ours in group.names.iter().filter_map(|name| of.get(name.as_str())) {
                let now = numbers(spec, ours.lr, ours.weight_decay)?;
                let own = changes(&before, &now, &[]).into_iter();
                let own = own
                    .map(|change| Change { key: format!("param_groups[{index}].{}", change.key), ..change });
                found.extend(own.filter(|change| !found.contains(change)).collect::<Vec<_>>());
            }
        }
        Ok(found)
    }
}

/// A spec's own numbers under a group's; Adam and AdamW are one thing with two places for λ.
fn numbers(spec: &OptimizerSpec, lr: f64, weight_decay: f64) -> Result<Value> {
    let json = serde_json::to_value(spec.clone().with_sage(None));
    let mut json = json.map_err(|error| OptimError::checkpoint(error.to_string()))?;
    if let Some(map) = json.as_object_mut() {
        map.remove("observe");
        map.insert("lr".to_owned(), json!(lr));
        map.insert("weightDecay".to_owned(), json!(weight_decay));
        if spec.kind() == "adamw" {
            map.insert("type".to_owned(), json!("adam"));
        }
    }
    Ok(json)
}
