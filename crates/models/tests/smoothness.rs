//! SMART's regularisation by MT-DNN's corrected formulas in PyTorch; tests/golden/smoothness.py made the numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/bert.rs"]
mod encoders;
mod support;

use encoders::{batch, configure, copy_of, numbers};
use safetensors::SafeTensors;
use sagetrain_models::{Forward, Inputs, Loss, Model, Smoothness, load};
use sagetrain_torch::{Precision, set_composed};
use serde_json::{Value, json};
use support::*;

fn cases() -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden("smoothness.json")).unwrap()).unwrap()
}

fn settings(of: &Value) -> Smoothness {
    serde_json::from_value(of.clone()).unwrap()
}

fn training(seed: u64, step: u64) -> Forward {
    Forward { training: true, precision: Precision::Float32, seed, step, loss_scale: 1.0 }
}

fn smooth_loss(model: &dyn Model, inputs: &Inputs, smoothness: &Value, forward: &Forward) -> Loss {
    model.as_encoder().unwrap().smooth_loss(inputs, 0.0, &settings(smoothness), forward).unwrap()
}

fn term_of(loss: &Loss) -> f64 {
    loss.smoothness.as_ref().unwrap().sum.double_value(&[])
}

fn gradients(model: &dyn Model) -> Vec<Vec<f64>> {
    let all = model.parameters().tensors();
    let found = all.iter().map(|tensor| to_vec(&tensor.grad())).collect();
    all.into_iter().for_each(|mut tensor| tensor.zero_grad());
    found
}

fn bert() -> (Box<dyn Model>, Inputs) {
    (load(&golden("bert-tiny")).unwrap(), batch(&numbers()["batch"]["bert"], true))
}

/// The largest difference of values, in the largest of those expected.
fn apart(found: &[f64], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(1f64, |most, value| most.max(value.abs()));
    let relative = |values: &[f64]| values.iter().map(|value| value / largest).collect::<Vec<_>>();
    difference(&relative(found), &relative(expected))
}

#[test]
fn loss_term_and_every_gradient_equal_those_of_pytorch() {
    let (all, batches) = (cases(), numbers());
    let bytes = std::fs::read(golden("smoothness-gradients.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let [seed, step] = ["seed", "step"].map(|key| all[key].as_u64().unwrap());
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for (index, case) in cases.iter().enumerate() {
        let kind = case["folder"].as_str().unwrap().trim_end_matches("-tiny");
        let model = load(&golden(&format!("{kind}-tiny"))).unwrap();
        let inputs = batch(&batches["batch"][kind], true);
        for (composed, loss_scale) in [(false, 1.0), (true, 128.0)] {
            let before = set_composed(composed);
            let forward = Forward { training: false, seed, step, loss_scale, ..evaluation() };
            let loss = smooth_loss(model.as_ref(), &inputs, &case["smoothness"], &forward);
            loss.minimised().unwrap().backward();
            set_composed(before);
            let found = [loss.sum.double_value(&[]), term_of(&loss)];
            for (found, key) in found.iter().zip(["loss", "term"]) {
                let expected = case[key].as_f64().unwrap();
                assert!((found / expected - 1.0).abs() < 2e-5, "{case} {key}: {found}");
            }
            for (parameter, found) in model.parameters().iter().zip(gradients(model.as_ref())) {
                let expected = file.tensor(&format!("{kind}/{}/{}", index % 4, parameter.name)).unwrap();
                let expected = expected.data().as_chunks::<4>().0.iter();
                let expected: Vec<f64> =
                    expected.map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect();
                let apart = apart(&found, &expected);
                assert!(apart < 1e-5, "{case} {}: {apart}", parameter.name);
            }
        }
    }
}

#[test]
fn the_loss_beside_the_term_is_that_without() {
    let (model, inputs) = bert();
    for forward in [evaluation(), training(3, 8)] {
        let plain = model.loss(&inputs, 0.0, &forward).unwrap();
        let smooth = smooth_loss(model.as_ref(), &inputs, &json!({}), &forward);
        assert_eq!(plain.sum, smooth.sum);
        assert_eq!(plain.nll, smooth.nll);
        assert!(plain.smoothness.is_none() && term_of(&smooth) > 0.0);
        assert!(!bool::try_from(&smooth.smoothness.unwrap().lost).unwrap());
    }
}

#[test]
fn the_weight_multiplies_the_terms_gradient() {
    let (model, inputs) = bert();
    let of = |weight: f64| {
        let loss = smooth_loss(model.as_ref(), &inputs, &json!({ "weight": weight }), &training(3, 8));
        loss.minimised().unwrap().backward();
        gradients(model.as_ref()).concat()
    };
    model.loss(&inputs, 0.0, &training(3, 8)).unwrap().sum.backward();
    let task = gradients(model.as_ref()).concat();
    let [once, thrice] = [of(1.0), of(3.0)];
    let expected = task.iter().zip(&once).map(|(task, once)| task + 3.0 * (once - task));
    assert!(difference(&thrice, &expected.collect::<Vec<_>>()) < 1e-5);
    assert!(difference(&once, &task) > 1e-3);
}

#[test]
fn every_pass_has_dropout_of_its_own_and_all_are_functions_of_seed_and_step() {
    let (model, inputs) = bert();
    let term = |smoothness: Value, forward: Forward| {
        term_of(&smooth_loss(model.as_ref(), &inputs, &smoothness, &forward)).to_bits()
    };
    assert_eq!(term(json!({}), training(1, 1)), term(json!({}), training(1, 1)));
    let others = [training(1, 2), training(2, 1), training(1, 1 << 47)];
    assert!(others.into_iter().all(|other| term(json!({}), other) != term(json!({}), training(1, 1))));
    // Without any perturbation to speak of, what is left of the term is the difference of two passes' dropout, here of attention alone.
    let folder = copy_of("bert-tiny");
    let rates =
        json!({ "hidden_dropout_prob": 0.0, "classifier_dropout": 0.0, "attention_probs_dropout_prob": 0.3 });
    configure(folder.path(), rates);
    let model = load(folder.path()).unwrap();
    let left = |steps: u32, forward: Forward| {
        let still = json!({ "radius": 1e-9, "steps": steps });
        term_of(&smooth_loss(model.as_ref(), &inputs, &still, &forward))
    };
    let [one, two] = [1, 2].map(|steps| left(steps, training(1, 1)));
    assert!(one > 1e-3 && two > 1e-3 && one != two, "{one} {two}");
    assert!(left(1, evaluation()) < 1e-9);
}

#[test]
fn sixteen_bit_products_stay_close() {
    let (model, inputs) = bert();
    let settings = json!({ "radius": 0.3 });
    let exact = term_of(&smooth_loss(model.as_ref(), &inputs, &settings, &evaluation()));
    for (precision, loss_scale) in [(Precision::Bfloat16, 1.0), (Precision::Float16, 128.0)] {
        let forward = Forward { precision, loss_scale, ..evaluation() };
        let loss = smooth_loss(model.as_ref(), &inputs, &settings, &forward);
        assert!((term_of(&loss) / exact - 1.0).abs() < 0.2, "{precision:?}: {} {exact}", term_of(&loss));
        loss.minimised().unwrap().backward();
        assert!(gradients(model.as_ref()).concat().iter().all(|value| value.is_finite()));
    }
}

#[test]
fn a_perturbation_that_is_no_number_is_told_apart_from_outputs_that_are_none() {
    let (model, inputs) = bert();
    let lost = |noise: f64| {
        let loss = smooth_loss(model.as_ref(), &inputs, &json!({ "noise": noise }), &evaluation());
        (bool::try_from(&loss.smoothness.as_ref().unwrap().lost).unwrap(), term_of(&loss).is_nan())
    };
    assert_eq!(lost(1e30), (true, true));
    {
        let _no_grad = tch::no_grad_guard();
        let _filled = model.parameters().tensor("classifier.bias").unwrap().fill_(f64::NAN);
    }
    assert_eq!(lost(1e-5), (false, true));
}

#[test]
fn without_gradients_there_is_nothing_to_ascend() {
    let (model, inputs) = bert();
    let _no_grad = tch::no_grad_guard();
    let encoder = model.as_encoder().unwrap();
    let error = encoder.smooth_loss(&inputs, 0.0, &Smoothness::default(), &evaluation()).unwrap_err();
    assert_eq!(error.code(), "ERR_CONFIG");
}

#[test]
fn settings_that_cannot_be_are_refused_by_their_path() {
    assert_eq!(settings(&json!({})), Smoothness::default());
    assert!(Smoothness::default().check("smoothness").is_ok());
    for (key, value) in [
        ("weight", json!(0)),
        ("noise", json!(-1)),
        ("stepSize", json!(0)),
        ("radius", json!(0)),
        ("steps", json!(0)),
        ("steps", json!(1001)),
    ] {
        let error = settings(&json!({ key: value })).check("train.smoothness").unwrap_err();
        assert_eq!(error.code(), "ERR_CONFIG");
        assert!(error.to_string().starts_with(&format!("train.smoothness.{key}: ")), "{error}");
    }
    assert!(serde_json::from_value::<Smoothness>(json!({ "wieght": 1 })).is_err());
}
