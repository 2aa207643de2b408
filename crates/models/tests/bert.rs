//! The numbers of transformers' sequence classifiers; tests/golden/bert.py made them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/bert.rs"]
mod encoders;
mod support;

use encoders::{batch, config, configure, copy_of, hidden, numbers, pooled, rewrite};
use safetensors::tensor::TensorView;
use sagetrain_models::{
    FineTune, Forward, Inputs, Model, ModelSpec, TOKENS, TYPES, create, fine_tune, load, load_reporting,
};
use sagetrain_torch::{Precision, set_composed};
use serde_json::{Value, json};
use support::*;
use tch::Tensor;

const KINDS: [&str; 2] = ["bert", "roberta"];

/// The golden folder with the changes of a case.
fn model_of(case: &Value) -> Box<dyn Model> {
    let folder = copy_of(case["folder"].as_str().unwrap());
    configure(folder.path(), case["config"].clone());
    if let Some(types) = case["config"]["type_vocab_size"].as_u64() {
        rewrite(folder.path(), |tensors| {
            let is_types = |name: &str| name.contains("token_type_embeddings");
            let (_, view) = tensors.iter_mut().find(|(name, _)| is_types(name)).unwrap();
            let width = view.shape()[1];
            let mut rows = view.data().to_vec();
            rows.resize(types as usize * width * 4, 0); // those that are more are zero
            *view = TensorView::new(view.dtype(), vec![types as usize, width], rows.leak()).unwrap();
        });
    }
    load(folder.path()).unwrap()
}

fn batch_of(numbers: &Value, case: &Value) -> Inputs {
    if !case["batch"].is_null() {
        return batch(&case["batch"], case["types"] == true);
    }
    let kind = case["folder"].as_str().unwrap().trim_end_matches("-tiny");
    batch(&numbers["batch"][kind], case["types"] == true)
}

#[test]
fn hidden_states_pooled_output_and_logits_equal_those_of_transformers() {
    let numbers = numbers();
    let cases = numbers["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 22);
    for case in cases {
        let (model, inputs) = (model_of(case), batch_of(&numbers, case));
        for composed in [false, true] {
            let before = set_composed(composed);
            let found = [
                hidden(model.as_ref(), &inputs),
                pooled(model.as_ref(), &inputs),
                logits(model.as_ref(), &inputs),
            ];
            set_composed(before);
            for (found, key) in found.iter().zip(["hidden", "pooled", "logits"]) {
                let difference = difference(found, &floats(&case[key]));
                assert!(difference < 1e-5, "{} {} {key}: {difference}", case["folder"], case["config"]);
            }
        }
    }
}

#[test]
fn loss_and_every_gradient_equal_those_of_pytorch() {
    let numbers = numbers();
    for kind in KINDS {
        let model = load(&golden(&format!("{kind}-tiny"))).unwrap();
        let smoothing = if kind == "bert" { numbers["smoothing"].as_f64().unwrap() } else { 0.0 };
        let inputs = batch(&numbers["batch"][kind], true);
        let loss = model.loss(&inputs, smoothing, &evaluation()).unwrap();
        assert_eq!(loss.count, 4);
        assert_eq!(loss.correct.is_some(), kind == "bert");
        let expected = numbers["loss"][kind].as_f64().unwrap();
        assert!((loss.sum.double_value(&[]) / expected - 1.0).abs() < 1e-5, "{kind}");

        loss.sum.backward();
        let bytes = std::fs::read(golden(&format!("{kind}-gradients.safetensors"))).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.len(), model.parameters().len());
        for parameter in model.parameters().iter() {
            let expected = file.tensor(&parameter.name).unwrap();
            let expected: Vec<f64> = expected
                .data()
                .chunks_exact(4)
                .map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())))
                .collect();
            let largest = expected.iter().fold(1f64, |most, value| most.max(value.abs()));
            let relative = |values: &[f64]| values.iter().map(|value| value / largest).collect::<Vec<_>>();
            let found = to_vec(&parameter.tensor.grad());
            let difference = difference(&relative(&found), &relative(&expected));
            assert!(difference < 1e-5, "{}: {difference}", parameter.name);
        }
    }
}

/// What transformers cannot do without is nothing where it is zero: logits, hidden states and every gradient are the same bits.
#[test]
fn a_model_without_types_is_one_whose_only_type_is_zero() {
    let numbers = numbers();
    for kind in KINDS {
        let of = |types: usize, head: &Value| {
            let spec = json!({
                "type": kind, "vocabularySize": 23, "hiddenSize": 12, "heads": 2, "layers": 2, "feedForwardSize": 20,
                "maxPositions": 16, "typeVocabularySize": types, "head": head,
            });
            create(&ModelSpec::read("model", &spec).unwrap(), 1).unwrap()
        };
        let heads = [json!({ "kind": "classification", "classes": 3 }), json!({ "kind": "regression" })];
        let head = &heads[usize::from(kind == "roberta")];
        let (with, without) = (of(1, head), of(0, head));
        liken(with.as_ref(), without.as_ref());
        // Without the column all types are zero.
        let inputs = batch(&numbers["batch"][kind], false);
        for composed in [false, true] {
            let before = set_composed(composed);
            assert_eq!(hidden(with.as_ref(), &inputs), hidden(without.as_ref(), &inputs), "{kind}");
            assert_eq!(logits(with.as_ref(), &inputs), logits(without.as_ref(), &inputs), "{kind}");
            for model in [&with, &without] {
                model.parameters().iter().for_each(|parameter| parameter.tensor.shallow_clone().zero_grad());
                model.loss(&inputs, 0.0, &evaluation()).unwrap().sum.backward();
            }
            set_composed(before);
            for parameter in without.parameters().iter() {
                let theirs = with.parameters().tensor(&parameter.name).unwrap();
                assert_eq!(to_vec(&parameter.tensor.grad()), to_vec(&theirs.grad()), "{}", parameter.name);
                assert!(parameter.tensor.grad().abs().max().double_value(&[]) > 0.0, "{}", parameter.name);
            }
        }
    }
}

/// Gives both the same weights, large enough to tell logits apart, and zero to the types that one of them has.
fn liken(with: &dyn Model, without: &dyn Model) {
    let _no_grad = tch::no_grad_guard();
    assert_eq!(with.parameters().len(), without.parameters().len() + 1);
    for (stream, parameter) in (0..).zip(without.parameters().iter()) {
        let mut values = vec![0f32; parameter.tensor.numel()];
        sagetrain_torch::Philox { seed: 5, step: 0, stream }.fill_normal(&mut values);
        let noise = Tensor::from_slice(&values).view(parameter.tensor.size().as_slice()) * 0.2;
        let mut tensor = parameter.tensor.shallow_clone();
        tensor += noise;
        with.parameters().tensor(&parameter.name).unwrap().copy_(&tensor);
    }
    let types =
        with.parameters().iter().find(|parameter| parameter.name.contains("token_type_embeddings")).unwrap();
    let _zero = types.tensor.shallow_clone().zero_();
}

/// transformers' words, what each means, and the word of the golden case that computes the same.
#[test]
fn every_word_for_an_activation_is_read_and_saved_again() {
    let numbers = numbers();
    let words = [
        ("gelu", "gelu", "gelu"),
        ("gelu_python", "gelu", "gelu"),
        ("gelu_new", "geluTanh", "gelu_new"),
        ("gelu_pytorch_tanh", "geluTanh", "gelu_pytorch_tanh"),
        ("gelu_python_tanh", "geluTanh", "gelu_new"),
        ("relu", "relu", "relu"),
        ("silu", "swish", "silu"),
        ("swish", "swish", "silu"),
    ];
    for kind in KINDS {
        for (word, activation, same) in words {
            let name = format!("{kind}-tiny");
            let folder = copy_of(&name);
            configure(folder.path(), json!({ "hidden_act": word }));
            let (model, report) = load_reporting(folder.path()).unwrap();
            assert_eq!(serde_json::to_value(model.spec()).unwrap()["activation"], activation, "{word}");
            assert!(report.unknown_settings.is_empty(), "{report:?}");
            let is_case = |case: &&Value| case["folder"] == name && case["config"]["hidden_act"] == same;
            let case = numbers["cases"].as_array().unwrap().iter().find(is_case).unwrap();
            let found = logits(model.as_ref(), &batch_of(&numbers, case));
            assert!(difference(&found, &floats(&case["logits"])) < 1e-5, "{kind} {word}");
            let saved = tempfile::tempdir().unwrap();
            model.save(saved.path()).unwrap();
            assert_eq!(config(saved.path())["hidden_act"], word);
            // So it does when the encoder gets another head.
            let head = json!({ "head": { "kind": "regression" } });
            let asked = FineTune::read("model", head.as_object().unwrap()).unwrap();
            fine_tune(folder.path(), &asked, 1).unwrap().0.save(saved.path()).unwrap();
            assert_eq!(config(saved.path())["hidden_act"], word);
        }
    }
}

/// The golden gradients come from a pass that computes every token of the last layer; ours computes the first ones.
#[test]
fn the_head_sees_what_all_hidden_states_show() {
    let numbers = numbers();
    let model = load(&golden("bert-tiny")).unwrap();
    let inputs = batch(&numbers["batch"]["bert"], true);
    let all = model.as_encoder().unwrap().hidden(&inputs, &evaluation()).unwrap();
    let first = all.index_select(0, &Tensor::from_slice(&[0i64, 4, 12, 14]));
    let weight = model.parameters().tensor("bert.pooler.dense.weight").unwrap();
    let bias = model.parameters().tensor("bert.pooler.dense.bias").unwrap();
    let expected = to_vec(&first.linear(&weight, Some(&bias)).tanh());
    assert!(difference(&pooled(model.as_ref(), &inputs), &expected) < 1e-6);
}

#[test]
fn a_batch_is_the_sum_of_its_sequences() {
    let numbers = numbers();
    for kind in KINDS {
        let model = load(&golden(&format!("{kind}-tiny"))).unwrap();
        let rows = &numbers["batch"][kind];
        let alone = (0..4).flat_map(|index| {
            let one = |name: &str| json!([rows[name][index]]);
            let types = if rows[TYPES].is_null() { Value::Null } else { one(TYPES) };
            logits(model.as_ref(), &batch(&json!({ TOKENS: one(TOKENS), TYPES: types }), true))
        });
        let difference = difference(&alone.collect::<Vec<_>>(), &logits(model.as_ref(), &batch(rows, true)));
        assert!(difference < 1e-5, "{kind} {difference}");
    }
}

#[test]
fn dropout_is_a_function_of_seed_and_step_and_off_in_evaluation() {
    let numbers = numbers();
    let model = load(&golden("roberta-tiny")).unwrap();
    let inputs = batch(&numbers["batch"]["roberta"], true);
    let training = |seed, step| {
        let forward = Forward { training: true, precision: Precision::Float32, seed, step, loss_scale: 1.0 };
        to_vec(&model.forward(&inputs, &forward).unwrap())
    };
    assert_eq!(training(1, 1), training(1, 1));
    assert_ne!(training(1, 1), training(1, 2));
    assert_ne!(training(1, 1), training(2, 1));
    assert_ne!(training(1, 1), logits(model.as_ref(), &inputs));
}

/// Each rate alone acts in training, differently from the others, and not in evaluation.
#[test]
fn every_dropout_acts_by_itself() {
    let numbers = numbers();
    for (kind, types) in [("bert", 2), ("roberta", 1)] {
        let inputs = batch(&numbers["batch"][kind], true);
        let outputs = |place: &str| {
            let mut spec = json!({
                "type": kind, "vocabularySize": 23, "hiddenSize": 12, "heads": 2, "layers": 2, "feedForwardSize": 20,
                "maxPositions": 16, "typeVocabularySize": types, "dropout": 0, "attentionDropout": 0,
                "head": { "kind": "classification", "classes": 3, "dropout": 0, "poolerDropout": 0 },
            });
            *spec.pointer_mut(place).unwrap() = json!(0.3);
            let model = create(&serde_json::from_value(spec).unwrap(), 1).unwrap();
            let forward =
                Forward { training: true, precision: Precision::Float32, seed: 3, step: 1, loss_scale: 1.0 };
            (to_vec(&model.forward(&inputs, &forward).unwrap()), logits(model.as_ref(), &inputs))
        };
        let found: Vec<_> =
            ["/dropout", "/attentionDropout", "/head/dropout", "/head/poolerDropout"].map(outputs).into();
        for (index, (trained, quiet)) in found.iter().enumerate() {
            assert_eq!(*quiet, found[0].1, "{kind} {index}");
            assert_ne!(trained, quiet, "{kind} {index}");
            assert_eq!(found.iter().filter(|(other, _)| other == trained).count(), 1, "{kind} {index}");
        }
    }
}

#[test]
fn bfloat16_stays_close_to_float32() {
    let numbers = numbers();
    for kind in KINDS {
        let model = load(&golden(&format!("{kind}-tiny"))).unwrap();
        let inputs = batch(&numbers["batch"][kind], true);
        let forward = Forward::evaluation(Precision::Bfloat16);
        let found = to_vec(&model.forward(&inputs, &forward).unwrap());
        let difference = difference(&found, &logits(model.as_ref(), &inputs));
        assert!(difference < 0.05, "{kind} {difference}");
        model.loss(&inputs, 0.0, &forward).unwrap().sum.backward();
        assert!(model.parameters().iter().all(|parameter| parameter.tensor.grad().defined()));
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let model = load(&golden("bert-tiny")).unwrap();
    let message = |rows: Value| {
        let error = model.loss(&batch(&rows, true), 0.0, &evaluation()).unwrap_err();
        assert_eq!(error.code(), "ERR_SHAPE");
        error.to_string()
    };
    let long: Vec<i32> = vec![1; 17];
    for (rows, expected) in [
        (json!({ "tokens": [[1, 23]], "label": [0] }), "column \"tokens\": ids of 0 to 22 are expected"),
        (json!({ "tokens": [long], "label": [0] }), "has 17 tokens, the model holds 16 (maxPositions)"),
        (
            json!({ "tokens": [[1, 2]], "types": [[0]], "label": [0] }),
            "column \"types\": sequences as long as those of \"tokens\"",
        ),
        (json!({ "tokens": [[1]], "types": [[2]], "label": [0] }), "column \"types\": ids of 0 to 1 are"),
        (json!({ "tokens": [[1]], "label": [3] }), "column \"label\": ids of 0 to 2 are expected, found 3"),
        (json!({ "tokens": [[1]], "label": [0, 1] }), "column \"label\": 2 sequences, \"tokens\" has 1"),
        (json!({ "tokens": [[1]] }), "column \"label\": sequences of ids expected"),
    ] {
        let message = message(rows);
        assert!(message.contains(expected), "{message}\n{expected}");
    }

    let model = load(&golden("roberta-tiny")).unwrap();
    let rows = json!({ "tokens": [[0, 2]], "target": [0.5, 1.0] });
    let error = model.loss(&batch(&rows, true), 0.0, &evaluation()).unwrap_err();
    assert_eq!(error.to_string(), "column \"target\": [1, 1] is expected, found [2, 1]");
    let rows = json!({ "tokens": [[0, 2]], "target": [0.5] });
    let error = model.loss(&batch(&rows, true), 0.1, &evaluation()).unwrap_err();
    assert_eq!(error.code(), "ERR_CONFIG");
    assert!(error.to_string().starts_with("labelSmoothing: "));
}
