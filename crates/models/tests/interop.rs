//! What is saved here opens in transformers and computes the same there, and the other way round. Runs where SAGETRAIN_PYTHON names a
//! Python with torch and transformers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/python.rs"]
mod python;
mod support;

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

/// Saves a model, and compares logits and greedy output with what transformers computes from the folder.
fn compare(changes: Value, class: &str) {
    let (model, folder) = (model(&changes), tempfile::tempdir().unwrap());
    model.save(folder.path()).unwrap();
    let arguments = [folder.path().to_str().unwrap(), BATCH];
    let Some(output) = python::run("torch, transformers", "transformers_logits.py", &arguments) else {
        return;
    };
    let report = python::report(&output);
    assert_eq!(report["class"], class, "{changes}");
    for keys in ["missing", "unexpected", "mismatched"] {
        assert_eq!(report[keys], json!([]), "{changes} {keys}");
    }
    let start = model.as_translator().unwrap().tokens().start;
    assert_eq!(report["generation"]["bad_words_ids"], json!([[start]]), "{changes}");
    let found = logits(model.as_ref(), &golden_batch(&serde_json::from_str(BATCH).unwrap()));
    let difference = difference(&found, &floats(&report["logits"]));
    assert!(difference < 1e-5, "{changes} {difference}");
    assert_eq!(report["greedy"], json!(greedy(model.as_ref())), "{changes}");
}

/// What transformers' `generate` does with one beam and a `max_length` of 9: start, seven tokens, a forced end.
fn greedy(model: &dyn Model) -> Vec<Vec<i64>> {
    let translator = model.as_translator().unwrap();
    let sources: Vec<Vec<i32>> =
        serde_json::from_value(serde_json::from_str::<Value>(BATCH).unwrap()["source"].clone()).unwrap();
    let tokens = translator.tokens();
    let translate = |source: Vec<i32>| {
        let mut cache = translator.start(&ragged(&[source]), Precision::Float32).unwrap();
        let mut output = vec![tokens.start];
        while output.len() < 8 && *output.last().unwrap() != tokens.end {
            let scores =
                translator.step(&mut cache, &Tensor::from_slice(&output[output.len() - 1..])).unwrap();
            output.push(scores.argmax(1, false).int64_value(&[0]));
        }
        if *output.last().unwrap() != tokens.end {
            output.push(tokens.end);
        }
        output
    };
    sources.into_iter().map(translate).collect()
}

#[test]
fn transformers_computes_the_same_post_norm() {
    compare(json!({ "vocabularySize": 50 }), "MarianMTModel");
    let decoder = json!({
        "vocabularySize": 50, "decoderHeads": 2, "decoderFeedForwardSize": 40, "activation": "swish",
        "scaleEmbedding": false,
    });
    compare(decoder, "MarianMTModel");
}

#[test]
fn transformers_computes_the_same_with_other_sharings() {
    for embeddings in ["decoderShared", "separate"] {
        compare(json!({ "vocabularySize": 50, "embeddings": embeddings }), "MarianMTModel");
        for [source, target] in [[50, 60], [60, 50]] {
            let two = json!({
                "sourceVocabularySize": source, "targetVocabularySize": target, "embeddings": embeddings,
            });
            compare(two, "MarianMTModel");
        }
    }
}

#[test]
fn transformers_computes_the_same_pre_norm() {
    for activation in ["relu", "gelu", "swish"] {
        let pre = json!({ "vocabularySize": 50, "normalization": "pre", "activation": activation });
        compare(pre, "PegasusForConditionalGeneration");
    }
}

#[test]
fn transformers_refuses_what_it_cannot_hold_by_name() {
    let folder = tempfile::tempdir().unwrap();
    model(&json!({ "vocabularySize": 50, "normalization": "pre", "embeddings": "separate" }))
        .save(folder.path())
        .unwrap();
    let arguments = [folder.path().to_str().unwrap(), BATCH];
    let Some(output) = python::run("torch, transformers", "transformers_logits.py", &arguments) else {
        return;
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains("sagetrain-transformer"), "{errors}");
}

/// Opens a model that transformers made, compares logits, and takes a step down its gradient.
fn open(class: &str, changes: Value, unusual: &[&str]) {
    let mut settings = json!({
        "vocab_size": 50, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
        "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 40,
        "activation_function": "relu", "scale_embedding": true, "pad_token_id": 49, "decoder_start_token_id": 49,
        "eos_token_id": 0, "forced_eos_token_id": 0,
    });
    settings.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let folder = tempfile::tempdir().unwrap();
    let (path, settings, unusual) =
        (folder.path().to_str().unwrap(), settings.to_string(), json!(unusual).to_string());
    let arguments = [path, class, &settings, BATCH, &unusual];
    let Some(output) = python::run("torch, transformers", "transformers_models.py", &arguments) else {
        return;
    };
    let report = python::report(&output);
    let label = format!("{class} {changes} {unusual}");

    let model = load(folder.path()).unwrap_or_else(|error| panic!("{label}: {error}"));
    let inputs = golden_batch(&serde_json::from_str(BATCH).unwrap());
    let difference = difference(&logits(model.as_ref(), &inputs), &floats(&report["logits"]));
    assert!(difference < 1e-4, "{label}: {difference}");

    let forward = Forward { training: true, precision: Precision::Float32, seed: 1, step: 1 };
    let before = model.loss(&inputs, 0.1, &evaluation()).unwrap().sum.double_value(&[]);
    model.loss(&inputs, 0.1, &forward).unwrap().sum.backward();
    let no_grad = tch::no_grad_guard();
    for parameter in model.parameters().iter() {
        let mut tensor = parameter.tensor.shallow_clone();
        tensor -= tensor.grad() * 1e-3;
    }
    drop(no_grad);
    let after = model.loss(&inputs, 0.1, &evaluation()).unwrap().sum.double_value(&[]);
    assert!(after < before, "{label}: {before} {after}");
}

#[test]
fn marian_models_of_transformers_open_here() {
    open("MarianMTModel", json!({}), &[]);
    open("MarianMTModel", json!({}), &["positions", "copies"]);
    let other = json!({
        "activation_function": "swish", "scale_embedding": false, "decoder_ffn_dim": 40, "decoder_attention_heads": 2,
    });
    open("MarianMTModel", other, &["positions"]);
    open("MarianMTModel", json!({ "activation_function": "gelu", "encoder_layerdrop": 0.1 }), &[]);
    let unshared = json!({ "share_encoder_decoder_embeddings": false });
    open("MarianMTModel", unshared.clone(), &[]);
    open("MarianMTModel", unshared, &["copies"]);
    let separate = json!({
        "share_encoder_decoder_embeddings": false, "tie_word_embeddings": false, "decoder_vocab_size": 60,
        "decoder_start_token_id": 59,
    });
    open("MarianMTModel", separate, &[]);
}

#[test]
fn pegasus_models_of_transformers_open_here() {
    open("PegasusForConditionalGeneration", json!({}), &[]);
    open(
        "PegasusForConditionalGeneration",
        json!({ "activation_function": "gelu" }),
        &["positions", "copies"],
    );
}
