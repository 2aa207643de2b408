//! Beam search against exhaustive search, on a model and on the options' edges.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_models::{Translator, create};
use sagetrain_torch::Precision;
use sagetrain_trainer::{
    Hypothesis, LengthNormalization, ModelHandle, Request, Sampling, SearchOptions, Searcher, TrainerError,
    wait,
};
use serde_json::json;
use std::sync::atomic::AtomicBool;
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
    SearchOptions {
        beam,
        length_penalty,
        max_length_ratio: 0.0,
        max_length_extra: LONGEST,
        ..SearchOptions::default()
    }
}

fn requests(sources: &[&[i32]]) -> Vec<Request> {
    Request::all(sources.iter().map(|source| source.to_vec()).collect())
}

/// All requests as one batch.
fn find(
    translator: &dyn Translator,
    requests: &[Request],
    options: SearchOptions,
) -> Result<Vec<Vec<Hypothesis>>, TrainerError> {
    let requests: Vec<&Request> = requests.iter().collect();
    Searcher::new(translator, options, Precision::Float32)?.search(&requests, &AtomicBool::new(false))
}

fn search(
    translator: &dyn Translator,
    sources: &[&[i32]],
    options: &SearchOptions,
) -> Result<Vec<Vec<Hypothesis>>, TrainerError> {
    find(translator, &requests(sources), *options)
}

/// Every output up to the longest, scored token by token.
fn exhaustive(translator: &dyn Translator, source: &[i32], length_penalty: f64) -> Hypothesis {
    let mut best = hypothesis(Vec::new(), f64::NEG_INFINITY);
    let mut prefixes = vec![(Vec::<i32>::new(), 0.0_f64)];
    while let Some((prefix, total)) = prefixes.pop() {
        let scores = next_scores(translator, source, &prefix);
        let ended = (total + scores[0]) / ((prefix.len() + 1) as f64).powf(length_penalty);
        if ended > best.score {
            best = hypothesis(prefix.clone(), ended);
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

fn hypothesis(tokens: Vec<i32>, score: f64) -> Hypothesis {
    Hypothesis { tokens, score, alignment: Vec::new() }
}

fn next_scores(translator: &dyn Translator, source: &[i32], prefix: &[i32]) -> Vec<f64> {
    let ragged =
        sagetrain_models::Ragged::new("source", source, &[0, source.len() as i64]).expect("a source");
    let decoding = translator.decoding(Precision::Float32).expect("weights");
    let mut cache = decoding.start(&ragged).expect("a cache");
    let mut logits = Tensor::new();
    let start = translator.tokens().start;
    for token in std::iter::once(start).chain(prefix.iter().map(|&token| i64::from(token))) {
        logits = decoding.step(&mut cache, &[token]).expect("scores").logits;
    }
    let scores = logits.log_softmax(-1, tch::Kind::Double).view([-1]);
    let mut scores = Vec::<f64>::try_from(scores).expect("floats");
    scores[start as usize] = f64::NEG_INFINITY;
    scores
}

#[test]
fn a_beam_as_wide_as_the_search_space_is_exhaustive() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let _no_grad = tch::no_grad_guard();
    for length_penalty in [0.0, 1.0, 2.0] {
        // 4 live words (not </s>, not <pad>): at most 4 + 16 + 64 prefixes and as many outputs.
        let found = search(translator, &SOURCES, &options(1024, length_penalty)).expect("found");
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
    let together = search(translator, &SOURCES, &options(3, 1.0)).expect("found");
    for (source, together) in SOURCES.iter().zip(together) {
        let alone = search(translator, &[source], &options(3, 1.0)).expect("found");
        let tokens = |found: &[Hypothesis]| found.iter().map(|h| h.tokens.clone()).collect::<Vec<_>>();
        assert_eq!(tokens(&together), tokens(&alone[0]));
    }
}

#[test]
fn no_more_hypotheses_than_the_beam_has_come_back() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    for beam in 1..=6 {
        let found = search(translator, &SOURCES, &options(beam, 0.0)).expect("found");
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
    let translate = |max_length_extra, sampling| {
        let options =
            SearchOptions { max_length_ratio: 0.0, max_length_extra, sampling, ..SearchOptions::default() };
        let requests = requests(&[&[2, 0], &[3, 9, 4, 0]]);
        wait(|reply| model.translate(requests, options, reply))
    };
    // The output projection is the embedding: every row has a NaN, at the first step and at a forced end alike.
    for (extra, sampling) in [(1, None), (5, None), (5, Some(Sampling::default()))] {
        let error = translate(extra, sampling).expect_err("an error");
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
    let found = |options| search(translator, &SOURCES, &options).expect("found");
    assert_eq!(found(endless), found(bounded));
}

#[test]
fn no_sources_and_bad_options_are_met_before_the_model() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    assert!(search(translator, &[], &options(3, 1.0)).expect("found").is_empty());
    let error = search(translator, &SOURCES, &options(0, 1.0)).expect_err("an error");
    assert!(error.to_string().contains("search.beam"), "{error}");
}

#[test]
fn a_shortest_and_a_longest_length_hold() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    for min_length in 0..LONGEST {
        let options = SearchOptions { min_length, ..options(1024, 0.0) };
        let found = search(translator, &SOURCES, &options).expect("found");
        let lengths = |found: &[Hypothesis]| found.iter().map(|one| one.tokens.len()).min();
        assert!(found.iter().all(|found| lengths(found) == Some(min_length)), "{min_length}");
    }
    let options = SearchOptions { max_length: Some(2), ..options(1024, 0.0) };
    let found = search(translator, &SOURCES, &options).expect("found");
    assert!(found.iter().flatten().all(|one| one.tokens.len() <= 1));
    assert_eq!(found[0].len(), 1 + 4);
}

#[test]
fn gnmts_length_normalisation_is_its_definition() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let plain = search(translator, &SOURCES, &options(1024, 0.0)).expect("found");
    let gnmt = SearchOptions { length_normalization: LengthNormalization::Gnmt, ..options(1024, 0.6) };
    let found = search(translator, &SOURCES, &gnmt).expect("found");
    for (plain, found) in plain.iter().zip(&found) {
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for one in found {
            let same = plain.iter().find(|other| other.tokens == one.tokens).expect("the same output");
            let expected = same.score / ((5.0 + (one.tokens.len() + 1) as f64) / 6.0).powf(0.6);
            assert!((one.score - expected).abs() < 1e-9);
        }
    }
}

#[test]
fn a_prefix_is_kept_and_scored() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let all = search(translator, &SOURCES, &options(1024, 1.0)).expect("found");
    let mut forced = requests(&SOURCES);
    (forced[0].prefix, forced[2].prefix) = (vec![3, 1], vec![4]);
    let found = find(translator, &forced, options(1024, 1.0)).expect("found");
    for ((request, all), found) in forced.iter().zip(&all).zip(&found) {
        let expected: Vec<&Hypothesis> =
            all.iter().filter(|one| one.tokens.starts_with(&request.prefix)).collect();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.tokens, expected.tokens);
            assert!((found.score - expected.score).abs() < 1e-5);
        }
    }
    for prefix in [vec![5], vec![0], vec![6], vec![-1], vec![3; LONGEST]] {
        let bad = [Request { source: vec![2, 0], prefix, position: 7 }];
        let error = find(translator, &bad, options(2, 1.0)).expect_err("an error");
        assert!(matches!(error, TrainerError::Prefix { sentence: 7, .. }), "{error}");
    }
}

/// How often each output comes among many samples of one source.
fn frequencies(translator: &dyn Translator, options: SearchOptions, rounds: u64) -> Vec<(Vec<i32>, f64)> {
    let mut counts = std::collections::BTreeMap::<Vec<i32>, f64>::new();
    for position in 0..rounds {
        let request = [Request { source: SOURCES[0].to_vec(), position, ..Request::default() }];
        let found = find(translator, &request, options).expect("found");
        assert_eq!(found[0].len(), options.beam);
        for one in &found[0] {
            *counts.entry(one.tokens.clone()).or_default() += 1.0 / (rounds * options.beam as u64) as f64;
        }
    }
    counts.into_iter().collect()
}

fn sampled(sampling: Sampling) -> SearchOptions {
    SearchOptions { sampling: Some(sampling), max_length: Some(2), ..options(100, 0.0) }
}

#[test]
fn samples_come_as_often_as_the_model_says() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let scores = next_scores(translator, SOURCES[0], &[]);
    let first = |found: &[(Vec<i32>, f64)]| -> Vec<f64> {
        let share = |token: i32| {
            let with = |tokens: &Vec<i32>| tokens.first().copied().unwrap_or(0) == token;
            found.iter().filter(|(tokens, _)| with(tokens)).map(|(_, share)| share).sum()
        };
        (0..5).map(share).collect()
    };
    let softmax = |scores: &[f64], temperature: f64, kept: &[usize]| -> Vec<f64> {
        let weight = |token: usize| {
            if kept.contains(&token) { (scores[token] / temperature).exp() } else { 0.0 }
        };
        let total: f64 = (0..5).map(weight).sum();
        (0..5).map(|token| weight(token) / total).collect()
    };
    let mut order: Vec<usize> = (0..5).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let whole = softmax(&scores, 1.0, &order);
    let nucleus = order
        .iter()
        .scan(0.0, |mass, &token| {
            let before = *mass;
            *mass += whole[token];
            Some(before)
        })
        .take_while(|before| *before < 0.6)
        .count();
    let cases = [
        (Sampling::default(), 1.0, 5),
        (Sampling { temperature: 0.5, ..Sampling::default() }, 0.5, 5),
        (Sampling { top_k: Some(2), ..Sampling::default() }, 1.0, 2),
        (Sampling { top_p: Some(0.6), ..Sampling::default() }, 1.0, nucleus),
    ];
    for (sampling, temperature, kept) in cases {
        let found = first(&frequencies(translator, sampled(sampling), 40));
        let expected = softmax(&scores, temperature, &order[..kept]);
        for (found, expected) in found.iter().zip(&expected) {
            // 4,000 draws: four standard deviations.
            let allowed = 4.0 * (expected * (1.0 - expected) / 4000.0).sqrt();
            assert!((found - expected).abs() <= allowed, "{sampling:?}: {found} {expected}");
        }
    }
}

#[test]
fn a_sample_depends_on_its_seed_and_place_and_not_on_its_batch() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let options = SearchOptions { sampling: Some(Sampling::default()), ..options(6, 1.0) };
    let together = find(translator, &requests(&SOURCES), options).expect("found");
    for (request, together) in requests(&SOURCES).into_iter().zip(&together) {
        let alone = find(translator, &[request], options).expect("found");
        let tokens = |found: &[Hypothesis]| found.iter().map(|one| one.tokens.clone()).collect::<Vec<_>>();
        assert_eq!(tokens(&alone[0]), tokens(together));
    }
    let other = Sampling { seed: 2, ..Sampling::default() };
    let other = SearchOptions { sampling: Some(other), ..options };
    assert_ne!(find(translator, &requests(&SOURCES), other).expect("found"), together);
}

#[test]
fn a_samples_score_is_its_log_probability() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let sampling = Sampling { temperature: 2.0, top_k: Some(4), ..Sampling::default() };
    let options = SearchOptions { sampling: Some(sampling), ..options(8, 0.0) };
    let all = search(translator, &SOURCES, &self::options(1024, 0.0)).expect("found");
    let found = search(translator, &SOURCES, &options).expect("found");
    for (all, found) in all.iter().zip(&found) {
        for one in found {
            let same = all.iter().find(|other| other.tokens == one.tokens).expect("the same output");
            assert!((one.score - same.score).abs() < 1e-5);
        }
    }
}

#[test]
fn an_alignment_has_a_source_token_for_every_token() {
    let model = tiny();
    let translator = model.as_translator().expect("a translator");
    let found = search(translator, &SOURCES, &SearchOptions { alignment: true, ..options(3, 1.0) });
    for (source, found) in SOURCES.iter().zip(found.expect("found")) {
        for one in found {
            assert_eq!(one.alignment.len(), one.tokens.len());
            assert!(one.alignment.iter().all(|&at| (at as usize) < source.len()));
        }
    }
}

#[test]
fn options_that_no_search_can_use_are_named() {
    let sampling = |sampling| SearchOptions { sampling: Some(sampling), ..SearchOptions::default() };
    let cases = [
        ("search.maxLength", SearchOptions { max_length: Some(0), ..SearchOptions::default() }),
        ("search.sampling.temperature", sampling(Sampling { temperature: 0.0, ..Sampling::default() })),
        ("search.sampling.temperature", sampling(Sampling { temperature: 1e-38, ..Sampling::default() })),
        ("search.sampling.topK", sampling(Sampling { top_k: Some(0), ..Sampling::default() })),
        ("search.sampling.topP", sampling(Sampling { top_p: Some(1.5), ..Sampling::default() })),
    ];
    for (key, options) in cases {
        let error = options.validate().expect_err("an error");
        assert!(error.to_string().starts_with(key), "{error}");
    }
}
