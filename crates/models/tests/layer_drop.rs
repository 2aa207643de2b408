//! LayerDrop: what is skipped, and that a skipped layer is as good as none. How often is tested in src/pass.rs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_models::{Forward, Model, ModelSpec, create};
use sagetrain_torch::Precision;
use serde_json::json;
use support::*;

const LAYERS: usize = 4;

fn model(layers: [usize; 2], drop: f64, normalization: &str) -> Box<dyn Model> {
    sagetrain_torch::set_threads(1).unwrap();
    let spec = json!({
        "type": "transformer", "vocabularySize": 24, "hiddenSize": 16, "heads": 2, "feedForwardSize": 32, "dropout": 0,
        "encoderLayers": layers[0], "decoderLayers": layers[1], "maxPositions": 16, "normalization": normalization,
        "encoderLayerDrop": drop, "decoderLayerDrop": drop,
    });
    create(&ModelSpec::read("model", &spec).unwrap(), 1).unwrap()
}

fn inputs() -> sagetrain_models::Inputs {
    batch(&[vec![5, 9, 2, 17, 0], vec![13, 0]], &[vec![7, 12, 0], vec![20, 3, 6, 0]])
}

fn training(seed: u64, step: u64) -> Forward {
    Forward { training: true, precision: Precision::Float32, seed, step, loss_scale: 1.0 }
}

/// Trains nothing: runs the backward pass and says which layers had a part in it, encoder before decoder.
fn used(model: &dyn Model, forward: &Forward) -> [Vec<usize>; 2] {
    for parameter in model.parameters().iter() {
        let mut tensor = parameter.tensor.shallow_clone();
        tensor.zero_grad();
    }
    model.loss(&inputs(), 0.1, forward).unwrap().sum.backward();
    ["encoder", "decoder"].map(|stack| {
        let has_gradient = |layer: &usize| {
            let name = format!("model.{stack}.layers.{layer}.fc1.weight");
            let gradient = model.parameters().tensor(&name).unwrap().grad();
            gradient.defined() && gradient.abs().max().double_value(&[]) > 0.0
        };
        (0..LAYERS).filter(has_gradient).collect()
    })
}

/// A smaller model that has only the `kept` layers of `model`.
fn remainder(model: &dyn Model, kept: &[Vec<usize>; 2], normalization: &str) -> Box<dyn Model> {
    let small = self::model([kept[0].len(), kept[1].len()], 0.0, normalization);
    let _no_grad = tch::no_grad_guard();
    for parameter in small.parameters().iter() {
        let original = ["encoder", "decoder"].iter().zip(kept).fold(None, |found, (stack, kept)| {
            let prefix = format!("model.{stack}.layers.");
            let Some((layer, rest)) =
                parameter.name.strip_prefix(&prefix).and_then(|name| name.split_once('.'))
            else {
                return found;
            };
            Some(format!("{prefix}{}.{rest}", kept[layer.parse::<usize>().unwrap()]))
        });
        let name = original.unwrap_or_else(|| parameter.name.clone());
        parameter.tensor.shallow_clone().copy_(&model.parameters().tensor(&name).unwrap());
    }
    small
}

#[test]
fn skipping_a_layer_equals_removing_it() {
    for normalization in ["post", "pre"] {
        let model = model([LAYERS, LAYERS], 0.4, normalization);
        let without_a_stack = |kept: &[Vec<usize>; 2]| kept.iter().any(Vec::is_empty);
        let mut seen = 0;
        for step in 0..12 {
            let kept = used(model.as_ref(), &training(3, step));
            if without_a_stack(&kept) {
                continue;
            }
            seen += usize::from(kept[0].len() < LAYERS && kept[1].len() < LAYERS);
            let small = remainder(model.as_ref(), &kept, normalization);
            let found = model.loss(&inputs(), 0.1, &training(3, step)).unwrap().sum;
            let expected = small.loss(&inputs(), 0.1, &training(3, step)).unwrap().sum;
            assert!((found.double_value(&[]) / expected.double_value(&[]) - 1.0).abs() < 1e-6, "{kept:?}");
            // Gradients as well: of the encoder's first kept layer, through all that lies behind it.
            expected.backward();
            let theirs = small.parameters().tensor("model.encoder.layers.0.fc1.weight").unwrap().grad();
            let name = format!("model.encoder.layers.{}.fc1.weight", kept[0][0]);
            let ours = model.parameters().tensor(&name).unwrap().grad();
            assert!(difference(&to_vec(&ours), &to_vec(&theirs)) < 1e-5, "{kept:?}");
        }
        assert!(seen > 2, "{seen}");
    }
}

#[test]
fn what_is_skipped_is_a_function_of_seed_and_step() {
    let model = model([LAYERS, LAYERS], 0.5, "pre");
    let pattern = |seed| (0..6).map(|step| used(model.as_ref(), &training(seed, step))).collect::<Vec<_>>();
    let first = pattern(1);
    assert_eq!(pattern(1), first);
    assert_ne!(pattern(2), first);
    assert!(first.iter().any(|kept| kept != &first[0]));
}

#[test]
fn zero_and_evaluation_change_no_bit() {
    let (without, with) = (model([2, 2], 0.0, "post"), model([2, 2], 0.5, "post"));
    let loss = |model: &dyn Model, forward: &Forward| {
        model.loss(&inputs(), 0.1, forward).unwrap().sum.double_value(&[]).to_bits()
    };
    let quiet = evaluation();
    assert_eq!(loss(with.as_ref(), &quiet), loss(without.as_ref(), &quiet));
    // No dropout either, so a training pass that skips nothing is an evaluation.
    assert_eq!(loss(without.as_ref(), &training(1, 0)), loss(without.as_ref(), &quiet));
}
