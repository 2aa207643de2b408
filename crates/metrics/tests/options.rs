//! Every option of every metric, several references and the paired tests against sacreBLEU 2.6.0
//! (`golden/sacrebleu_options.py` wrote `golden/sacrebleu_options.json`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sagetrain_metrics::{Metric, MetricSpec, Score, Statistics, Ter, Test, bootstrap, corpus_score};
use sagetrain_metrics::{randomization, sentence_scores};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;
/// sacreBLEU adds its bootstrap statistics up and divides them in float32.
const FLOAT32_TOLERANCE: f64 = 2e-5;

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn column(rows: &Value, index: usize) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[index].as_str().unwrap().to_owned()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn spec(expected: &Value) -> MetricSpec {
    serde_json::from_value(expected["metric"].clone()).unwrap()
}

#[track_caller]
fn assert_close(actual: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected} to {tolerance:e}");
}

struct Corpus {
    golden: Value,
    /// Worse and better, 426 sentences each.
    systems: [Vec<String>; 2],
    /// Edge cases after the better system's sentences.
    hypotheses: Vec<String>,
    /// Edge cases at the end.
    references: [Vec<String>; 3],
}

impl Corpus {
    fn open() -> Self {
        let stored = read(include_str!("golden/sacrebleu.json"));
        let golden = read(include_str!("golden/sacrebleu_options.json"));
        let [reference, worse, better] = [0, 1, 2].map(|index| column(&stored["pairs"], index));
        let edges = |name: &str, side: usize| {
            let first = stored["edges"].as_array().unwrap().iter();
            let first: Vec<String> = first.map(|edge| edge[name].as_str().unwrap().to_owned()).collect();
            [first, column(&golden["edges"], side)].concat()
        };
        let hypotheses = [better.clone(), edges("hypothesis", 0)].concat();
        let [second, third] = [0, 1].map(|index| column(&golden["otherReferences"], index));
        let references = [[reference, edges("reference", 1)].concat(), second, third];
        Corpus { golden, systems: [worse, better], hypotheses, references }
    }

    /// The lines that the scores are of.
    fn few(&self, lines: &[String]) -> Vec<String> {
        numbers(&self.golden["rows"]).iter().map(|&row| lines[row as usize].clone()).collect()
    }

    fn scores(&self) -> &[Value] {
        self.golden["scores"].as_array().unwrap()
    }
}

#[test]
fn every_option_has_sacrebleus_scores_and_signature() {
    let corpus = Corpus::open();
    let hypotheses = corpus.few(&corpus.hypotheses);
    let lists = corpus.references.each_ref().map(|lines| corpus.few(lines));
    assert!(corpus.scores().len() > 90);
    for expected in corpus.scores() {
        let count = expected["references"].as_u64().unwrap() as usize;
        let references: Vec<&[String]> = lists[..count].iter().map(Vec::as_slice).collect();
        let spec = spec(expected);
        let metric = spec.metric();
        assert_eq!(metric.name(), expected["name"].as_str().unwrap());
        assert_eq!(metric.signature(count, None), expected["signature"].as_str().unwrap());
        let sentences = sentence_scores(metric, &hypotheses, &references).unwrap();
        for (index, (score, expected)) in sentences.iter().zip(numbers(&expected["sentences"])).enumerate() {
            let (hypothesis, reference) = (&hypotheses[index], references[0][index].as_str());
            let told = format!("{spec:?} of {count}: {hypothesis:?} for {reference:?}");
            assert!((score - expected).abs() < 2e-9, "{told}: {score} is not {expected}");
        }
        let statistics = Statistics::of(metric, &hypotheses, &references).unwrap();
        assert_close(metric.score(&statistics.total()), &expected["score"], TOLERANCE);
    }
}

#[test]
fn ter_reports_its_edits_and_keeps_the_search_within_limits() {
    let corpus = Corpus::open();
    let expected = corpus.scores().iter().find(|one| one["name"] == "TER").unwrap();
    let (hypotheses, references) = (corpus.few(&corpus.hypotheses), corpus.few(&corpus.references[0]));
    let scored = corpus_score(&Ter::default(), &hypotheses, &[&references]).unwrap();
    let Score::Ter(scored) = scored else { panic!("{scored:?}") };
    assert_eq!(scored.edits, expected["edits"]);
    assert_close(scored.reference_length, &expected["referenceLength"], TOLERANCE);
    for long in corpus.golden["long"].as_array().unwrap() {
        let (hypothesis, reference) = (long[0].as_str().unwrap(), long[1].as_str().unwrap());
        assert_eq!(Ter::default().count(hypothesis, &[reference])[0], long[2], "{hypothesis}");
    }
}

#[test]
fn paired_tests_are_sacrebleus() {
    let corpus = Corpus::open();
    let sentences = corpus.systems[0].len();
    for expected in corpus.golden["paired"].as_array().unwrap() {
        let count = expected["references"].as_u64().unwrap() as usize;
        let references: Vec<&[String]> =
            corpus.references[..count].iter().map(|lines| &lines[..sentences]).collect();
        let (spec, samples) = (spec(expected), expected["samples"].as_u64().unwrap() as usize);
        let other = usize::from(expected["scores"][0] != expected["scores"][1]);
        let systems = [&corpus.systems[0], &corpus.systems[other]]
            .map(|system| Statistics::of(spec.metric(), system, &references).unwrap());
        let (p_value, test) = if expected["test"] == "bs" {
            bootstrapped(&spec, &systems, samples, expected)
        } else {
            randomized(&spec, &systems, samples, expected)
        };
        assert_close(p_value, &expected["pValue"], 1e-12);
        assert_eq!(spec.metric().signature(count, Some(test)), expected["signature"].as_str().unwrap());
    }
}

fn bootstrapped(
    spec: &MetricSpec,
    systems: &[Statistics; 2],
    samples: usize,
    expected: &Value,
) -> (f64, Test) {
    let options = bootstrap::Options { resamples: samples, ..Default::default() };
    let paired = bootstrap::paired(spec.metric(), &systems[0], &systems[1], options).unwrap();
    for (index, estimate) in [&paired.baseline, &paired.system].into_iter().enumerate() {
        assert_close(estimate.score, &expected["scores"][index], TOLERANCE);
        assert_close(estimate.mean, &expected["means"][index], FLOAT32_TOLERANCE);
        assert_close(estimate.half_width, &expected["halfWidths"][index], FLOAT32_TOLERANCE);
        assert_eq!(&bootstrap::interval(spec.metric(), &systems[index], options).unwrap(), estimate);
    }
    (paired.p_value, Test::Bootstrap(options))
}

fn randomized(spec: &MetricSpec, systems: &[Statistics; 2], trials: usize, expected: &Value) -> (f64, Test) {
    let options = randomization::Options { trials, ..Default::default() };
    let paired = randomization::paired(spec.metric(), &systems[0], &systems[1], options).unwrap();
    assert_close(paired.baseline, &expected["scores"][0], TOLERANCE);
    assert_close(paired.system, &expected["scores"][1], TOLERANCE);
    (paired.p_value, Test::Randomization(options))
}
