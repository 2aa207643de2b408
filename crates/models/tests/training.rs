//! Dropout, batches that cannot be, and that post-norm learns under its warm-up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_models::{Forward, Inputs, Model, Ragged, SOURCE, create};
use sagetrain_torch::Precision;
use serde_json::json;
use support::*;

fn model(dropout: f64) -> Box<dyn Model> {
    let spec = json!({
        "preset": "transformer-small", "vocabularySize": 24, "hiddenSize": 32, "heads": 4, "feedForwardSize": 64,
        "encoderLayers": 2, "decoderLayers": 2, "maxPositions": 16,
        "dropout": dropout, "attentionDropout": dropout, "activationDropout": dropout,
    });
    create(&serde_json::from_value(spec).unwrap(), 1).unwrap()
}

fn copies() -> Inputs {
    let rows: Vec<Vec<i32>> =
        (0..16).map(|i| (0..2 + i % 4).map(|j| 2 + (7 * i + 3 * j) % 21).chain([0]).collect()).collect();
    batch(&rows, &rows)
}

fn loss(model: &dyn Model, step: u64, seed: u64) -> f64 {
    let forward = Forward { training: true, precision: Precision::Float32, seed, step, loss_scale: 1.0 };
    model.loss(&copies(), 0.1, &forward).unwrap().sum.double_value(&[])
}

#[test]
fn dropout_is_a_function_of_seed_and_step() {
    let model = model(0.2);
    assert_eq!(loss(model.as_ref(), 3, 1), loss(model.as_ref(), 3, 1));
    assert_ne!(loss(model.as_ref(), 3, 1), loss(model.as_ref(), 4, 1));
    assert_ne!(loss(model.as_ref(), 3, 1), loss(model.as_ref(), 3, 2));
    let quiet = model.loss(&copies(), 0.1, &evaluation()).unwrap().sum.double_value(&[]);
    assert_ne!(loss(model.as_ref(), 3, 1), quiet);
}

/// Each rate alone acts in training, differently from the others, and not in evaluation.
#[test]
fn every_dropout_acts_by_itself() {
    let losses = |rate: &str, normalization: &str| {
        let mut spec = json!({
            "preset": "transformer-small", "vocabularySize": 24, "hiddenSize": 32, "heads": 4, "feedForwardSize": 64,
            "encoderLayers": 2, "decoderLayers": 2, "maxPositions": 16, "dropout": 0, "normalization": normalization,
        });
        spec[rate] = json!(0.3);
        let model = create(&serde_json::from_value(spec).unwrap(), 1).unwrap();
        let quiet = model.loss(&copies(), 0.1, &evaluation()).unwrap().sum.double_value(&[]);
        (loss(model.as_ref(), 3, 1), quiet)
    };
    for normalization in ["post", "pre"] {
        let rates =
            ["dropout", "attentionDropout", "activationDropout", "encoderLayerDrop", "decoderLayerDrop"];
        let found: Vec<(f64, f64)> = rates.iter().map(|rate| losses(rate, normalization)).collect();
        for (index, (trained, quiet)) in found.iter().enumerate() {
            assert_eq!(*quiet, found[0].1, "{}", rates[index]);
            assert!(trained.is_finite() && found.iter().filter(|(other, _)| other == trained).count() == 1);
            // LayerDrop may keep all four layers in a pass; that it does skip is tested in layer_drop.rs.
            assert!(trained != quiet || rates[index].ends_with("LayerDrop"), "{}", rates[index]);
        }
    }
}

#[test]
fn initial_loss_is_that_of_guessing() {
    let model = model(0.0);
    let loss = model.loss(&copies(), 0.0, &evaluation()).unwrap();
    let mean = loss.nll.double_value(&[]) / loss.count as f64;
    assert!((mean - 24f64.ln()).abs() < 0.8, "{mean}");
}

/// Adam with warm-up on copying; a post-norm model that starts badly stays at the loss of guessing.
#[test]
fn post_norm_learns_to_copy() {
    sagetrain_torch::set_threads(1).unwrap();
    let model = model(0.0);
    let tensors = model.parameters().tensors();
    let zeros = || tensors.iter().map(|tensor| tensor.detach().zeros_like()).collect::<Vec<_>>();
    let (mut first, mut second) = (zeros(), zeros());
    let mut mean = f64::NAN;
    for step in 1..=150i32 {
        let forward = Forward {
            training: true,
            precision: Precision::Float32,
            seed: 1,
            step: step as u64,
            loss_scale: 1.0,
        };
        let loss = model.loss(&copies(), 0.0, &forward).unwrap();
        mean = loss.sum.double_value(&[]) / loss.count as f64;
        (loss.sum / loss.count).backward();
        let _no_grad = tch::no_grad_guard();
        let rate = 4e-3 * (f64::from(step) / 50.0).min((50.0 / f64::from(step)).sqrt());
        for ((tensor, first), second) in tensors.iter().zip(&mut first).zip(&mut second) {
            let gradient = tensor.grad();
            *first = &*first * 0.9 + &gradient * 0.1;
            *second = &*second * 0.98 + gradient.square() * 0.02;
            let direction = (&*first / (1.0 - 0.9f64.powi(step)))
                / ((&*second / (1.0 - 0.98f64.powi(step))).sqrt() + 1e-9);
            let mut tensor = tensor.shallow_clone();
            tensor -= direction * rate;
            tensor.zero_grad();
        }
    }
    assert!(mean < 0.1, "{mean}");
}

#[test]
fn batches_that_cannot_be_are_refused() {
    let model = model(0.0);
    let message = |inputs: &Inputs| model.loss(inputs, 0.0, &evaluation()).unwrap_err().to_string();
    let one = |ids: &[i32]| vec![ids.to_vec()];
    assert_eq!(
        message(&batch(&one(&[24]), &one(&[0]))),
        "column \"source\": ids of 0 to 23 are expected, found 24 to 24"
    );
    assert_eq!(
        message(&batch(&one(&[0]), &one(&[-1]))),
        "column \"target\": ids of 0 to 23 are expected, found -1 to -1"
    );
    assert_eq!(
        message(&batch(&one(&[0]), &one(&[3; 17]))),
        "column \"target\": sequence 0 has 17 tokens, the model holds 16 (maxPositions)"
    );
    assert_eq!(
        message(&batch(&one(&[0]), &[vec![0], vec![0]])),
        "column \"target\": 2 sequences, \"source\" has 1"
    );
    let empty = Ragged::new(SOURCE, &[1, 2], &[0, 1, 1, 2]).unwrap_err();
    assert_eq!(
        (empty.code(), empty.to_string().as_str()),
        ("ERR_SHAPE", "column \"source\": sequence 1 is empty")
    );
    assert!(Ragged::new(SOURCE, &[1, 2], &[0, 1]).is_err());
}
