//! Beam search against exhaustive search, on a model and on the options' edges.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_models::{Translator, create};
use sagetrain_torch::Precision;
use sagetrain_trainer::{Hypothesis, ModelHandle, SearchOptions, search, wait};
use serde_json::json;
use tch::Tensor;

const SOURCES: [&[i32]; 3] = [&[2, 3, 0], &[4, 0], &[3, 2, 4, 0]];
const LONGEST: usize = 4;

fn tiny() -> Box<dyn sagetrain_models::Model> {
    let spec = json!({
        "type": "transformer", "vocabularySize": 6, "hiddenSize": 8, "encoderLayers": 1, "decoderLayers": 1,
        "heads": 2, "feedForwardSize": 16, "dropout": 0.0, "maxPositions": 16
    });
    let spec = sagetrain_models::ModelSpec::read("model", &spec).expect("a spec");
    create(&spec, 4).expect("a model")
}

fn options(beam: usize, length_penalty: f64) -> SearchOptions {
    SearchOptions { beam, length_penalty, max_length_ratio: 0.0, max_length_extra: LONGEST }
}

/// Every output up to the longest, scored token by token.
fn exhaustive(translator: &dyn Translator, source: &[i32], length_penalty: f64) -> Hypothesis {
    let mut best = Hypothesis { tokens: Vec::new(), score: f64::NEG_INFINITY };
    let mut prefixes = vec![(Vec::<i32>::new(), 0.0_f64)];
    while let Some((prefix, total)) = prefixes.pop() {
        let scores = next_scores(translator, source, &prefix);
        let ended = (total + scores[0]) / ((prefix.len() + 1) as f64).powf(length_penalty);
        if ended > best.score {
            best = Hypothesis { tokens: prefix.clone(), score: ended };
        }
        if prefix.len() + 1 < LONGEST {
            let live = scores.iter().enumerate().skip(1).filter(|(_, score)| score.is_finite());
            prefixes.extend(
                live.map(|(token, score)| ([prefix.clone(), vec![token as i32]].concat(), total + score)),
            );
        }
    }
    best
}

fn next_scores(translator: &dyn Translator, source: &[i32], prefix: &[i32]) -> Vec<f64> {
    let ragged =
        sagetrain_models::Ragged::new("source", source, &[0, source.len() as i64]).expect("a source");
    let mut cache = translator.start(&ragged, Precision::Float32).expect("a cache");
    let mut scores = Tensor::new();
    let start = translator.tokens().start;
    for token in std::iter::once(start).chain(prefix.iter().map(|&token| i64::from(token))) {
        scores = translator.step(&mut cache, &Tensor::from_slice(&[token])).expect("scores");
    }
    Vec::<f32>::try_from(scores.view([-1])).expect("floats").into_iter().map(f64::from).collect()
}

#[test]
fn a_beam_as_wide_as_the_search_space_is_exhaustive() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let _no_grad = tch::no_grad_guard();
    for length_penalty in [0.0, 1.0, 2.0] {
        // 4 live words (not </s>, not <pad>): at most 4 + 16 + 64 prefixes and as many outputs.
        let found =
            search(translator, &SOURCES, &options(1024, length_penalty), Precision::Float32).expect("found");
        for (source, found) in SOURCES.iter().zip(found) {
            let expected = exhaustive(translator, source, length_penalty);
            assert_eq!(found[0].tokens, expected.tokens, "penalty {length_penalty}");
            assert!((found[0].score - expected.score).abs() < 1e-5, "{} {}", found[0].score, expected.score);
            assert_eq!(found.len(), 1 + 4 + 16 + 64, "nothing is pruned");
        }
    }
}

#[test]
fn a_batch_finds_what_each_source_alone_finds() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let together = search(translator, &SOURCES, &options(3, 1.0), Precision::Float32).expect("found");
    for (source, together) in SOURCES.iter().zip(together) {
        let alone = search(translator, &[source], &options(3, 1.0), Precision::Float32).expect("found");
        let tokens = |found: &[Hypothesis]| found.iter().map(|h| h.tokens.clone()).collect::<Vec<_>>();
        assert_eq!(tokens(&together), tokens(&alone[0]));
    }
}

#[test]
fn no_more_hypotheses_than_the_beam_has_come_back() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    for beam in 1..=6 {
        let found = search(translator, &SOURCES, &options(beam, 0.0), Precision::Float32).expect("found");
        assert!(found.iter().all(|found| !found.is_empty() && found.len() <= beam), "beam {beam}");
    }
}

#[test]
fn scores_with_nan_are_an_error_that_names_the_source() {
    let spec = json!({
        "type": "transformer", "vocabularySize": 40, "hiddenSize": 16, "encoderLayers": 1, "decoderLayers": 1,
        "heads": 2, "feedForwardSize": 32, "dropout": 0.0, "maxPositions": 32
    });
    let spec = sagetrain_models::ModelSpec::read("model", &spec).expect("a spec");
    let model = wait(|reply| ModelHandle::create(spec, 5, reply)).expect("a model");
    let parameters = wait(|reply| model.parameters(reply)).expect("parameters");
    let embedding = parameters.iter().find(|info| info.shape == [40, 16]).expect("an embedding");
    let mut values = wait(|reply| model.read(embedding.name.clone(), reply)).expect("values").values;
    values[9 * 16] = f32::NAN;
    wait(|reply| model.write(embedding.name.clone(), values, reply)).expect("written");
    let translate = |max_length_extra| {
        let options = SearchOptions { max_length_ratio: 0.0, max_length_extra, ..SearchOptions::default() };
        wait(|reply| model.translate(vec![vec![2, 0], vec![3, 9, 4, 0]], options, reply))
    };
    // The output projection is the embedding: every row has a NaN, at the first step and at a forced end alike.
    for extra in [1, 5] {
        let error = translate(extra).expect_err("an error");
        assert_eq!(error.code(), "ERR_NON_FINITE");
        assert!(error.to_string().contains("source 1"), "the longest is searched first: {error}");
    }
}

#[test]
fn a_length_beyond_all_numbers_is_the_models() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let endless = SearchOptions { max_length_ratio: 1e300, ..options(2, 1.0) };
    let bounded = SearchOptions { max_length_ratio: 1e3, ..options(2, 1.0) };
    let found = |options| search(translator, &SOURCES, &options, Precision::Float32).expect("found");
    assert_eq!(found(endless), found(bounded));
}

#[test]
fn no_sources_and_bad_options_are_met_before_the_model() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    assert!(search(translator, &[], &options(3, 1.0), Precision::Float32).expect("found").is_empty());
    let error = search(translator, &SOURCES, &options(0, 1.0), Precision::Float32).expect_err("an error");
    assert!(error.to_string().contains("search.beam"), "{error}");
}
