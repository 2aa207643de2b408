//! `optimizer.safetensors`: the optimizer's state by parameter name, and the gradients of an unfinished accumulation.

use crate::error::TrainerError;
use crate::training::Training;
use sagetrain_models::Model;
use sagetrain_optim::{NamedState, StateArray, StateValues, Values, read_state, write_state};
use sagetrain_torch::f32_slice;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

const GRADIENT: &str = "gradient";
const AVERAGE: &str = "/average";

pub(super) fn write(path: &Path, model: &dyn Model, training: &Training) -> Result<(), TrainerError> {
    let shapes: Vec<Vec<usize>> = training.pending.gradients.iter().map(shape).collect();
    let mut arrays: Vec<NamedState<'_>> = training.optimizer.state();
    for ((name, gradient), shape) in names(model).zip(&training.pending.gradients).zip(&shapes) {
        if let Some(gradient) = gradient {
            arrays.push((format!("{name}/{GRADIENT}"), shape, Values::Float32(f32_slice(gradient)?)));
        }
    }
    Ok(write_state(path, &training.optimizer.origin(), &arrays)?)
}

fn shape(gradient: &Option<Tensor>) -> Vec<usize> {
    let size = gradient.as_ref().map(Tensor::size).unwrap_or_default();
    size.into_iter().map(|length| length as usize).collect()
}

/// What a file holds.
pub(super) struct Tensors {
    states: Vec<StateArray>,
    /// The unfinished gradients in the parameters' order; empty where there are none.
    pub(super) gradients: Vec<Option<Tensor>>,
}

impl Tensors {
    /// Reads a file whose states are exactly the session's.
    pub(super) fn read(path: &Path, model: &dyn Model, training: &Training) -> Result<Self, TrainerError> {
        let saved = read_state(path)?;
        if let Some(name) = difference(&saved.states, &training.optimizer.state(), training.averages()) {
            let message = format!(
                "{name} is not what this session's optimizer keeps; give the optimizer it was saved with"
            );
            return Err(TrainerError::checkpoint(path, message));
        }
        if saved.gradients.is_empty() {
            return Ok(Self { states: saved.states, gradients: Vec::new() });
        }
        let by_name: BTreeMap<&str, &StateArray> =
            saved.gradients.iter().map(|array| (array.name.as_str(), array)).collect();
        let gradient =
            |name: &str| by_name.get(format!("{name}/{GRADIENT}").as_str()).map(|array| tensor(path, array));
        let gradients = names(model).map(|name| gradient(name).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { states: saved.states, gradients })
    }

    /// The optimizer's state as it takes it.
    pub(super) fn state(&self) -> Vec<(&str, &[usize], Values<'_>)> {
        let states = self.states.iter();
        states.map(|array| (array.name.as_str(), array.shape.as_slice(), array.values.as_values())).collect()
    }
}

/// The first array that only one side has, or that has another shape there. Averages that are kept begin with the first step, so that
/// either side may lack them.
fn difference(found: &[StateArray], kept: &[NamedState<'_>], averages: bool) -> Option<String> {
    let counts = |name: &str| !averages || !name.ends_with(AVERAGE);
    let found = found.iter().map(|array| (array.name.as_str(), array.shape.as_slice()));
    let found: BTreeMap<&str, &[usize]> = found.filter(|(name, _)| counts(name)).collect();
    let kept = kept.iter().map(|(name, shape, _)| (name.as_str(), *shape));
    let kept: BTreeMap<&str, &[usize]> = kept.filter(|(name, _)| counts(name)).collect();
    let differs = |name: &&&str| found.get(**name) != kept.get(**name);
    kept.keys().chain(found.keys()).find(differs).map(|name| (*name).to_owned())
}

fn names(model: &dyn Model) -> impl Iterator<Item = &str> {
    model.parameters().iter().map(|parameter| parameter.name.as_str())
}

fn tensor(path: &Path, array: &StateArray) -> Result<Tensor, TrainerError> {
    let StateArray { name, shape, values } = array;
    let StateValues::Float32(values) = values else {
        return Err(TrainerError::checkpoint(
            path,
            format!("{name} is {}, must be float32", values.as_values().dtype()),
        ));
    };
    let shape: Vec<i64> = shape.iter().map(|length| *length as i64).collect();
    Ok(Tensor::f_from_slice(values)?.f_reshape(&shape)?)
}
