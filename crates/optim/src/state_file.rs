//! Optimizer state in a file of its own: safetensors by parameter name, the arrays of a checkpoint's `optimizer.safetensors` with what
//! they were made by beside them.
//!
//! Arrays are `<parameter>/<state>` in the type the state is kept in. `__metadata__` holds `format` (`sagetrain-optimizer`), `version`
//! (`1`), `step`, and as JSON `spec`, `options`, `scope` and, with float16, `loss_scale`.

use crate::array::{NamedState, StateArray};
use crate::changes::{Change, changes};
use crate::error::{OptimError, Result};
use crate::loss_scale::LossScaleState;
use crate::options::OptimizerOptions;
use crate::spec::OptimizerSpec;
use crate::tensor_file;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::path::Path;

const FORMAT: &str = "sagetrain-optimizer";
const VERSION: &str = "1";
/// As far as a float64, JavaScript's only number, counts.
const MOST_STEPS: u64 = 1 << 53;
const GRADIENT: &str = "gradient";
/// Names a checkpoint's array may have after the parameter's.
const STATES: [&str; 9] = [
    "exp_avg",
    "exp_avg_sq",
    "exp_inf",
    "momentum",
    "sensitivity",
    "average",
    "master",
    "compensation",
    GRADIENT,
];

/// What a state was made by.
#[derive(Clone, Debug, PartialEq)]
pub struct StateOrigin {
    /// Steps taken.
    pub step: u64,
    /// The optimizer.
    pub spec: OptimizerSpec,
    /// Its options, groups among them.
    pub options: OptimizerOptions,
    /// Names of the parameters whose rate is modulated.
    pub scope: Vec<String>,
    /// Where dynamic loss scaling stands; `None` without it.
    pub loss_scale: Option<LossScaleState>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedState {
    /// What made it; `None` for a file without metadata.
    pub origin: Option<StateOrigin>,
    /// States by `<parameter>/<state>`.
    pub states: Vec<StateArray>,
    /// A checkpoint's gradients of an unfinished accumulation, by `<parameter>/gradient`.
    pub gradients: Vec<StateArray>,
}

/// Writes states; an existing file is replaced in one rename, and only by a whole one.
///
/// # Errors
/// `ERR_IO`, or `ERR_CHECKPOINT` for a name that comes twice or a shape that does not fit its values.
pub fn write_state(path: &Path, origin: &StateOrigin, states: &[NamedState<'_>]) -> Result<()> {
    let text = |value: serde_json::Result<String>| value.map_err(|error| OptimError::content(path, error));
    let mut metadata = vec![
        ("format", FORMAT.to_owned()),
        ("version", VERSION.to_owned()),
        ("step", origin.step.to_string()),
        ("spec", text(serde_json::to_string(&origin.spec))?),
        ("options", text(serde_json::to_string(&origin.options))?),
        ("scope", text(serde_json::to_string(&origin.scope))?),
    ];
    if let Some(state) = &origin.loss_scale {
        metadata.push(("loss_scale", text(serde_json::to_string(state))?));
    }
    tensor_file::write(path, &metadata, states)
}

/// Reads what [`write_state`] wrote, or a checkpoint's `optimizer.safetensors`.
///
/// # Errors
/// `ERR_IO`; `ERR_CHECKPOINT` with the file's name for one that is truncated, of another format or of a version not known.
pub fn read_state(path: &Path) -> Result<SavedState> {
    let file = tensor_file::read(path)?;
    let origin = match file.metadata.get("format").map(String::as_str) {
        Some(FORMAT) => Some(origin(path, &file.metadata)?),
        None => None,
        Some(other) => {
            let problem = format!("holds '{other}', not optimizer state ('{FORMAT}')");
            return Err(OptimError::content(path, problem));
        }
    };
    let state_of = |array: &StateArray| array.name.rsplit_once('/').map(|(_, state)| state.to_owned());
    let known = |array: &StateArray| state_of(array).is_some_and(|state| STATES.contains(&state.as_str()));
    if let Some(array) = file.arrays.iter().find(|array| !known(array)) {
        let problem = format!(
            "'{}' is no optimizer state, whose names end in one of /{}",
            array.name,
            STATES.join(", /")
        );
        return Err(OptimError::content(path, problem));
    }
    let (gradients, states) =
        file.arrays.into_iter().partition(|array| state_of(array).as_deref() == Some(GRADIENT));
    Ok(SavedState { origin, states, gradients })
}

fn origin(path: &Path, metadata: &HashMap<String, String>) -> Result<StateOrigin> {
    let bad = |problem: String| OptimError::content(path, problem);
    let text = |key: &str| metadata.get(key).ok_or_else(|| bad(format!("its metadata lacks '{key}'")));
    let version = text("version")?;
    if version != VERSION {
        return Err(bad(format!("has version {version}, this sagetrain reads {VERSION}; update sagetrain")));
    }
    let malformed =
        |key: &str, error: &dyn std::fmt::Display| bad(format!("its '{key}' is malformed: {error}"));
    let json = |key: &str| -> Result<Value> {
        serde_json::from_str(text(key)?).map_err(|error| malformed(key, &error))
    };
    let step: u64 = text("step")?.parse().map_err(|error| malformed("step", &error))?;
    if step > MOST_STEPS {
        return Err(malformed("step", &format!("{step} is more than 2^53")));
    }
    let loss_scale = metadata.get("loss_scale").map(|text| serde_json::from_str(text)).transpose();
    Ok(StateOrigin {
        step,
        spec: OptimizerSpec::from_json(&json("spec")?, "optimizer")
            .map_err(|error| malformed("spec", &error))?,
        options: OptimizerOptions::from_json(&json("options")?, "")
            .map_err(|error| malformed("options", &error))?,
        scope: serde_json::from_value(json("scope")?).map_err(|error| malformed("scope", &error))?,
        loss_scale: loss_scale.map_err(|error| malformed("loss_scale", &error))?,
    })
}

/// What has become another since a state was saved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateChanges {
    /// Options with other values: training goes on with those there are, and so on another course.
    pub options: Vec<Change>,
    /// Parameters whose rate is modulated now and was not.
    pub scope_added: Vec<String>,
    /// Parameters whose rate was modulated and is not now.
    pub scope_removed: Vec<String>,
}

impl StateOrigin {
    /// What changed from this to `now`. `observe`, and a total that no schedule is stretched over, may differ: they change no parameter.
    ///
    /// # Errors
    /// `ERR_CHECKPOINT` for an optimizer of another kind, whose states mean something else.
    pub fn changes(&self, now: &Self) -> Result<StateChanges> {
        let (before, kind) = (self.spec.kind(), now.spec.kind());
        if before != kind {
            let problem =
                format!("optimizer.type was '{before}' and is '{kind}'; use '{before}', or begin anew");
            return Err(OptimError::checkpoint(problem));
        }
        let stretched = now.options.schedule.needs_total_steps();
        let mut options =
            changes(&self.as_json()?, &now.as_json()?, &["optimizer.observe", "optimizer.sage.scope"]);
        options.retain(|change| stretched || change.key != "totalSteps");
        let (scope_added, scope_removed) =
            (without(&now.scope, &self.scope), without(&self.scope, &now.scope));
        Ok(StateChanges { options, scope_added, scope_removed })
    }

    fn as_json(&self) -> Result<Value> {
        let bad = |error: serde_json::Error| OptimError::checkpoint(error.to_string());
        let mut all = json!({ "optimizer": serde_json::to_value(&self.spec).map_err(bad)? });
        let options = serde_json::to_value(&self.options).map_err(bad)?;
        for (key, value) in options.as_object().into_iter().flatten() {
            all[key] = value.clone();
        }
        Ok(all)
    }
}

impl StateChanges {
    /// One line a change; none where training goes on as it would have.
    pub fn lines(&self) -> Vec<String> {
        let options = self.options.iter().map(Change::to_string);
        let added = self.scope_added.iter().map(|name| format!("sage.scope: '{name}' came in"));
        let removed = self.scope_removed.iter().map(|name| format!("sage.scope: '{name}' fell out"));
        options.chain(added).chain(removed).collect()
    }
}

fn without(names: &[String], others: &[String]) -> Vec<String> {
    let others: HashSet<&String> = others.iter().collect();
    names.iter().filter(|name| !others.contains(name)).cloned().collect()
}
