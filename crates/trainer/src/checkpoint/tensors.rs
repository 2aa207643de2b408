//! `optimizer.safetensors`: the optimizer's state by parameter name, and the gradients of an unfinished accumulation.

use crate::error::TrainerError;
use crate::training::Training;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sagetrain_models::Model;
use sagetrain_torch::f32_slice;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

const GRADIENT: &str = "gradient";
/// Headers above this are refused before they are parsed: a parsed one costs many times its size.
const LARGEST_HEADER: u64 = 16 << 20;

pub(super) fn write(path: &Path, model: &dyn Model, training: &Training) -> Result<(), TrainerError> {
    let failed = |error: safetensors::SafeTensorError| TrainerError::checkpoint(path, error.to_string());
    let mut views = BTreeMap::new();
    for (name, shape, values) in training.optimizer.state() {
        let view =
            TensorView::new(Dtype::F32, shape.to_vec(), bytemuck::cast_slice(values)).map_err(failed)?;
        views.insert(name, view);
    }
    let gradients = names(model).zip(&training.pending.gradients);
    for (name, gradient) in gradients.filter_map(|(name, gradient)| Some((name, gradient.as_ref()?))) {
        let shape = gradient.size().iter().map(|&length| length as usize).collect();
        let values = bytemuck::cast_slice(f32_slice(gradient)?);
        views.insert(
            format!("{name}/{GRADIENT}"),
            TensorView::new(Dtype::F32, shape, values).map_err(failed)?,
        );
    }
    safetensors::serialize_to_file(views, None, path).map_err(failed)
}

/// Loads the optimizer's state and returns the unfinished gradients in the parameters' order.
pub(super) fn read(
    path: &Path,
    model: &dyn Model,
    training: &mut Training,
    step: u64,
) -> Result<Vec<Option<Tensor>>, TrainerError> {
    let bytes = std::fs::read(path).map_err(TrainerError::io(path))?;
    let header = bytes.first_chunk::<8>().map_or(u64::MAX, |length| u64::from_le_bytes(*length));
    if header > LARGEST_HEADER {
        return Err(TrainerError::checkpoint(path, "its safetensors header is too long or missing"));
    }
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| TrainerError::checkpoint(path, error.to_string()))?;
    let mut state = BTreeMap::new();
    let mut gradients = BTreeMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(TrainerError::checkpoint(
                path,
                format!("{name} is {:?}, expected F32", view.dtype()),
            ));
        }
        // The file's bytes have no alignment: copy.
        let values: Vec<f32> = bytemuck::allocation::pod_collect_to_vec(view.data());
        match name.strip_suffix(GRADIENT).and_then(|name| name.strip_suffix('/')) {
            Some(parameter) => drop(gradients.insert(parameter.to_owned(), (view.shape().to_vec(), values))),
            None => drop(state.insert(name.to_owned(), (view.shape().to_vec(), values))),
        }
    }
    let state: Vec<(&str, &[usize], &[f32])> = state
        .iter()
        .map(|(name, (shape, values))| (name.as_str(), shape.as_slice(), values.as_slice()))
        .collect();
    let report = training.optimizer.load(&state, step)?;
    if let Some(name) = report.missing.iter().chain(&report.unused).next() {
        let message = format!(
            "{name} is not what this session's optimizer keeps; give the optimizer it was saved with"
        );
        return Err(TrainerError::checkpoint(path, message));
    }
    if gradients.is_empty() {
        return Ok(Vec::new());
    }
    let tensors = names(model).map(|name| gradients.remove(name).map(tensor).transpose());
    tensors.collect()
}

fn names(model: &dyn Model) -> impl Iterator<Item = &str> {
    model.parameters().iter().map(|parameter| parameter.name.as_str())
}

fn tensor((shape, values): (Vec<usize>, Vec<f32>)) -> Result<Tensor, TrainerError> {
    let shape: Vec<i64> = shape.into_iter().map(|length| length as i64).collect();
    Ok(Tensor::f_from_slice(&values)?.f_reshape(&shape)?)
}
