//! Golden numbers, and small things that several tests need.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};

use sagetrain_models::{Forward, Inputs, Model, Ragged, SOURCE, TARGET};
use sagetrain_torch::Precision;
use serde_json::Value;
use tch::Tensor;

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

pub fn numbers() -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden("marian.json")).unwrap()).unwrap()
}

pub fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Packs a JSON list of lists of ids.
pub fn packed(rows: &Value) -> (Vec<i32>, Vec<i64>) {
    let rows: Vec<Vec<i32>> = serde_json::from_value(rows.clone()).unwrap();
    pack(&rows)
}

pub fn pack(rows: &[Vec<i32>]) -> (Vec<i32>, Vec<i64>) {
    let mut offsets = vec![0];
    offsets.extend(rows.iter().scan(0, |end, row| {
        *end += row.len() as i64;
        Some(*end)
    }));
    (rows.concat(), offsets)
}

pub fn batch(source: &[Vec<i32>], target: &[Vec<i32>]) -> Inputs {
    let ((source, source_offsets), (target, target_offsets)) = (pack(source), pack(target));
    let inputs = Inputs::new().ragged(SOURCE, &source, &source_offsets).unwrap();
    inputs.ragged(TARGET, &target, &target_offsets).unwrap()
}

pub fn golden_batch(numbers: &Value) -> Inputs {
    let rows = |key: &str| serde_json::from_value::<Vec<Vec<i32>>>(numbers[key].clone()).unwrap();
    batch(&rows("source"), &rows("target"))
}

pub fn ragged(rows: &[Vec<i32>]) -> Ragged {
    let (values, offsets) = pack(rows);
    Ragged::new(SOURCE, &values, &offsets).unwrap()
}

pub fn evaluation() -> Forward {
    Forward::evaluation(Precision::Float32)
}

pub fn to_vec(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.detach().to_kind(tch::Kind::Double).flatten(0, -1).contiguous();
    Vec::<f64>::try_from(&wide).unwrap()
}

/// The largest |a − b| / max(1, |b|).
pub fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let each = a.iter().zip(b).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    each.fold(0.0, |most, one| if one.is_nan() { f64::INFINITY } else { most.max(one) })
}

pub fn logits(model: &dyn Model, inputs: &Inputs) -> Vec<f64> {
    to_vec(&model.forward(inputs, &evaluation()).unwrap())
}
