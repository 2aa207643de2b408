//! The perceptron: loss, accuracy, and that it learns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_models::{FEATURES, Inputs, LABEL, Model, ModelSpec, create};
use serde_json::json;
use support::*;
use tch::Kind;

fn model() -> Box<dyn Model> {
    let spec: ModelSpec =
        serde_json::from_value(json!({ "type": "mlp", "inputs": 2, "classes": 3, "hidden": [16, 16] }))
            .unwrap();
    create(&spec, 1).unwrap()
}

/// Points around three corners.
fn inputs() -> Inputs {
    let features: Vec<f32> = (0..60)
        .flat_map(|i| {
            let (corner, shift) = (i % 3, (i / 3) as f32 * 0.02);
            [[0.0, 1.0], [1.0, -1.0], [-1.0, -1.0]][corner].map(|centre: f32| centre + shift)
        })
        .collect();
    let labels: Vec<i32> = (0..60).map(|i| i % 3).collect();
    let inputs = Inputs::new().dense(FEATURES, &features, 2).unwrap();
    inputs.ragged(LABEL, &labels, &(0..=60).collect::<Vec<i64>>()).unwrap()
}

#[test]
fn smoothing_spreads_over_the_other_classes() {
    let (model, inputs) = (model(), inputs());
    let log_p = model.forward(&inputs, &evaluation()).unwrap().log_softmax(-1, Kind::Double);
    let rows = to_vec(&log_p);
    let weight = |class: usize, label: usize| if class == label { 0.9 } else { 0.05 };
    let expected: f64 = -rows.iter().enumerate().map(|(i, p)| weight(i % 3, i / 3 % 3) * p).sum::<f64>();
    let loss = model.loss(&inputs, 0.1, &evaluation()).unwrap();
    assert!((loss.sum.double_value(&[]) / expected - 1.0).abs() < 1e-5);
    assert_eq!(loss.count, 60);
}

#[test]
fn gradient_descent_classifies_the_corners() {
    sagetrain_torch::set_threads(1).unwrap();
    let (model, inputs) = (model(), inputs());
    let mut correct = 0.0;
    for _ in 0..100 {
        let loss = model.loss(&inputs, 0.0, &evaluation()).unwrap();
        correct = loss.correct.unwrap().double_value(&[]);
        loss.sum.backward();
        let _no_grad = tch::no_grad_guard();
        for mut tensor in model.parameters().tensors() {
            let gradient = tensor.grad();
            tensor -= gradient.shallow_clone() * 0.005;
            tensor.zero_grad();
        }
    }
    assert_eq!(correct, 60.0);
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let model = model();
    let label = |values: &[i32]| {
        let inputs = Inputs::new().dense(FEATURES, &[0.0, 1.0], 2).unwrap();
        inputs.ragged(LABEL, values, &(0..=values.len() as i64).collect::<Vec<_>>()).unwrap()
    };
    let message = |inputs: &Inputs| model.loss(inputs, 0.0, &evaluation()).unwrap_err().to_string();
    assert_eq!(message(&label(&[3])), "column \"label\": ids of 0 to 2 are expected, found 3 to 3");
    assert_eq!(message(&label(&[1, 1])), "column \"label\": 2 sequences, \"features\" has 1");
    let wide = Inputs::new().dense(FEATURES, &[0.0; 3], 3).unwrap();
    assert_eq!(message(&wide), "column \"features\": [samples, 2] is expected, found [1, 3]");
    assert!(message(&Inputs::new()).contains("dense features expected, found only the columns []"));
}
