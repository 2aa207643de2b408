//! `optimizer.safetensors`: the optimizer's state by parameter name, and the gradients of an unfinished accumulation.

use crate::error::TrainerError;
use crate::training::Training;
use sagetrain_models::Model;
use sagetrain_optim::{LossScaleState, NamedState, StateArray, StateValues, Values, read_state, write_state};
use sagetrain_torch::{f32_values, upload};
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

const GRADIENT: &str = "gradient";
const AVERAGE: &str = "/average";

pub(super) fn write(path: &Path, model: &dyn Model, training: &mut Training) -> Result<(), TrainerError> {
    let shapes: Vec<Vec<usize>> = training.pending.gradients.iter().map(shape).collect();
    let gradients =
        training.pending.gradients.iter().map(|gradient| gradient.as_ref().map(f32_values).transpose());
    let gradients = gradients.collect::<Result<Vec<_>, _>>()?;
    let origin = training.optimizer.origin();
    training.optimizer.with_states(|states| {
        let mut arrays: Vec<NamedState<'_>> = states;
        for ((name, gradient), shape) in names(model).zip(&gradients).zip(&shapes) {
            if let Some(gradient) = gradient {
                arrays.push((format!("{name}/{GRADIENT}"), shape, Values::Float32(gradient)));
            }
        }
        Ok(write_state(path, &origin, &arrays)?)
    })
}

fn shape(gradient: &Option<Tensor>) -> Vec<usize> {
    let size = gradient.as_ref().map(Tensor::size).unwrap_or_default();
    size.into_iter().map(|length| length as usize).collect()
}

/// What a file holds.
pub(super) struct Tensors {
    states: Vec<StateArray>,
    /// Where dynamic loss scaling stood.
    pub(super) loss_scale: Option<LossScaleState>,
    /// The unfinished gradients in the parameters' order; empty where there are none.
    pub(super) gradients: Vec<Option<Tensor>>,
}

impl Tensors {
    /// Reads a file whose states are exactly the session's.
    pub(super) fn read(
        path: &Path,
        model: &dyn Model,
        training: &mut Training,
    ) -> Result<Self, TrainerError> {
        let saved = read_state(path)?;
        let loss_scale = saved.origin.as_ref().and_then(|origin| origin.loss_scale);
        let (averages, device) = (training.averages(), training.device);
        let differs = |kept: Vec<NamedState<'_>>| Ok(difference(&saved.states, &kept, averages));
        if let Some(name) = training.optimizer.with_states(differs)? {
            let message = format!(
                "{name} is not what this session's optimizer keeps; give the optimizer it was saved with"
            );
            return Err(TrainerError::checkpoint(path, message));
        }
        if saved.gradients.is_empty() {
            return Ok(Self { states: saved.states, loss_scale, gradients: Vec::new() });
        }
        let by_name: BTreeMap<&str, &StateArray> =
            saved.gradients.iter().map(|array| (array.name.as_str(), array)).collect();
        let gradient = |name: &str| {
            by_name
                .get(format!("{name}/{GRADIENT}").as_str())
                .map(|array| Ok::<_, TrainerError>(upload(&tensor(path, array)?, device)?))
        };
        let gradients = names(model).map(|name| gradient(name).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { states: saved.states, loss_scale, gradients })
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
