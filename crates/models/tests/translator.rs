//! Decoding step by step gives what the whole forward pass gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_models::{Model, Translator, create, load};
use sagetrain_torch::Precision;
use serde_json::json;
use support::*;
use tch::{Kind, Tensor};

const PAD: i64 = 36;

/// Log-probabilities of the last token's successor after `prefix`, by the whole forward pass; `<pad>` never comes out.
fn reference(model: &dyn Model, source: &[i32], prefix: &[i32]) -> Vec<f64> {
    let target = [prefix, &[0]].concat();
    let logits = model.forward(&batch(&[source.to_vec()], &[target]), &evaluation()).unwrap();
    let scores = logits.log_softmax(-1, Kind::Float).get(prefix.len() as i64);
    let mut scores = to_vec(&scores);
    scores[PAD as usize] = -1e30;
    scores
}

fn check(model: &dyn Model, sources: &[&[i32]], prefixes: &[Vec<i32>], scores: &Tensor) {
    for (row, (source, prefix)) in sources.iter().zip(prefixes).enumerate() {
        let mut found = to_vec(&scores.get(row as i64));
        assert_eq!(found[PAD as usize], f64::NEG_INFINITY);
        found[PAD as usize] = -1e30;
        let difference = difference(&found, &reference(model, source, prefix));
        assert!(difference < 1e-5, "row {row}: {difference}");
    }
}

fn golden_model() -> Box<dyn Model> {
    load(&golden("marian-tiny")).unwrap()
}

fn pre_norm_model() -> Box<dyn Model> {
    let spec = json!({
        "preset": "transformer-small", "vocabularySize": 37, "hiddenSize": 16, "heads": 2, "feedForwardSize": 8,
        "normalization": "pre", "activation": "gelu", "maxPositions": 64,
    });
    create(&serde_json::from_value(spec).unwrap(), 5).unwrap()
}

fn walk(model: &dyn Model) {
    let translator: &dyn Translator = model.as_translator().unwrap();
    let sources: [&[i32]; 3] = [&[5, 9, 2, 17, 0], &[33, 0], &[4, 4, 8, 21, 30, 11, 3, 0]];
    let rows: Vec<Vec<i32>> = sources.iter().map(|source| source.to_vec()).collect();
    let mut cache = translator.start(&ragged(&rows), Precision::Float32).unwrap();

    let scores = translator.step(&mut cache, &Tensor::from_slice(&[PAD; 3])).unwrap();
    check(model, &sources, &[vec![], vec![], vec![]], &scores);

    // Two, one and three hypotheses.
    translator.reorder(&mut cache, &[0, 0, 1, 2, 2, 2]).unwrap();
    let scores = translator.step(&mut cache, &Tensor::from_slice(&[7i64, 8, 9, 10, 11, 12])).unwrap();
    let sources: Vec<&[i32]> = [0, 0, 1, 2, 2, 2].map(|source| sources[source]).to_vec();
    check(model, &sources, &[vec![7], vec![8], vec![9], vec![10], vec![11], vec![12]], &scores);

    // The source in the middle is done, hypotheses change places and multiply.
    translator.reorder(&mut cache, &[1, 0, 5, 3, 5]).unwrap();
    let scores = translator.step(&mut cache, &Tensor::from_slice(&[20i64, 21, 22, 23, 24])).unwrap();
    let sources: Vec<&[i32]> = [1, 0, 5, 3, 5].map(|row: usize| sources[row]).to_vec();
    let prefixes = [vec![8, 20], vec![7, 21], vec![12, 22], vec![10, 23], vec![12, 24]];
    check(model, &sources, &prefixes, &scores);

    // Only the last source is left.
    translator.reorder(&mut cache, &[4]).unwrap();
    let scores = translator.step(&mut cache, &Tensor::from_slice(&[13i64])).unwrap();
    check(model, &sources[4..], &[vec![12, 24, 13]], &scores);
}

#[test]
fn steps_equal_the_forward_pass_post_norm() {
    walk(golden_model().as_ref());
}

#[test]
fn steps_equal_the_forward_pass_pre_norm() {
    walk(pre_norm_model().as_ref());
}

#[test]
fn bfloat16_steps_stay_close() {
    let model = golden_model();
    let translator = model.as_translator().unwrap();
    let mut cache = translator.start(&ragged(&[vec![5, 9, 2, 17, 0]]), Precision::Bfloat16).unwrap();
    let scores = translator.step(&mut cache, &Tensor::from_slice(&[PAD])).unwrap();
    let expected = reference(model.as_ref(), &[5, 9, 2, 17, 0], &[]);
    let found = to_vec(&scores.get(0));
    let difference = difference(&found[..36], &expected[..36]);
    assert!(difference < 0.1, "{difference}");
}

#[test]
fn rows_that_do_not_exist_or_mix_sources_are_refused() {
    let model = golden_model();
    let translator = model.as_translator().unwrap();
    let mut cache = translator.start(&ragged(&[vec![5, 0], vec![6, 0]]), Precision::Float32).unwrap();
    for rows in [&[0, 2][..], &[1, 0], &[-1], &[]] {
        assert_eq!(translator.reorder(&mut cache, rows).unwrap_err().code(), "ERR_ARGUMENT", "{rows:?}");
    }
    let error = translator.step(&mut cache, &Tensor::from_slice(&[PAD])).unwrap_err();
    assert_eq!(error.to_string(), "decoding: int64 ids [2] are expected, found Int64 [1]");
}

#[test]
fn decoding_ends_where_the_positions_end() {
    let model = golden_model();
    let translator = model.as_translator().unwrap();
    let mut cache = translator.start(&ragged(&[vec![5, 0]]), Precision::Float32).unwrap();
    for _ in 0..translator.longest() {
        let _scores = translator.step(&mut cache, &Tensor::from_slice(&[3i64])).unwrap();
    }
    let error = translator.step(&mut cache, &Tensor::from_slice(&[3i64])).unwrap_err();
    assert!(error.to_string().contains("32 positions"), "{error}");
}
