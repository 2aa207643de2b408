//! Decoding step by step gives what the whole forward pass gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_models::{Cache, Decoding, Ensemble, Model, create, load};
use sagetrain_torch::Precision;
use serde_json::json;
use support::*;
use tch::{Kind, Tensor};

const PAD: i64 = 36;

/// Log-probabilities of the last token's successor after `prefix`, by the whole forward pass.
fn reference(model: &dyn Model, source: &[i32], prefix: &[i32]) -> Vec<f64> {
    let target = [prefix, &[0]].concat();
    let logits = model.forward(&batch(&[source.to_vec()], &[target]), &evaluation()).unwrap();
    to_vec(&logits.log_softmax(-1, Kind::Float).get(prefix.len() as i64))
}

fn step(decoding: &dyn Decoding, cache: &mut Cache, last: &[i64]) -> Tensor {
    decoding.step(cache, last).unwrap().logits.log_softmax(-1, Kind::Float)
}

fn check(model: &dyn Model, sources: &[&[i32]], prefixes: &[Vec<i32>], scores: &Tensor) {
    for (row, (source, prefix)) in sources.iter().zip(prefixes).enumerate() {
        let found = to_vec(&scores.get(row as i64));
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
    let decoding = model.as_translator().unwrap().decoding(Precision::Float32).unwrap();
    let sources: [&[i32]; 3] = [&[5, 9, 2, 17, 0], &[33, 0], &[4, 4, 8, 21, 30, 11, 3, 0]];
    let rows: Vec<Vec<i32>> = sources.iter().map(|source| source.to_vec()).collect();
    let mut cache = decoding.start(&ragged(&rows)).unwrap();

    let scores = step(decoding.as_ref(), &mut cache, &[PAD; 3]);
    check(model, &sources, &[vec![], vec![], vec![]], &scores);

    // Two, one and three hypotheses.
    cache.reorder(&[0, 0, 1, 2, 2, 2]).unwrap();
    let scores = step(decoding.as_ref(), &mut cache, &[7, 8, 9, 10, 11, 12]);
    let sources: Vec<&[i32]> = [0, 0, 1, 2, 2, 2].map(|source| sources[source]).to_vec();
    check(model, &sources, &[vec![7], vec![8], vec![9], vec![10], vec![11], vec![12]], &scores);

    // The source in the middle is done, hypotheses change places and multiply.
    cache.reorder(&[1, 0, 5, 3, 5]).unwrap();
    let scores = step(decoding.as_ref(), &mut cache, &[20, 21, 22, 23, 24]);
    let sources: Vec<&[i32]> = [1, 0, 5, 3, 5].map(|row: usize| sources[row]).to_vec();
    let prefixes = [vec![8, 20], vec![7, 21], vec![12, 22], vec![10, 23], vec![12, 24]];
    check(model, &sources, &prefixes, &scores);

    // Only the last source is left.
    cache.reorder(&[4]).unwrap();
    let scores = step(decoding.as_ref(), &mut cache, &[13]);
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
    let decoding = model.as_translator().unwrap().decoding(Precision::Bfloat16).unwrap();
    let mut cache = decoding.start(&ragged(&[vec![5, 9, 2, 17, 0]])).unwrap();
    let scores = step(decoding.as_ref(), &mut cache, &[PAD]);
    let expected = reference(model.as_ref(), &[5, 9, 2, 17, 0], &[]);
    let found = to_vec(&scores.get(0));
    let difference = difference(&found[..36], &expected[..36]);
    assert!(difference < 0.1, "{difference}");
}

#[test]
fn rows_that_do_not_exist_or_mix_sources_are_refused() {
    let model = golden_model();
    let decoding = model.as_translator().unwrap().decoding(Precision::Float32).unwrap();
    let mut cache = decoding.start(&ragged(&[vec![5, 0], vec![6, 0]])).unwrap();
    for rows in [&[0, 2][..], &[1, 0], &[9], &[]] {
        assert_eq!(cache.reorder(rows).unwrap_err().code(), "ERR_ARGUMENT", "{rows:?}");
    }
    let error = decoding.step(&mut cache, &[PAD]).unwrap_err();
    assert_eq!(error.to_string(), "decoding: 2 ids are expected, one a row, found 1");
}

#[test]
fn decoding_ends_where_the_positions_end() {
    let model = golden_model();
    let translator = model.as_translator().unwrap();
    let decoding = translator.decoding(Precision::Float32).unwrap();
    let mut cache = decoding.start(&ragged(&[vec![5, 0]])).unwrap();
    for _ in 0..translator.longest() {
        decoding.step(&mut cache, &[3]).unwrap();
    }
    let error = decoding.step(&mut cache, &[3]).unwrap_err();
    assert!(error.to_string().contains("32 positions"), "{error}");
}

#[test]
fn a_watched_cache_says_where_the_last_layer_looked() {
    let model = golden_model();
    let decoding = model.as_translator().unwrap().decoding(Precision::Float32).unwrap();
    let sources = ragged(&[vec![5, 9, 2, 17, 0], vec![33, 0]]);
    let mut cache = decoding.start(&sources).unwrap();
    assert!(decoding.step(&mut cache, &[PAD; 2]).unwrap().attention.is_none());
    cache.watch();
    cache.reorder(&[0, 0, 1]).unwrap();
    let weights = decoding.step(&mut cache, &[3, 4, 5]).unwrap().attention.unwrap();
    let lengths: Vec<usize> = (0..3).map(|row| weights.row(row).len()).collect();
    assert_eq!(lengths, [5, 5, 2]);
    for row in 0..3 {
        assert!((weights.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

/// Two models of the golden one's vocabulary.
fn pair() -> [Box<dyn Model>; 2] {
    [golden_model(), pre_norm_model()]
}

#[test]
fn an_ensemble_means_its_members_probabilities() {
    let ensemble = Ensemble::new(pair().into()).unwrap();
    let decoding = ensemble.as_translator().unwrap().decoding(Precision::Float32).unwrap();
    let sources: Vec<Vec<i32>> = vec![vec![5, 9, 2, 0], vec![4, 8, 0]];
    let mut cache = decoding.start(&ragged(&sources)).unwrap();
    let _scores = step(decoding.as_ref(), &mut cache, &[PAD; 2]);
    cache.reorder(&[0, 0, 1]).unwrap();
    assert_eq!((cache.rows(), cache.decoded()), (3, 1));
    let scores = step(decoding.as_ref(), &mut cache, &[7, 8, 9]);
    for (row, (source, token)) in [(0, 7), (0, 8), (1, 9)].into_iter().enumerate() {
        let members = pair().map(|member| reference(member.as_ref(), &sources[source], &[token]));
        let mean: Vec<f64> =
            members[0].iter().zip(&members[1]).map(|(a, b)| ((a.exp() + b.exp()) / 2.0).ln()).collect();
        let found = to_vec(&scores.get(row as i64));
        assert!(difference(&found, &mean) < 1e-5);
    }
}

#[test]
fn an_ensembles_loss_is_that_of_the_mean_probabilities() {
    let inputs = batch(&[vec![5, 9, 0], vec![4, 0]], &[vec![7, 8, 0], vec![3, 0]]);
    let ensemble = Ensemble::new(pair().into()).unwrap();
    let loss = ensemble.loss(&inputs, 0.1, &evaluation()).unwrap();
    let logits =
        pair().map(|member| member.forward(&inputs, &evaluation()).unwrap().softmax(-1, Kind::Double));
    let scores = ((&logits[0] + &logits[1]) / 2.0).log();
    let target = Tensor::from_slice(&[7i64, 8, 0, 3, 0]);
    let nll = -scores.gather(1, &target.unsqueeze(1), false).sum(Kind::Double).double_value(&[]);
    let spread = 0.1 / 36.0;
    let sum = (0.9 - spread) * nll - spread * scores.sum(Kind::Double).double_value(&[]);
    assert_eq!(loss.count, 5);
    assert!((loss.nll.double_value(&[]) - nll).abs() < 1e-4);
    assert!((loss.sum.double_value(&[]) - sum).abs() < 1e-4);
    // A model alone is its own ensemble.
    let alone = Ensemble::new(vec![golden_model()]).unwrap().loss(&inputs, 0.1, &evaluation()).unwrap();
    let model = golden_model().loss(&inputs, 0.1, &evaluation()).unwrap();
    assert!((alone.sum.double_value(&[]) - model.sum.double_value(&[])).abs() < 1e-4);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let error = |members| Ensemble::new(members).err().unwrap();
    assert_eq!(error(vec![]).code(), "ERR_ARGUMENT");
    let spec = json!({ "type": "mlp", "inputs": 2, "hidden": [3], "classes": 2 });
    let mlp = create(&serde_json::from_value(spec).unwrap(), 1).unwrap();
    assert!(error(vec![golden_model(), mlp]).to_string().contains("model 1 of the ensemble"));
    let spec = json!({ "preset": "transformer-small", "vocabularySize": 38, "hiddenSize": 16, "heads": 2 });
    let other = create(&serde_json::from_value(spec).unwrap(), 1).unwrap();
    assert!(error(vec![golden_model(), other]).to_string().contains("[[37, 37], [38, 38]]"));
    let two = |source: usize| {
        let spec = json!({
            "preset": "transformer-small", "sourceVocabularySize": source, "targetVocabularySize": 37, "hiddenSize": 16,
            "heads": 2,
        });
        create(&serde_json::from_value(spec).unwrap(), 1).unwrap()
    };
    assert!(Ensemble::new(vec![two(40), two(40)]).is_ok());
    assert!(error(vec![two(40), two(41)]).to_string().contains("[[40, 37], [41, 37]]"));
    let ensemble = Ensemble::new(pair().into()).unwrap();
    assert_eq!(ensemble.save(std::path::Path::new("nowhere")).unwrap_err().code(), "ERR_ARGUMENT");
    assert!(ensemble.parameters().iter().next().is_none());
}
