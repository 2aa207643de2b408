//! BLEU of tokenized text against fairseq's own counter (`golden/fairseq_bleu.py` wrote `golden/fairseq_bleu.json`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sagetrain_metrics::{
    MetricSpec, MetricsError, Score, TokenizedBleu, corpus_score, sentence_scores, split_compounds,
};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/fairseq_bleu.json")).unwrap()
}

fn column(rows: &Value, index: usize) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[index].as_str().unwrap().to_owned()).collect()
}

#[test]
fn prints_what_fairseq_score_prints() {
    let stored: Value = serde_json::from_str(include_str!("golden/sacrebleu.json")).unwrap();
    let golden = golden();
    let lines =
        |of_pair, of_edge| [column(&stored["pairs"], of_pair), column(&golden["edges"], of_edge)].concat();
    let (hypotheses, references) = (lines(2, 0), lines(0, 1));
    let scores = golden["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 7);
    for expected in scores {
        let spec: MetricSpec = serde_json::from_value(expected["metric"].clone()).unwrap();
        let sentences = sentence_scores(spec.metric(), &hypotheses, &[&references]).unwrap();
        for (index, score) in sentences.iter().enumerate() {
            let expected = expected["sentences"][index].as_f64().unwrap();
            assert!((score - expected).abs() < 2e-9, "{:?}: {score} is not {expected}", hypotheses[index]);
        }
        let scored = corpus_score(spec.metric(), &hypotheses, &[&references]).unwrap();
        let Score::TokenizedBleu(scored) = scored else { panic!("{scored:?}") };
        assert_eq!(scored.line, expected["line"].as_str().unwrap());
        assert!((scored.score - expected["score"].as_f64().unwrap()).abs() < 1e-9);
        let colliding = expected["oneDictionary"].as_f64().unwrap();
        assert!((scored.score - colliding).abs() < 0.05, "{} is far from {colliding}", scored.score);
    }
}

#[test]
fn splits_compounds_as_the_script_does() {
    for pair in golden()["split"].as_array().unwrap() {
        assert_eq!(split_compounds(pair[0].as_str().unwrap()), pair[1].as_str().unwrap());
    }
}

#[test]
fn is_defined_for_one_reference() {
    let error = corpus_score(&TokenizedBleu::default(), &["a"], &[&["a"], &["b"]]).unwrap_err();
    assert_eq!(error, MetricsError::SingleReference { metric: "tokenized BLEU4".into(), references: 2 });
    assert_eq!(error.code(), "ERR_ARGUMENT");
}
