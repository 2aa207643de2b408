//! Encoders that are saved here open in transformers and compute the same there, and the other way round. Runs where SAGETRAIN_PYTHON
//! names a Python with torch and transformers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/bert.rs"]
mod encoders;
#[path = "support/python.rs"]
mod python;
mod support;

use encoders::{batch, hidden};
use sagetrain_models::{FineTune, Model, ModelSpec, create, fine_tune, load};
use serde_json::{Value, json};
use support::*;
use tch::Tensor;

fn rows() -> Value {
    json!({
        "tokens": [[10, 5, 9, 2], [10, 2], [10, 17, 16, 2, 12, 13, 2]],
        "types": [[0, 0, 0, 0], [0, 0], [0, 0, 0, 0, 1, 1, 1]],
    })
}

fn model(changes: &Value) -> Box<dyn Model> {
    let mut spec = json!({
        "type": "bert", "vocabularySize": 20, "hiddenSize": 16, "heads": 4, "feedForwardSize": 24, "layers": 2,
        "maxPositions": 12,
    });
    spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let model = create(&ModelSpec::read("model", &spec).unwrap(), 11).unwrap();
    // Fresh weights are so small that all logits are alike, and fresh biases and norms hide whether they are where they belong.
    let _no_grad = tch::no_grad_guard();
    for (index, parameter) in model.parameters().iter().enumerate() {
        let mut values = vec![0f32; parameter.tensor.numel()];
        sagetrain_torch::Philox { seed: 5, step: 0, stream: index as u32 }.fill_normal(&mut values);
        let mut tensor = parameter.tensor.shallow_clone();
        tensor += Tensor::from_slice(&values).view(parameter.tensor.size().as_slice()) * 0.2;
    }
    model
}

#[test]
fn transformers_computes_the_same() {
    let head = json!({ "kind": "classification", "classes": 3, "labels": ["a", "b", "c"] });
    let number = json!({ "kind": "regression", "dropout": 0.0, "poolerDropout": 0.3 });
    let mut variants = Vec::new();
    for (kind, types) in [("bert", 2), ("bert", 1), ("roberta", 1), ("roberta", 2)] {
        for (head, activation) in [(&head, "gelu"), (&number, "geluTanh")] {
            variants.push(json!({
                "type": kind, "typeVocabularySize": types, "head": head, "activation": activation, "layerNormEps": 1e-6,
            }));
        }
    }
    variants.push(json!({ "type": "roberta", "typeVocabularySize": 1, "padId": 4, "head": head, "activation": "swish" }));
    variants.push(json!({ "head": head, "activation": "relu" }));
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec![rows().to_string()];
    let mut save = |spec: &Value| {
        let path = folder.path().join(arguments.len().to_string());
        std::fs::create_dir(&path).unwrap();
        let model = model(spec);
        model.save(&path).unwrap();
        arguments.push(path.to_str().unwrap().to_owned());
        model
    };
    let models: Vec<Box<dyn Model>> = variants.iter().map(&mut save).collect();
    save(&json!({ "typeVocabularySize": 0, "head": head }));
    let encoder = save(&json!({ "activation": "swish" }));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(reports) = python::run("bert_logits.py", &arguments) else { return };
    for ((spec, model), report) in variants.iter().zip(&models).zip(reports.as_array().unwrap()) {
        compare(spec, model.as_ref(), report);
    }
    // What it cannot hold it refuses by name; a bare encoder has the same hidden states.
    let error = reports[models.len()]["error"].as_str().unwrap();
    assert!(error.contains("sagetrain-bert"), "{error}");
    let report = &reports[models.len() + 1];
    let difference = difference(&hidden(encoder.as_ref(), &batch(&rows(), true)), &floats(&report["hidden"]));
    assert!(difference < 1e-5, "{difference}");
    assert_eq!(report["unexpected"], json!([]));
}

fn compare(spec: &Value, model: &dyn Model, report: &Value) {
    assert_eq!(report["error"], Value::Null, "{spec}");
    for keys in ["missing", "unexpected", "mismatched"] {
        assert_eq!(report[keys], json!([]), "{spec} {keys}");
    }
    let is_number = spec["head"]["kind"] == "regression";
    let labels = if is_number { json!(["LABEL_0"]) } else { spec["head"]["labels"].clone() };
    let problem = if is_number { "regression" } else { "single_label_classification" };
    assert_eq!((&report["labels"], &report["problem"]), (&labels, &json!(problem)), "{spec}");
    assert_eq!(report["dtype"], "torch.float32");
    let inputs = batch(&rows(), spec["typeVocabularySize"] != 1);
    for (found, key) in [(logits(model, &inputs), "logits"), (hidden(model, &inputs), "hidden")] {
        let difference = difference(&found, &floats(&report[key]));
        assert!(difference < 1e-5, "{spec} {key} {difference}");
    }
}

/// A model to be made by transformers.
fn wanted(class: &str, changes: Value, more: Value) -> Value {
    let mut config = json!({
        "vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24,
        "max_position_embeddings": 20,
    });
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let mut wanted = json!({ "class": class, "config": config });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wanted
}

#[test]
fn models_of_transformers_open_here() {
    let none = || json!({});
    let shards = || json!({ "save": { "max_shard_size": "4KB" } });
    let models = [
        wanted("BertModel", none(), none()),
        wanted(
            "BertModel",
            json!({ "hidden_act": "gelu_new", "layer_norm_eps": 1e-3 }),
            json!({ "gamma": true }),
        ),
        wanted("BertForPreTraining", json!({ "hidden_act": "relu" }), shards()),
        wanted("BertForMaskedLM", json!({ "type_vocab_size": 1 }), json!({ "gamma": true })),
        wanted("BertForSequenceClassification", json!({ "num_labels": 5, "hidden_act": "silu" }), shards()),
        wanted("BertForTokenClassification", json!({ "num_labels": 5 }), none()),
        wanted("RobertaForQuestionAnswering", none(), none()),
        wanted("RobertaModel", none(), none()),
        wanted("RobertaForMaskedLM", json!({ "type_vocab_size": 1, "layer_norm_eps": 1e-5 }), shards()),
        wanted(
            "RobertaForSequenceClassification",
            json!({ "num_labels": 1, "hidden_act": "gelu_pytorch_tanh", "pad_token_id": 3 }),
            json!({ "dtype": "bfloat16" }),
        ),
        wanted("BertForSequenceClassification", none(), json!({ "dtype": "float16" })),
    ];
    let folder = tempfile::tempdir().unwrap();
    let arguments = [folder.path().to_str().unwrap(), &rows().to_string(), &json!(models).to_string()];
    let Some(outputs) = python::run("bert_models.py", &arguments) else { return };
    for (index, wanted) in models.iter().enumerate() {
        let path = folder.path().join(index.to_string());
        let head = json!({ "head": { "kind": "classification", "classes": 3 } });
        let asked = FineTune::read("model", head.as_object().unwrap()).unwrap();
        let (tuned, report) = fine_tune(&path, &asked, 1).unwrap_or_else(|error| panic!("{wanted}: {error}"));
        let inputs = batch(&rows(), false);
        let expected = &outputs[index];
        let difference_of = |found: Vec<f64>, key: &str| difference(&found, &floats(&expected[key]));
        let found = difference_of(hidden(&tuned, &inputs), "hidden");
        assert!(found < 1e-5, "{wanted} {found}");
        assert_eq!(report.unknown_settings, [""; 0], "{wanted}");
        let model = load(&path).unwrap_or_else(|error| panic!("{wanted}: {error}"));
        let found = difference_of(hidden(model.as_ref(), &inputs), "hidden");
        assert!(found < 1e-5, "{wanted} {found}");
        if wanted["class"].as_str().unwrap().ends_with("SequenceClassification") {
            let found = difference_of(logits(model.as_ref(), &inputs), "logits");
            assert!(found < 1e-5, "{wanted} {found}");
        }
    }
}
