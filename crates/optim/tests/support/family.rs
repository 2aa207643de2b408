//! Every optimizer that has SAGE, and what it sees. Tensors of up to [`ELEMENTS`] are reported whole.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::support::{Bench, spec};
use sagetrain_optim::{Float, OptimizerSpec, Values};
use serde_json::{Value, json};

/// The most elements of a tensor that are all sampled.
pub const ELEMENTS: usize = 32;

/// Kind, form and decay of every optimizer there is; no decay: the form's own.
pub const ALL: [(&str, &str, Option<&str>); 14] = [
    ("sgd", "paper", Some("coupled")),
    ("sgd", "paper", Some("decoupled")),
    ("sgd", "paper", Some("modulated")),
    ("adam", "paper", Some("coupled")),
    ("adam", "paper", Some("decoupled")),
    ("adam", "paper", Some("modulated")),
    ("adamw", "paper", Some("coupled")),
    ("adamw", "paper", Some("decoupled")),
    ("adamw", "paper", Some("modulated")),
    ("adamax", "paper", Some("coupled")),
    ("adamax", "paper", Some("decoupled")),
    ("adamax", "paper", Some("modulated")),
    ("adamw", "released", None),
    ("adamax", "released", None),
];

pub type Which = (&'static str, &'static str, Option<&'static str>);

/// ε in the modulation: the paper's, or the square of the released form's 1e-6.
pub const EPSILON: f64 = 1e-12;

pub fn made(
    (kind, form, decay): Which,
    beta0: f64,
    lr: f64,
    weight_decay: f64,
    more: &[(&str, Value)],
) -> OptimizerSpec {
    let mut value = json!({ "lr": lr, "weightDecay": weight_decay, "sage": { "beta0": beta0, "form": form }, "observe": { "every": 1 } });
    if let Some(decay) = decay {
        value["decay"] = json!(decay);
    }
    if kind == "sgd" {
        value["momentum"] = json!(0.9);
    }
    for (key, more) in more {
        value[*key] = more.clone();
    }
    spec(kind, &value)
}

/// I and r of every element in the last step.
pub fn seen<F: Float>(bench: &Bench<F>) -> Vec<(f64, f64)> {
    let report = bench.optimizer.sensitivity().unwrap();
    let samples: Vec<_> = report.tensors.iter().flat_map(|tensor| &tensor.samples).collect();
    assert_eq!(samples.len(), bench.data.iter().map(Vec::len).sum::<usize>(), "every element is a sample");
    samples.iter().map(|sample| (sample.sensitivity, sample.modulation)).collect()
}

pub fn cast<F: Float>(values: &[f64]) -> Vec<F> {
    values.iter().map(|value| F::from_f64(*value)).collect()
}

/// Bits of a state.
pub fn state_bits(values: Values<'_>) -> Vec<u64> {
    bits(&values.to_f64())
}

pub fn bits<F: Float>(values: &[F]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}
