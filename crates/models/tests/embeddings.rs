//! Which tables are one: their names, their initial values, and which rows are learnt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_models::{Model, ModelSpec, Role, create};
use serde_json::{Value, json};
use support::*;
use tch::Kind;

fn model(changes: Value) -> Box<dyn Model> {
    let mut spec = json!({
        "type": "transformer", "hiddenSize": 64, "heads": 4, "feedForwardSize": 32, "encoderLayers": 1,
        "decoderLayers": 1, "dropout": 0, "maxPositions": 16,
    });
    spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    create(&ModelSpec::read("model", &spec).unwrap(), 1).unwrap()
}

fn two(embeddings: &str) -> Box<dyn Model> {
    model(json!({ "sourceVocabularySize": 300, "targetVocabularySize": 200, "embeddings": embeddings }))
}

/// Parameters that have a row a token: name, shape and role.
fn tables(model: &dyn Model) -> Vec<(String, Vec<i64>, Role)> {
    let all = model.parameters().iter();
    let tables = all.filter(|parameter| matches!(parameter.role, Role::Embedding | Role::Output));
    tables.map(|one| (one.name.clone(), one.tensor.size(), one.role)).collect()
}

#[test]
fn every_sharing_has_its_tables() {
    let encoder = ("model.encoder.embed_tokens.weight".to_owned(), vec![300, 64], Role::Embedding);
    let decoder = ("model.decoder.embed_tokens.weight".to_owned(), vec![200, 64], Role::Embedding);
    let output = ("lm_head.weight".to_owned(), vec![200, 64], Role::Output);
    let shared = ("model.shared.weight".to_owned(), vec![300, 64], Role::Embedding);
    assert_eq!(tables(model(json!({ "vocabularySize": 300 })).as_ref()), [shared]);
    assert_eq!(tables(two("decoderShared").as_ref()), [encoder.clone(), decoder.clone()]);
    assert_eq!(tables(two("separate").as_ref()), [encoder, decoder, output]);
}

/// fairseq's `Embedding` and output projection: N(0, 1/d), the pad row of an embedding zero.
#[test]
fn tables_begin_as_those_of_fairseq() {
    let model = two("separate");
    for (name, shape, role) in tables(model.as_ref()) {
        let table = model.parameters().tensor(&name).unwrap();
        let pad = table.get(shape[0] - 1).abs().max().double_value(&[]);
        assert_eq!(pad == 0.0, role == Role::Embedding, "{name}");
        let rest = table.narrow(0, 0, shape[0] - 1);
        let variance = rest.square().mean(Kind::Double).double_value(&[]);
        assert!((variance * 64.0 - 1.0).abs() < 0.05, "{name}: {variance}");
        assert!(rest.mean(Kind::Double).double_value(&[]).abs() < 0.005, "{name}");
    }
}

/// Decoding starts from a vector that is zero and stays so; an output projection of its own is learnt whole.
#[test]
fn the_start_vector_is_not_learnt() {
    let inputs = batch(&[vec![5, 9, 0]], &[vec![7, 12, 0]]);
    for model in [model(json!({ "vocabularySize": 200 })), two("decoderShared"), two("separate")] {
        model.loss(&inputs, 0.1, &evaluation()).unwrap().sum.backward();
        let tables = tables(model.as_ref());
        for (name, _, role) in tables.iter().filter(|(name, ..)| !name.contains("encoder")) {
            let gradient = model.parameters().tensor(name).unwrap().grad();
            let start = gradient.get(199).abs().max().double_value(&[]);
            assert_eq!(start == 0.0, *role == Role::Embedding, "{name} {start}");
            assert!(gradient.get(7).abs().max().double_value(&[]) > 0.0, "{name}");
        }
    }
}

#[test]
fn every_vocabulary_is_checked_against_its_own_size() {
    let model = two("decoderShared");
    let refusal = |source, target| {
        let inputs = batch(&[vec![source, 0]], &[vec![target, 0]]);
        model.loss(&inputs, 0.0, &evaluation()).unwrap_err().to_string()
    };
    model.loss(&batch(&[vec![299, 0]], &[vec![199, 0]]), 0.0, &evaluation()).unwrap();
    assert_eq!(refusal(300, 5), "column \"source\": ids of 0 to 299 are expected, found 0 to 300");
    assert_eq!(refusal(5, 200), "column \"target\": ids of 0 to 199 are expected, found 0 to 200");
}

#[test]
fn scaling_can_be_left_out() {
    let (scaled, plain) = (
        model(json!({ "vocabularySize": 30 })),
        model(json!({ "vocabularySize": 30, "scaleEmbedding": false })),
    );
    let _no_grad = tch::no_grad_guard();
    let mut table = plain.parameters().tensor("model.shared.weight").unwrap();
    let inputs = batch(&[vec![5, 9, 0]], &[vec![7, 12, 0]]);
    let expected = logits(scaled.as_ref(), &inputs);
    assert_ne!(logits(plain.as_ref(), &inputs), expected);
    // A table √64 times as large is looked up as before, and its products are √64 times as large.
    let _ = table.g_mul_scalar_(8.0);
    let found: Vec<f64> = logits(plain.as_ref(), &inputs).iter().map(|value| value / 8.0).collect();
    assert!(difference(&found, &expected) < 1e-5);
}
