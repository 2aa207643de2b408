//! A whole Transformer's loss and gradients from the composed operations, which a GPU runs, against the fused ones, dropout on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sagetrain_models::{Forward, Inputs, ModelSpec, SOURCE, TARGET, create, place};
use sagetrain_torch::{Precision, set_composed};
use serde_json::json;
use tch::{Device, Kind, Tensor};

fn inputs() -> Inputs {
    let source: Vec<i32> = (0..40).map(|i| 2 + i * 7 % 30).collect();
    let target: Vec<i32> = (0..35).map(|i| 2 + i * 11 % 30).collect();
    let inputs = Inputs::new().ragged(SOURCE, &source, &[0, 3, 20, 40]).unwrap();
    inputs.ragged(TARGET, &target, &[0, 9, 10, 35]).unwrap()
}

/// Loss, and the gradient of every parameter by name.
fn gradients(spec: &ModelSpec, composed: bool) -> Vec<(String, Tensor)> {
    let before = set_composed(composed);
    let model = create(spec, 5).unwrap();
    let forward =
        Forward { training: true, precision: Precision::Float32, seed: 7, step: 3, loss_scale: 64.0 };
    let loss = model.loss(&inputs(), 0.1, &forward).unwrap().sum * 64.0;
    let found = Tensor::f_run_backward(&[&loss], &model.parameters().tensors(), false, false).unwrap();
    set_composed(before);
    let names = model.parameters().names().map(str::to_owned);
    names.chain(["loss".to_owned()]).zip(found.into_iter().chain([loss])).collect()
}

#[test]
fn gradients_are_those_of_the_fused_operations() {
    let variants = [
        json!({ "normalization": "post", "activation": "relu" }),
        json!({ "normalization": "pre", "activation": "swish", "embeddings": "separate", "encoderLayerDrop": 0.3 }),
    ];
    for variant in variants {
        let mut spec = json!({
            "type": "transformer", "vocabularySize": 40, "hiddenSize": 32, "encoderLayers": 2, "decoderLayers": 2, "heads": 4,
            "feedForwardSize": 48, "dropout": 0.2, "attentionDropout": 0.1, "activationDropout": 0.1, "maxPositions": 32
        });
        spec.as_object_mut().unwrap().extend(variant.as_object().unwrap().clone());
        let spec = ModelSpec::read("model", &spec).unwrap();
        for ((name, found), (_, expected)) in gradients(&spec, true).iter().zip(gradients(&spec, false)) {
            let (found, expected) = (found.to_kind(Kind::Double), expected.to_kind(Kind::Double));
            let error = (&found - &expected).abs().max().double_value(&[]);
            // Key biases have no gradient but rounding: sums of thousands that cancel.
            let scale = expected.abs().max().double_value(&[]).max(1.0);
            assert!(error <= 2e-5 * scale, "{name}: off by {error:e} of {scale:e}");
        }
    }
}

/// Every handle goes along when a model moves, and nothing moves to where it is.
#[test]
fn a_model_stays_whole_where_it_is() {
    let spec = json!({ "type": "mlp", "inputs": 2, "hidden": [4], "classes": 2 });
    let model = create(&ModelSpec::read("model", &spec).unwrap(), 1).unwrap();
    let before = model.parameters().tensors()[0].data_ptr();
    place(model.as_ref(), Device::Cpu).unwrap();
    assert_eq!(model.parameters().tensors()[0].data_ptr(), before);
    // What moving does, with the CPU as the other device.
    let [mut handle, other] = [0, 0].map(|index| model.parameters().tensors()[index].shallow_clone());
    {
        let _guard = tch::no_grad_guard();
        handle.set_data(&Tensor::full([4, 2], 3.0, (Kind::Float, Device::Cpu)));
    }
    assert_eq!(f64::try_from(other.sum(Kind::Float)).unwrap(), 24.0);
    assert!(other.requires_grad());
}
