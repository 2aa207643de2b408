//! A torch.optim state dict in safetensors: `state.<index>.<name>`, and the groups as JSON in the metadata. No pickle.
//!
//! `docs/optimizer-state.md` has the Python that writes and reads it.

use crate::array::{NamedState, StateArray, StateValues};
use crate::error::{OptimError, Result};
use crate::tensor_file;
use crate::torch_state::{TorchEntry, TorchState};
use crate::values::Values;
use std::path::Path;

const FORMAT: &str = "torch.optim";
/// In what sagetrain wrote; Python does not write it back.
const EXPORTED: (&str, &str) = ("exported_by", "sagetrain");
const STEP: &str = "step";

/// Reads a state dict.
///
/// # Errors
/// `ERR_IO`; `ERR_CHECKPOINT` with the file's name for one that is truncated or holds anything else.
pub fn read_torch_state(path: &Path) -> Result<TorchState> {
    let file = tensor_file::read(path)?;
    let bad = |problem: String| OptimError::content(path, problem);
    match file.metadata.get("format").map(String::as_str) {
        Some(FORMAT) => {}
        found => {
            let found = found.map_or("nothing".to_owned(), |found| format!("'{found}'"));
            return Err(bad(format!(
                "its metadata has {found} as format, must be '{FORMAT}'; save it as the docs say"
            )));
        }
    }
    let groups = file.metadata.get("param_groups");
    let groups = groups.ok_or_else(|| bad("its metadata lacks 'param_groups'".to_owned()))?;
    let mut torch = TorchState {
        optimizer: file.metadata.get("optimizer").cloned(),
        param_groups: serde_json::from_str(groups)
            .map_err(|error| bad(format!("its param_groups are malformed: {error}")))?,
        exported: file.metadata.get(EXPORTED.0).is_some_and(|by| by == EXPORTED.1),
        ..TorchState::default()
    };
    for array in file.arrays {
        let Some((index, name)) = split(&array.name) else {
            return Err(bad(format!("'{}' is not of the form state.<index>.<name>", array.name)));
        };
        let name = name.to_owned();
        let entry: &mut TorchEntry = torch.state.entry(index).or_default();
        match name.as_str() {
            STEP => {
                entry.step =
                    Some(whole(&array).ok_or_else(|| bad(format!("'{}' counts no steps", array.name)))?)
            }
            _ => entry.arrays.push(StateArray { name, ..array }),
        }
    }
    Ok(torch)
}

fn split(name: &str) -> Option<(usize, &str)> {
    let (index, name) = name.strip_prefix("state.")?.split_once('.')?;
    Some((index.parse().ok()?, name))
}

/// A count of steps, a float of no dimension as torch has it.
fn whole(array: &StateArray) -> Option<u64> {
    let step = match &array.values {
        StateValues::Float32(values) => f64::from(*values.first()?),
        StateValues::Float64(values) => *values.first()?,
        StateValues::BFloat16(_) | StateValues::Float16(_) => return None,
    };
    let counts = array.shape.iter().product::<usize>() == 1 && step.fract() == 0.0;
    (counts && (0.0..9.0e15).contains(&step)).then_some(step as u64)
}

/// Writes a state dict; an existing file is replaced in one rename, and only by a whole one. A step is float32 as torch has it, and
/// float64 where float32 cannot count that far.
///
/// # Errors
/// `ERR_IO`, or `ERR_CHECKPOINT` for a state that comes twice.
pub fn write_torch_state(path: &Path, torch: &TorchState) -> Result<()> {
    let groups =
        serde_json::to_string(&torch.param_groups).map_err(|error| OptimError::content(path, error))?;
    let mut metadata = vec![("format", FORMAT.to_owned()), ("param_groups", groups)];
    metadata.extend(torch.optimizer.iter().map(|optimizer| ("optimizer", optimizer.clone())));
    metadata.extend(torch.exported.then(|| (EXPORTED.0, EXPORTED.1.to_owned())));
    let steps: Vec<(usize, [f32; 1], [f64; 1])> = torch
        .state
        .iter()
        .filter_map(|(index, entry)| Some((*index, [entry.step? as f32], [entry.step? as f64])))
        .collect();
    let mut arrays: Vec<NamedState<'_>> = Vec::new();
    for (index, single, double) in &steps {
        let exact = f64::from(single[0]) == double[0];
        let values = if exact { Values::Float32(single) } else { Values::Float64(double) };
        arrays.push((format!("state.{index}.{STEP}"), &[], values));
    }
    for (index, entry) in &torch.state {
        for array in &entry.arrays {
            let (name, shape, values) = array.named();
            arrays.push((format!("state.{index}.{name}"), shape, values));
        }
    }
    tensor_file::write(path, &metadata, &arrays)
}
