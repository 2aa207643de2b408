//! Checkpoints: folders that are either whole and verified or not there.
//!
//! `<run>/checkpoints/step-00001200/` holds `model/` (a complete Hugging Face folder), `optimizer.safetensors`, `state.json` and
//! `manifest.json` with the size and SHA-256 of every file; where weights are averaged, `average/` is another such folder with the averages. It is written under a temporary name, every file and folder is
//! synced, and one rename publishes it.

mod attachments;
mod average;
mod changes;
mod digest;
mod folder;
mod manifest;
mod state;
mod tensors;

pub use average::{Averaged, average};
pub use digest::Digest;
pub(crate) use digest::digests;
pub(crate) use folder::sync_folder;
pub use folder::{latest, list, retain};
pub use manifest::verify;
pub use state::{Environment, State};

use crate::error::TrainerError;
use crate::tally::Tally;
use crate::training::{Pending, Training};
use sagetrain_models::Model;
use std::path::{Path, PathBuf};
use tensors::Tensors;

/// What the caller adds to a checkpoint.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// Kept in `state.json` under `run` as it is: data position, best score and whatever a loop needs to go on.
    pub run: serde_json::Value,
    /// Copied into `model/`: files such as the tokenizer's, and folders with all that lies in them.
    pub attachments: Vec<PathBuf>,
}

/// Saves everything under `<folder>/step-<step>` and returns that path; the folder is made where it is missing.
pub(crate) fn save(
    folder: &Path,
    model: &dyn Model,
    training: &mut Training,
    extras: &Extras,
) -> Result<PathBuf, TrainerError> {
    training.check_weights()?;
    training.settle()?;
    let name = folder::name(training.step);
    folder::publish(folder, &name, |temporary| {
        save_model(&temporary.join("model"), model, extras)?;
        if training.averages() {
            training.swap_averages(model)?;
            let saved = save_model(&temporary.join("average"), model, extras);
            training.swap_averages(model)?;
            saved?;
        }
        tensors::write(&temporary.join("optimizer.safetensors"), model, training)?;
        state::write(&temporary.join("state.json"), training, &extras.run)
    })
}

fn save_model(folder: &Path, model: &dyn Model, extras: &Extras) -> Result<(), TrainerError> {
    std::fs::create_dir(folder).map_err(TrainerError::io(folder))?;
    model.save(folder)?;
    attachments::attach(folder, &extras.attachments)
}

/// What [`load`] found.
pub struct Loaded {
    /// Optimizer steps it had finished.
    pub step: u64,
    /// The `run` value given at the save.
    pub run: serde_json::Value,
    /// Options by which it takes another course, and differences of the machine that make it equal up to rounding only.
    pub warnings: Vec<String>,
}

/// Verifies a checkpoint and puts it into the session: parameters, optimizer state, counters and unfinished gradients. Everything
/// is read and compared first: what is refused has changed nothing.
pub(crate) fn load(
    folder: &Path,
    model: &dyn Model,
    training: &mut Training,
) -> Result<Loaded, TrainerError> {
    training.check_weights()?;
    verify(folder)?;
    let state = state::read(&folder.join("state.json"))?;
    let warnings = state.check(folder, training)?;
    let weights = weights(&folder.join("model"), model)?;
    let tensors = Tensors::read(&folder.join("optimizer.safetensors"), model, training)?;
    put(weights.as_ref(), model)?;
    training.optimizer.resume(&tensors.state(), state.step, tensors.loss_scale)?;
    training.step = state.step;
    training.passes = state.passes;
    training.rate_factor = state.rate_factor;
    training.sensitivity = None;
    training.pending = Pending {
        gradients: tensors.gradients,
        batches: state.accumulated.batches,
        tally: Tally::of(state.accumulated.sums(), state.accumulated.count),
    };
    training.forget_losses();
    Ok(Loaded { step: state.step, warnings, run: state.run })
}

/// Reads a verified checkpoint's `state.json` without a session.
pub fn read_state(folder: &Path) -> Result<State, TrainerError> {
    verify(folder)?;
    state::read(&folder.join("state.json"))
}

/// The saved weights, of the session's spec.
fn weights(folder: &Path, model: &dyn Model) -> Result<Box<dyn Model>, TrainerError> {
    let saved = sagetrain_models::load(folder)?;
    if saved.spec() != model.spec() {
        let message = "holds a model of another spec; create the model with the spec it was trained with";
        return Err(TrainerError::checkpoint(folder, message));
    }
    Ok(saved)
}

/// Copies weights into the model's own tensors, so that every handle to them stays valid.
fn put(saved: &dyn Model, model: &dyn Model) -> Result<(), TrainerError> {
    let _no_grad = tch::no_grad_guard();
    for (target, source) in model.parameters().iter().zip(saved.parameters().iter()) {
        target.tensor.shallow_clone().f_copy_(&source.tensor)?;
    }
    Ok(())
}
