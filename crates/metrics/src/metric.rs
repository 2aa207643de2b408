//! What all corpus scores have in common, and how one is chosen by its specification.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::bleu::{Bleu, BleuScore};
use crate::chrf::{Chrf, ChrfScore};
use crate::error::MetricsError;
use crate::signature::Test;
use crate::statistics::Statistics;
use crate::ter::{Ter, TerScore};
use crate::tokenized_bleu::{TokenizedBleu, TokenizedBleuScore};

/// A corpus score: counts of each sentence that add up, and the score of their sum.
pub trait Metric {
    /// Its name with the orders in it, as sacreBLEU prints it.
    fn name(&self) -> Cow<'static, str>;

    /// Numbers a sentence.
    fn width(&self) -> usize;

    /// The counts of `hypothesis` against its `references` (at least one): [`width`](Self::width) numbers.
    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64>;

    /// The score of the text that these counts describe.
    fn score(&self, counts: &[f64]) -> f64;

    /// The score with its parts; `references` is the number a sentence.
    fn report(&self, counts: &[f64], references: usize) -> Score;

    /// The string that says how the score was computed, and by which `test` systems were compared.
    fn signature(&self, references: usize, test: Option<Test>) -> String;

    /// Whether a better system scores less.
    fn lower_is_better(&self) -> bool {
        false
    }

    /// Whether a second reference is refused.
    fn single_reference(&self) -> bool {
        false
    }
}

/// A score with its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the variants are the metrics")]
pub enum Score {
    Bleu(BleuScore),
    Chrf(ChrfScore),
    Ter(TerScore),
    TokenizedBleu(TokenizedBleuScore),
}

/// A metric and its options, as plain data: `{ "type": "bleu", "tokenizer": "intl" }`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[expect(missing_docs, reason = "the variants are the metrics")]
pub enum MetricSpec {
    Bleu(Bleu),
    Chrf(Chrf),
    Ter(Ter),
    TokenizedBleu(TokenizedBleu),
}

impl MetricSpec {
    /// The metric that is meant.
    pub fn metric(&self) -> &dyn Metric {
        match self {
            MetricSpec::Bleu(metric) => metric,
            MetricSpec::Chrf(metric) => metric,
            MetricSpec::Ter(metric) => metric,
            MetricSpec::TokenizedBleu(metric) => metric,
        }
    }
}

/// Score of a corpus: `references` holds one list a reference, each with one line a hypothesis.
///
/// # Errors
/// As [`Statistics::of`].
pub fn corpus_score<H: AsRef<str>, R: AsRef<str>>(
    metric: &dyn Metric,
    hypotheses: &[H],
    references: &[&[R]],
) -> Result<Score, MetricsError> {
    let statistics = Statistics::of(metric, hypotheses, references)?;
    Ok(metric.report(&statistics.total(), references.len()))
}

/// Score of each sentence by itself.
///
/// # Errors
/// As [`Statistics::of`].
pub fn sentence_scores<H: AsRef<str>, R: AsRef<str>>(
    metric: &dyn Metric,
    hypotheses: &[H],
    references: &[&[R]],
) -> Result<Vec<f64>, MetricsError> {
    let statistics = Statistics::of(metric, hypotheses, references)?;
    Ok(statistics.rows().map(|row| metric.score(row)).collect())
}
