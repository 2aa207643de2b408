//! Batches of encoders, and copies of golden folders to change.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use sagetrain_models::{FineTune, Inputs, LABEL, Model, NUMBER, TOKENS, TYPES};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{evaluation, golden, packed, to_vec};

pub fn numbers() -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden("bert.json")).unwrap()).unwrap()
}

/// The columns that a batch in JSON has; types on request.
pub fn batch(rows: &Value, types: bool) -> Inputs {
    let column = |inputs: Inputs, name: &str| {
        let (values, offsets) = packed(&rows[name]);
        inputs.ragged(name, &values, &offsets).unwrap()
    };
    let mut inputs = column(Inputs::new(), TOKENS);
    if types && !rows[TYPES].is_null() {
        inputs = column(inputs, TYPES);
    }
    if let Some(labels) = rows[LABEL].as_array() {
        let labels: Vec<i32> = labels.iter().map(|label| label.as_i64().unwrap() as i32).collect();
        inputs = inputs.ragged(LABEL, &labels, &(0..=labels.len() as i64).collect::<Vec<_>>()).unwrap();
    }
    if let Some(targets) = rows[NUMBER].as_array() {
        let targets: Vec<f32> = targets.iter().map(|target| target.as_f64().unwrap() as f32).collect();
        inputs = inputs.dense(NUMBER, &targets, 1).unwrap();
    }
    inputs
}

pub fn hidden(model: &dyn Model, inputs: &Inputs) -> Vec<f64> {
    to_vec(&model.as_encoder().unwrap().hidden(inputs, &evaluation()).unwrap())
}

pub fn pooled(model: &dyn Model, inputs: &Inputs) -> Vec<f64> {
    to_vec(&model.as_encoder().unwrap().pooled(inputs, &evaluation()).unwrap())
}

pub fn copy_of(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(name)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

pub fn config(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap()
}

/// Sets and, with null, removes settings.
pub fn configure(folder: &Path, changes: Value) {
    let mut config = config(folder);
    let object = config.as_object_mut().unwrap();
    object.extend(changes.as_object().unwrap().clone());
    object.retain(|key, value| !value.is_null() || changes.get(key).is_none());
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// Rewrites the weights of a folder.
pub fn rewrite(folder: &Path, change: impl Fn(&mut Vec<(String, TensorView)>)) {
    let file = folder.join("model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    let mut tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    change(&mut tensors);
    safetensors::serialize_to_file(tensors, None, &file).unwrap();
}

/// What an encoder is to become, as JSON says it.
pub fn wanted(value: Value) -> FineTune {
    FineTune::read("model", value.as_object().unwrap()).unwrap()
}

/// The same specification and the same bits of every parameter.
pub fn same_bits(ours: &dyn Model, theirs: &dyn Model) {
    assert_eq!(ours.spec(), theirs.spec());
    assert_eq!(ours.parameters().len(), theirs.parameters().len());
    for (ours, theirs) in ours.parameters().iter().zip(theirs.parameters().iter()) {
        assert_eq!((&ours.name, to_vec(&ours.tensor)), (&theirs.name, to_vec(&theirs.tensor)));
    }
}
