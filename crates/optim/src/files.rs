//! An optimizer's state to and from files.

use crate::array::StateArray;
use crate::changes::Change;
use crate::error::{OptimError, Result};
use crate::optimizer::Optimizer;
use crate::state::LoadReport;
use crate::state_file::{StateOrigin, read_state, write_state};
use crate::torch_file::{read_torch_state, write_torch_state};
use crate::torch_state::TorchState;
use crate::values::Values;
use sagetrain_kernels::Stored;
use std::path::Path;

/// What came of going on from a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Restored {
    /// Steps taken.
    pub step: u64,
    /// States that did not pair up.
    pub report: LoadReport,
    /// What has another value than when the state was saved, a line each: options, names of the scope, or what torch trained with.
    /// Nothing of it is applied.
    pub changes: Vec<String>,
    /// States that a torch optimizer carried along without renewing them; not taken.
    pub stale: Vec<String>,
}

impl<S: Stored> Optimizer<S> {
    /// Writes the whole state beside what made it, under a temporary name that is synced and renamed.
    ///
    /// # Errors
    /// `ERR_IO`.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_state(path, &self.origin(), &self.state())
    }

    /// Goes on from what [`save`](Self::save) wrote, or from a checkpoint's `optimizer.safetensors`; `step` is for a file without metadata.
    ///
    /// # Errors
    /// `ERR_IO`; `ERR_CHECKPOINT` for a damaged or foreign file, another kind of optimizer, a missing step or one that is not the file's; `ERR_SHAPE`. Nothing has
    /// changed then.
    pub fn restore(&mut self, path: &Path, step: Option<u64>) -> Result<Restored> {
        let saved = read_state(path)?;
        let origin = saved.origin;
        let changes = origin.as_ref().map(|origin| origin.changes(&self.origin())).transpose()?;
        let step = one_step(path, step, origin.as_ref().map(|origin| origin.step))?;
        let scale = origin.and_then(|origin| origin.loss_scale);
        let report = self.resume(&named(&saved.states), step, scale)?;
        let changes = changes.map(|changes| changes.lines()).unwrap_or_default();
        Ok(Restored { step, report, changes, stale: Vec::new() })
    }

    /// Writes the state as the state dict of a torch optimizer over the same parameters: see `docs/optimizer-state.md`.
    ///
    /// # Errors
    /// `ERR_IO`; `ERR_CONFIG` for a weight decay that torch's optimizer has not.
    pub fn export_torch(&self, path: &Path) -> Result<()> {
        let (spec, options) = (self.spec(), self.options());
        let torch = TorchState::export(spec, options, self.parameters(), self.step_count(), &self.state())?;
        write_torch_state(path, &torch)
    }

    /// Goes on from a torch optimizer's state dict. `step` is for torch's SGD, which counts none.
    ///
    /// # Errors
    /// `ERR_IO`; `ERR_CHECKPOINT` for what does not fit, by name; `ERR_CONFIG` for a group that cannot be; `ERR_SHAPE`. Nothing has
    /// changed then.
    pub fn import_torch(&mut self, path: &Path, step: Option<u64>) -> Result<Restored> {
        let import = read_torch_state(path)?.import(self.parameters())?;
        let changes = import.changes(self.spec(), self.options(), self.parameters())?;
        let step = one_step(path, step, import.step)?;
        let report = self.load(&named(&import.states), step)?;
        let changes = changes.iter().map(Change::to_string).collect();
        Ok(Restored { step, report, changes, stale: import.stale })
    }

    /// What the state was made by.
    pub fn origin(&self) -> StateOrigin {
        StateOrigin {
            step: self.step_count(),
            spec: self.spec().clone(),
            options: self.options().clone(),
            scope: self.resolved_scope().to_vec(),
            loss_scale: self.loss_scale_state(),
        }
    }
}

fn named(arrays: &[StateArray]) -> Vec<(&str, &[usize], Values<'_>)> {
    let arrays = arrays.iter();
    arrays.map(|array| (array.name.as_str(), array.shape.as_slice(), array.values.as_values())).collect()
}

/// The step that was said, or the file's where it counts any.
fn one_step(path: &Path, said: Option<u64>, counted: Option<u64>) -> Result<u64> {
    match (said, counted) {
        (Some(said), Some(counted)) if said != counted => {
            let problem = format!("counts {counted} steps, and {said} were said; leave them out");
            Err(OptimError::content(path, problem))
        }
        (Some(step), _) | (None, Some(step)) => Ok(step),
        (None, None) => Err(OptimError::content(path, "counts no steps; say how many the run has taken")),
    }
}
