//! What is saved here opens in transformers and computes the same there, and the other way round. Runs where SAGETRAIN_PYTHON names a
//! Python with torch and transformers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/python.rs"]
mod python;
mod support;

use std::path::Path;

use sagetrain_models::{Forward, Model, ModelSpec, create, load};
use sagetrain_torch::Precision;
use serde_json::{Value, json};
use support::*;
use tch::Tensor;

const BATCH: &str =
    r#"{"source": [[5, 9, 2, 17, 0], [33, 0]], "target": [[7, 12, 0], [20, 31, 6, 2, 19, 0]]}"#;

fn model(changes: &Value) -> Box<dyn Model> {
    let mut spec = json!({
        "preset": "transformer-small", "hiddenSize": 32, "heads": 4, "feedForwardSize": 48, "maxPositions": 40,
    });
    spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let model = create(&ModelSpec::read("model", &spec).unwrap(), 11).unwrap();
    // Fresh biases and norms would hide whether they are where they belong.
    let _no_grad = tch::no_grad_guard();
    for (index, parameter) in model.parameters().iter().enumerate().filter(|(_, one)| one.tensor.dim() == 1) {
        let mut values = vec![0f32; parameter.tensor.numel()];
        sagetrain_torch::Philox { seed: 5, step: 0, stream: index as u32 }.fill_normal(&mut values);
        let mut tensor = parameter.tensor.shallow_clone();
        tensor += Tensor::from_slice(&values) * 0.1;
    }
    model
}

/// What transformers' `generate` does with one beam and a `max_length` of 9: start, seven tokens, a forced end.
fn greedy(model: &dyn Model) -> Vec<Vec<i64>> {
    let translator = model.as_translator().unwrap();
    let sources: Vec<Vec<i32>> =
        serde_json::from_value(serde_json::from_str::<Value>(BATCH).unwrap()["source"].clone()).unwrap();
    let tokens = translator.tokens();
    let decoding = translator.decoding(Precision::Float32).unwrap();
    let translate = |source: Vec<i32>| {
        let mut cache = decoding.start(&ragged(&[source])).unwrap();
        let mut output = vec![tokens.start];
        while output.len() < 8 && *output.last().unwrap() != tokens.end {
            let logits = decoding.step(&mut cache, &output[output.len() - 1..]).unwrap().logits;
            let start = Tensor::from_slice(&[tokens.start]);
            let scores = logits.index_fill(1, &start, f64::NEG_INFINITY);
            output.push(scores.argmax(1, false).int64_value(&[0]));
        }
        if *output.last().unwrap() != tokens.end {
            output.push(tokens.end);
        }
        output
    };
    sources.into_iter().map(translate).collect()
}

fn saved() -> Vec<(Value, &'static str)> {
    let marian = |spec| (spec, "MarianMTModel");
    let mut variants = vec![
        marian(json!({ "vocabularySize": 50 })),
        marian(json!({
            "vocabularySize": 50, "decoderHeads": 2, "decoderFeedForwardSize": 40, "activation": "swish",
            "scaleEmbedding": false,
        })),
    ];
    for embeddings in ["decoderShared", "separate"] {
        variants.push(marian(json!({ "vocabularySize": 50, "embeddings": embeddings })));
        for [source, target] in [[50, 60], [60, 50]] {
            variants.push(marian(json!({
                "sourceVocabularySize": source, "targetVocabularySize": target, "embeddings": embeddings,
            })));
        }
    }
    for activation in ["relu", "gelu", "swish"] {
        let pre = json!({ "vocabularySize": 50, "normalization": "pre", "activation": activation });
        variants.push((pre, "PegasusForConditionalGeneration"));
    }
    variants
}

#[test]
fn transformers_computes_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let variants = saved();
    let mut arguments = vec![BATCH.to_owned()];
    let mut save = |spec: &Value| {
        let path = folder.path().join(arguments.len().to_string());
        std::fs::create_dir(&path).unwrap();
        let model = model(spec);
        model.save(&path).unwrap();
        arguments.push(path.to_str().unwrap().to_owned());
        model
    };
    let models: Vec<Box<dyn Model>> = variants.iter().map(|(spec, _)| save(spec)).collect();
    save(&json!({ "vocabularySize": 50, "normalization": "pre", "embeddings": "separate" }));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(reports) = python::run("transformers_logits.py", &arguments) else { return };
    for (index, ((spec, class), model)) in variants.iter().zip(&models).enumerate() {
        compare(spec, class, model.as_ref(), &reports[index]);
    }
    // What it cannot hold it refuses by name, and computes nothing.
    let error = reports[models.len()]["error"].as_str().unwrap();
    assert!(error.contains("sagetrain-transformer"), "{error}");
}

/// Logits and greedy output against those that transformers reports.
fn compare(spec: &Value, class: &str, model: &dyn Model, report: &Value) {
    assert_eq!(report["class"], class, "{spec} {report}");
    for keys in ["missing", "unexpected", "mismatched"] {
        assert_eq!(report[keys], json!([]), "{spec} {keys}");
    }
    let start = model.as_translator().unwrap().tokens().start;
    assert_eq!(report["generation"]["bad_words_ids"], json!([[start]]), "{spec}");
    let found = logits(model, &golden_batch(&serde_json::from_str(BATCH).unwrap()));
    let difference = difference(&found, &floats(&report["logits"]));
    assert!(difference < 1e-5, "{spec} {difference}");
    assert_eq!(report["greedy"], json!(greedy(model)), "{spec}");
}

/// A model to be made by transformers.
fn wanted(class: &str, changes: Value, unusual: &[&str]) -> Value {
    let mut config = json!({
        "vocab_size": 50, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
        "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 40,
        "activation_function": "relu", "scale_embedding": true, "pad_token_id": 49, "decoder_start_token_id": 49,
        "eos_token_id": 0, "forced_eos_token_id": 0,
    });
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({ "class": class, "config": config, "unusual": unusual })
}

#[test]
fn models_of_transformers_open_here() {
    let marian = |changes, unusual: &[&str]| wanted("MarianMTModel", changes, unusual);
    let pegasus = |changes, unusual: &[&str]| wanted("PegasusForConditionalGeneration", changes, unusual);
    let unshared = json!({ "share_encoder_decoder_embeddings": false });
    let models = [
        marian(json!({}), &[]),
        marian(json!({}), &["positions", "copies"]),
        marian(
            json!({
                "activation_function": "swish", "scale_embedding": false, "decoder_ffn_dim": 40,
                "decoder_attention_heads": 2,
            }),
            &["positions"],
        ),
        marian(json!({ "activation_function": "gelu", "encoder_layerdrop": 0.1 }), &[]),
        marian(unshared.clone(), &[]),
        marian(unshared, &["copies"]),
        marian(
            json!({
                "share_encoder_decoder_embeddings": false, "tie_word_embeddings": false, "decoder_vocab_size": 60,
                "decoder_start_token_id": 59,
            }),
            &[],
        ),
        pegasus(json!({}), &[]),
        pegasus(json!({ "activation_function": "gelu" }), &["positions", "copies"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let arguments = [folder.path().to_str().unwrap(), BATCH, &json!(models).to_string()];
    let Some(logits) = python::run("transformers_models.py", &arguments) else { return };
    for (index, wanted) in models.iter().enumerate() {
        open(&folder.path().join(index.to_string()), &floats(&logits[index]), wanted);
    }
}

/// Opens a model that transformers made, compares logits, and takes a step down its gradient.
fn open(folder: &Path, expected: &[f64], label: &Value) {
    let model = load(folder).unwrap_or_else(|error| panic!("{label}: {error}"));
    let inputs = golden_batch(&serde_json::from_str(BATCH).unwrap());
    let difference = difference(&logits(model.as_ref(), &inputs), expected);
    assert!(difference < 1e-4, "{label}: {difference}");

    let forward =
        Forward { training: true, precision: Precision::Float32, seed: 1, step: 1, loss_scale: 1.0 };
    let before = model.loss(&inputs, 0.1, &evaluation()).unwrap().sum.double_value(&[]);
    model.loss(&inputs, 0.1, &forward).unwrap().sum.backward();
    let no_grad = tch::no_grad_guard();
    for parameter in model.parameters().iter().filter(|parameter| parameter.tensor.grad().defined()) {
        let mut tensor = parameter.tensor.shallow_clone();
        tensor -= tensor.grad() * 1e-3;
    }
    drop(no_grad);
    let after = model.loss(&inputs, 0.1, &evaluation()).unwrap().sum.double_value(&[]);
    assert!(after < before, "{label}: {before} {after}");
}
