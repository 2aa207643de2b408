//! `optimizer.safetensors`: the optimizer's state by parameter name, and the gradients of an unfinished accumulation.

use crate::error::TrainerError;
use crate::training::Training;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sagetrain_models::Model;
use sagetrain_optim::{StateValues, Values};
use sagetrain_torch::f32_slice;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

/// Shapes and values by name.
type Arrays = BTreeMap<String, (Vec<usize>, StateValues)>;

/// Elements in a type that a session has; copied, for the file's bytes have no alignment.
fn values(view: &TensorView<'_>) -> Option<StateValues> {
    match view.dtype() {
        Dtype::F32 => Some(StateValues::Float32(bytemuck::allocation::pod_collect_to_vec(view.data()))),
        Dtype::BF16 => Some(StateValues::BFloat16(bytemuck::allocation::pod_collect_to_vec(view.data()))),
        _ => None,
    }
}

const GRADIENT: &str = "gradient";
/// Headers above this are refused before they are parsed: a parsed one costs many times its size.
const LARGEST_HEADER: u64 = 16 << 20;

pub(super) fn write(path: &Path, model: &dyn Model, training: &Training) -> Result<(), TrainerError> {
    let failed = |error: safetensors::SafeTensorError| TrainerError::checkpoint(path, error.to_string());
    let mut views = BTreeMap::new();
    for (name, shape, values) in training.optimizer.state() {
        let dtype = if values.dtype() == "bfloat16" { Dtype::BF16 } else { Dtype::F32 };
        views.insert(name, TensorView::new(dtype, shape.to_vec(), values.bytes()).map_err(failed)?);
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

/// What a file holds.
pub(super) struct Tensors {
    state: Arrays,
    /// The unfinished gradients in the parameters' order; empty where there are none.
    pub(super) gradients: Vec<Option<Tensor>>,
}

impl Tensors {
    /// Reads a file whose states and gradients are exactly the session's.
    pub(super) fn read(path: &Path, model: &dyn Model, training: &Training) -> Result<Self, TrainerError> {
        let bytes = std::fs::read(path).map_err(TrainerError::io(path))?;
        let (state, mut gradients) = parse(path, &bytes)?;
        let kept: BTreeMap<String, &[usize]> =
            training.optimizer.state().into_iter().map(|(name, shape, _)| (name, shape)).collect();
        if let Some(name) = difference(&state, &kept) {
            let message = format!(
                "{name} is not what this session's optimizer keeps; give the optimizer it was saved with"
            );
            return Err(TrainerError::checkpoint(path, message));
        }
        if gradients.is_empty() {
            return Ok(Self { state, gradients: Vec::new() });
        }
        let tensors = names(model).map(|name| gradients.remove(name).map(tensor).transpose());
        Ok(Self { state, gradients: tensors.collect::<Result<_, _>>()? })
    }

    /// The optimizer's state as it takes it.
    pub(super) fn state(&self) -> Vec<(&str, &[usize], Values<'_>)> {
        self.state
            .iter()
            .map(|(name, (shape, array))| (name.as_str(), shape.as_slice(), array.as_values()))
            .collect()
    }
}

/// States and gradients by name.
fn parse(path: &Path, bytes: &[u8]) -> Result<(Arrays, Arrays), TrainerError> {
    let header = bytes.first_chunk::<8>().map_or(u64::MAX, |length| u64::from_le_bytes(*length));
    if header > LARGEST_HEADER {
        return Err(TrainerError::checkpoint(path, "its safetensors header is too long or missing"));
    }
    let file =
        SafeTensors::deserialize(bytes).map_err(|error| TrainerError::checkpoint(path, error.to_string()))?;
    let (mut state, mut gradients) = (Arrays::new(), Arrays::new());
    for (name, view) in file.iter() {
        let wrong = || format!("{name} is {:?}, expected F32 or BF16", view.dtype());
        let values = values(&view).ok_or_else(|| TrainerError::checkpoint(path, wrong()))?;
        match name.strip_suffix(GRADIENT).and_then(|name| name.strip_suffix('/')) {
            Some(parameter) if view.dtype() == Dtype::F32 => {
                drop(gradients.insert(parameter.to_owned(), (view.shape().to_vec(), values)))
            }
            _ => drop(state.insert(name.to_owned(), (view.shape().to_vec(), values))),
        }
    }
    Ok((state, gradients))
}

/// The first array that only one side has, or that has another shape there.
fn difference<'a>(found: &'a Arrays, kept: &'a BTreeMap<String, &[usize]>) -> Option<&'a str> {
    let absent = kept.keys().find(|name| !found.contains_key(*name));
    let other = || {
        found.iter().find(|(name, (shape, _))| kept.get(*name).is_none_or(|kept| *kept != shape.as_slice()))
    };
    absent.or_else(|| other().map(|(name, _)| name)).map(String::as_str)
}

fn names(model: &dyn Model) -> impl Iterator<Item = &str> {
    model.parameters().iter().map(|parameter| parameter.name.as_str())
}

/// A gradient, which [`Tensors::read`] has found to be float32.
fn tensor((shape, values): (Vec<usize>, StateValues)) -> Result<Tensor, TrainerError> {
    let shape: Vec<i64> = shape.into_iter().map(|length| length as i64).collect();
    let values = values.as_values();
    Ok(Tensor::f_from_slice(values.as_slice::<f32>().unwrap_or_default())?.f_reshape(&shape)?)
}
