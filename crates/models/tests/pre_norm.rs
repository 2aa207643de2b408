//! Pre-norm models: numbers of a plain PyTorch composition (tests/golden/marian.py), and their folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use sagetrain_models::{Model, load};
use serde_json::json;
use support::*;

/// The golden weights with the two norms more that pre-norm has.
fn pre_norm_model() -> Box<dyn Model> {
    let folder = tempfile::tempdir().unwrap();
    let spec = json!({
        "type": "transformer", "vocabularySize": 37, "hiddenSize": 16, "encoderLayers": 2, "decoderLayers": 2,
        "heads": 2, "feedForwardSize": 24, "normalization": "pre", "maxPositions": 32,
    });
    let config = json!({ "model_type": "sagetrain-transformer", "spec": spec });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    merge(folder.path());
    load(folder.path()).unwrap()
}

fn merge(folder: &Path) {
    let files = ["marian-tiny/model.safetensors", "pre-norm-extra.safetensors"];
    let bytes = files.map(|name| std::fs::read(golden(name)).unwrap());
    let parsed = bytes.each_ref().map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    let tensors: Vec<(String, TensorView)> = parsed.iter().flat_map(SafeTensors::tensors).collect();
    safetensors::serialize_to_file(tensors, None, &folder.join("model.safetensors")).unwrap();
}

#[test]
fn logits_and_loss_equal_the_plain_composition() {
    let (numbers, model) = (numbers(), pre_norm_model());
    let found = logits(model.as_ref(), &golden_batch(&numbers));
    let difference = difference(&found, &floats(&numbers["preNormLogits"]));
    assert!(difference < 1e-5, "{difference}");
    let loss = model.loss(&golden_batch(&numbers), 0.1, &evaluation()).unwrap().sum.double_value(&[]);
    let expected = numbers["preNormLoss"].as_f64().unwrap();
    assert!((loss / expected - 1.0).abs() < 1e-5, "{loss} {expected}");
}

#[test]
fn a_saved_folder_names_itself_and_loads_with_equal_logits() {
    let (numbers, model, folder) = (numbers(), pre_norm_model(), tempfile::tempdir().unwrap());
    model.save(folder.path()).unwrap();
    let config = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    assert!(config.contains("\"pegasus\""), "{config}");
    let loaded = load(folder.path()).unwrap();
    assert_eq!(loaded.spec(), model.spec());
    let inputs = golden_batch(&numbers);
    assert_eq!(logits(loaded.as_ref(), &inputs), logits(model.as_ref(), &inputs));
}
