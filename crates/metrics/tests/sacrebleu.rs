//! Every number against sacreBLEU 2.6.0 (`golden/sacrebleu.py` wrote `golden/sacrebleu.json`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sagetrain_metrics::bootstrap::{Estimate, Options, Paired, paired};
use sagetrain_metrics::{Bleu, Chrf, Metric, MetricsError, Statistics, Test, bleu, chrf, tokenize_13a};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;
/// sacreBLEU adds its bootstrap statistics up and divides them in float32.
const FLOAT32_TOLERANCE: f64 = 2e-5;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/sacrebleu.json")).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[track_caller]
fn assert_close(actual: f64, expected: &Value, tolerance: f64) {
    let expected = number(expected);
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected} to {tolerance:e}");
}

/// Column `index` of the corpus: 0 reference, 1 worse system, 2 better system.
fn column(golden: &Value, index: usize) -> Vec<String> {
    golden["pairs"].as_array().unwrap().iter().map(|pair| text(&pair[index]).to_owned()).collect()
}

/// (hypotheses, references) of the two systems, and of the better one with the edge cases after it.
fn corpora(golden: &Value) -> Vec<(Vec<String>, Vec<String>)> {
    let [references, worse, better] = [0, 1, 2].map(|index| column(golden, index));
    let edges = golden["edges"].as_array().unwrap();
    let with_edges = |sentences: &[String], side: &str| {
        sentences.iter().cloned().chain(edges.iter().map(|edge| text(&edge[side]).to_owned())).collect()
    };
    let extended = (with_edges(&better, "hypothesis"), with_edges(&references, "reference"));
    vec![(worse, references.clone()), (better, references), extended]
}

#[test]
fn corpus_bleu_is_sacrebleus() {
    let golden = golden();
    for ((hypotheses, references), expected) in
        corpora(&golden).iter().zip(golden["bleu"].as_array().unwrap())
    {
        assert!(hypotheses.len() >= 400);
        let actual = bleu::corpus(hypotheses, references).unwrap();
        assert_close(actual.score, &expected["score"], TOLERANCE);
        assert_close(actual.brevity_penalty, &expected["brevityPenalty"], TOLERANCE);
        for (order, precision) in actual.precisions.iter().enumerate() {
            assert_close(*precision, &expected["precisions"][order], TOLERANCE);
        }
        assert_eq!(actual.system_length, expected["systemLength"]);
        assert_eq!(actual.reference_length, expected["referenceLength"]);
        assert_eq!(actual.signature, text(&expected["signature"]));
    }
}

#[test]
fn corpus_chrf_is_sacrebleus() {
    let golden = golden();
    for ((hypotheses, references), expected) in
        corpora(&golden).iter().zip(golden["chrf"].as_array().unwrap())
    {
        let actual = chrf::corpus(hypotheses, references).unwrap();
        assert_close(actual.score, &expected["score"], TOLERANCE);
        assert_eq!(actual.signature, text(&expected["signature"]));
    }
}

#[test]
fn edge_cases_have_sacrebleus_tokens_counts_and_scores() {
    for edge in golden()["edges"].as_array().unwrap() {
        let (hypothesis, reference) = (text(&edge["hypothesis"]), text(&edge["reference"]));
        assert_eq!(Value::from(tokenize_13a(hypothesis)), edge["tokens"], "{hypothesis:?}");
        for (metric, counts, score) in [
            (&Bleu::default() as &dyn Metric, "bleuCounts", "bleu"),
            (&Chrf::default(), "chrfCounts", "chrf"),
        ] {
            let counted = metric.count(hypothesis, &[reference]);
            let expected: Vec<f64> = edge[counts].as_array().unwrap().iter().map(number).collect();
            assert_eq!(counted, expected, "{hypothesis:?}");
            assert_close(metric.score(&counted), &edge[score], TOLERANCE);
        }
    }
}

#[test]
fn paired_bootstrap_is_sacrebleus() {
    let golden = golden();
    let [references, worse, better] = [0, 1, 2].map(|index| column(&golden, index));
    for (metric, name) in [(&Bleu::default() as &dyn Metric, "bleu"), (&Chrf::default(), "chrf")] {
        let expected = &golden["paired"][name];
        let counts = |system| Statistics::of(metric, system, &[&references]).unwrap();
        let options = options(expected);
        assert_paired(&paired(metric, &counts(&worse), &counts(&better), options).unwrap(), expected);
        assert_eq!(metric.signature(1, Some(Test::Bootstrap(options))), text(&expected["signature"]));
    }
}

fn options(expected: &Value) -> Options {
    Options { resamples: number(&expected["samples"]) as usize, seed: expected["seed"].as_u64().unwrap() }
}

fn assert_paired(actual: &Paired, expected: &Value) {
    assert_close(actual.p_value, &expected["pValue"], 1e-12);
    assert_close(actual.wins, &expected["float64"]["wins"], 1e-12);
    assert_estimate(&actual.difference, &expected["float64"]["difference"], TOLERANCE);
    for (index, system) in [&actual.baseline, &actual.system].into_iter().enumerate() {
        assert_estimate(system, &expected["float64"]["systems"][index], TOLERANCE);
        assert_estimate(system, &expected["sacrebleu"][index], FLOAT32_TOLERANCE);
    }
}

fn assert_estimate(actual: &Estimate, expected: &Value, tolerance: f64) {
    assert_close(actual.mean, &expected["mean"], tolerance);
    assert_close(actual.half_width, &expected["halfWidth"], tolerance);
    assert!(actual.lower <= actual.mean && actual.mean <= actual.upper);
}

#[test]
fn a_system_does_not_differ_from_itself() {
    let references = column(&golden(), 0);
    let counts = Statistics::of(&Bleu::default(), &references, &[&references]).unwrap();
    let same = paired(&Bleu::default(), &counts, &counts, Options { resamples: 50, seed: 1 }).unwrap();
    assert_eq!((same.difference.mean, same.wins), (0.0, 0.0));
    assert!(same.baseline.score > 100.0 - TOLERANCE);
}

#[test]
fn refuses_what_has_no_score() {
    let none: [&str; 0] = [];
    assert_eq!(bleu::corpus(&none, &none), Err(MetricsError::Empty { metric: "BLEU".into() }));
    let error = chrf::corpus(&["a", "b"], &["a"]).unwrap_err();
    assert_eq!(error.to_string(), "chrF2: 2 hypotheses but 1 references; give one of each a sample");
    let counts = Statistics::of(&Bleu::default(), &["a"], &[&["a"]]).unwrap();
    let refused = paired(&Bleu::default(), &counts, &counts, Options { resamples: 0, ..Default::default() });
    assert_eq!(refused, Err(MetricsError::NoResamples));
    let several = Statistics::of(&Bleu::default(), &["a"], &[&["a"][..], &["b", "c"]]);
    assert_eq!(several.unwrap_err().code(), "ERR_ARGUMENT");
    let unreferenced = Statistics::of(&Bleu::default(), &["a"], &[] as &[&[&str]]);
    assert_eq!(unreferenced, Err(MetricsError::Empty { metric: "BLEU".into() }));
}
