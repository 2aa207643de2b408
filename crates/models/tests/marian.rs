//! The numbers of transformers' MarianMTModel; tests/golden/marian.py made them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_models::{Forward, load, sinusoids};
use sagetrain_torch::Precision;
use support::*;

#[test]
fn logits_equal_those_of_transformers() {
    let (numbers, model) = (numbers(), load(&golden("marian-tiny")).unwrap());
    let found = logits(model.as_ref(), &golden_batch(&numbers));
    let difference = difference(&found, &floats(&numbers["logits"]));
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn gelu_is_the_exact_one() {
    let (numbers, folder) = (numbers(), tempfile::tempdir().unwrap());
    let config = std::fs::read_to_string(golden("marian-tiny/config.json")).unwrap();
    std::fs::write(folder.path().join("config.json"), config.replace("\"relu\"", "\"gelu\"")).unwrap();
    std::fs::copy(golden("marian-tiny/model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    let found = logits(load(folder.path()).unwrap().as_ref(), &golden_batch(&numbers));
    let difference = difference(&found, &floats(&numbers["geluLogits"]));
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn loss_and_every_gradient_equal_those_of_pytorch() {
    let (numbers, model) = (numbers(), load(&golden("marian-tiny")).unwrap());
    let smoothing = numbers["smoothing"].as_f64().unwrap();
    let loss = model.loss(&golden_batch(&numbers), smoothing, &evaluation()).unwrap();
    assert_eq!(loss.count, 11);
    for (found, expected) in [(&loss.sum, "loss"), (&loss.nll, "nll")] {
        let expected = numbers[expected].as_f64().unwrap();
        assert!((found.double_value(&[]) / expected - 1.0).abs() < 1e-5, "{found:?} {expected}");
    }

    loss.sum.backward();
    let bytes = std::fs::read(golden("marian-gradients.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), model.parameters().len());
    for parameter in model.parameters().iter() {
        let expected = file.tensor(&parameter.name).unwrap();
        let mut expected: Vec<f64> = expected
            .data()
            .chunks_exact(4)
            .map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())))
            .collect();
        if parameter.name == "model.shared.weight" {
            // The vector that decoding starts from is never learnt.
            let start = expected.len() - 16;
            expected[start..].fill(0.0);
        }
        let largest = expected.iter().fold(0f64, |most, value| most.max(value.abs()));
        let found: Vec<f64> =
            to_vec(&parameter.tensor.grad()).iter().map(|value| value / largest.max(1.0)).collect();
        let expected: Vec<f64> = expected.iter().map(|value| value / largest.max(1.0)).collect();
        let difference = difference(&found, &expected);
        assert!(difference < 1e-5, "{}: {difference}", parameter.name);
    }
}

#[test]
fn bfloat16_stays_close_to_float32() {
    let (numbers, model) = (numbers(), load(&golden("marian-tiny")).unwrap());
    let forward = Forward::evaluation(Precision::Bfloat16);
    let loss = model.loss(&golden_batch(&numbers), 0.1, &forward).unwrap().sum.double_value(&[]);
    let expected = numbers["loss"].as_f64().unwrap();
    assert!((loss / expected - 1.0).abs() < 0.02, "{loss} {expected}");
    let found = to_vec(&model.forward(&golden_batch(&numbers), &forward).unwrap());
    let expected = floats(&numbers["logits"]);
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let error = squares(&mut found.iter().zip(&expected).map(|(a, b)| a - b))
        / squares(&mut expected.iter().copied());
    assert!(error.sqrt() < 0.02, "{}", error.sqrt());
}

#[test]
fn sinusoids_are_marians() {
    let found = to_vec(&sinusoids(32, 16).unwrap().get(5));
    let difference = difference(&found, &floats(&numbers()["positionRow5"]));
    assert!(difference < 1e-7, "{difference}");
}

#[test]
fn a_batch_is_the_sum_of_its_sentences() {
    let (numbers, model) = (numbers(), load(&golden("marian-tiny")).unwrap());
    let rows = |key: &str| serde_json::from_value::<Vec<Vec<i32>>>(numbers[key].clone()).unwrap();
    let alone = rows("source")
        .into_iter()
        .zip(rows("target"))
        .flat_map(|(source, target)| logits(model.as_ref(), &batch(&[source], &[target])));
    let difference = difference(&alone.collect::<Vec<_>>(), &logits(model.as_ref(), &golden_batch(&numbers)));
    assert!(difference < 1e-5, "{difference}");
}
