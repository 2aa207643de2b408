//! chrF2 (Popović, 2015) as sacreBLEU defines it: character n-grams up to 6 without white space, no word n-grams, β = 2,
//! mixed case, orders averaged over those that both sides have, one reference. Source: `sacrebleu/metrics/chrf.py`.

use serde::Serialize;

use crate::error::{MetricsError, check_pairs};
use crate::ngrams::count_matches;
use crate::signature::signature as sacrebleu_signature;
use crate::statistics::{Statistics, add_counts, total};
use crate::tokenizer_13a::is_space;

const ORDERS: usize = 6;
const BETA: f64 = 2.0;
const SETTINGS: &str = "case:mixed|eff:yes|nc:6|nw:0|space:no";

/// A corpus chrF2 score.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chrf {
    /// 0 to 100.
    pub score: f64,
    /// sacreBLEU's signature string.
    pub signature: String,
}

/// Counts of one sentence or, summed, of a corpus; character n-grams of order 1 to 6.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the system's text; 0 where the reference is too short to have any.
    pub hypothesis: [u64; ORDERS],
    /// Of the reference.
    pub reference: [u64; ORDERS],
    /// Of both.
    pub matched: [u64; ORDERS],
}

impl Statistics for Counts {
    const METRIC: &'static str = "chrF2";

    fn add(&mut self, other: &Self) {
        add_counts(&mut self.hypothesis, &other.hypothesis);
        add_counts(&mut self.reference, &other.reference);
        add_counts(&mut self.matched, &other.matched);
    }

    fn score(&self) -> f64 {
        let (precision, recall) = self.average();
        if precision + recall == 0.0 {
            return 0.0;
        }
        let factor = BETA * BETA;
        100.0 * ((1.0 + factor) * precision * recall / (factor * precision + recall))
    }
}

impl Counts {
    /// Counts of a hypothesis against its reference.
    pub fn of(hypothesis: &str, reference: &str) -> Self {
        let (hypothesis, reference) = (characters(hypothesis), characters(reference));
        let mut counts = Counts::default();
        for order in 0..ORDERS {
            let matches = count_matches(&hypothesis, &reference, order + 1);
            counts.hypothesis[order] = if matches.reference > 0 { matches.hypothesis } else { 0 };
            counts.reference[order] = matches.reference;
            counts.matched[order] = matches.matched;
        }
        counts
    }

    /// The score with its signature.
    pub fn chrf(&self) -> Chrf {
        Chrf { score: self.score(), signature: signature() }
    }

    /// Precision and recall, each averaged over the orders that both sides have.
    fn average(&self) -> (f64, f64) {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for order in 0..ORDERS {
            let (hypothesis, reference) = (self.hypothesis[order], self.reference[order]);
            if hypothesis > 0 && reference > 0 {
                precision += self.matched[order] as f64 / hypothesis as f64;
                recall += self.matched[order] as f64 / reference as f64;
                orders += 1.0;
            }
        }
        if orders == 0.0 { (0.0, 0.0) } else { (precision / orders, recall / orders) }
    }
}

fn characters(sentence: &str) -> Vec<char> {
    sentence.chars().filter(|&character| !is_space(character)).collect()
}

/// Counts a sentence, for [`corpus`] and [`crate::bootstrap::paired`].
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn counts<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<Vec<Counts>, MetricsError> {
    check_pairs("chrF", ("hypotheses", hypotheses.len()), ("references", references.len()))?;
    let pairs = hypotheses.iter().zip(references);
    Ok(pairs.map(|(hypothesis, reference)| Counts::of(hypothesis.as_ref(), reference.as_ref())).collect())
}

/// Corpus chrF2 of detokenized text, one reference a sentence; an empty hypothesis is allowed.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn corpus<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<Chrf, MetricsError> {
    Ok(total(&counts(hypotheses, references)?).chrf())
}

/// sacreBLEU's signature of these scores.
pub fn signature() -> String {
    sacrebleu_signature(SETTINGS, None)
}

/// The signature of scores compared by [`crate::bootstrap::paired`].
pub fn bootstrap_signature(resamples: usize, seed: u64) -> String {
    sacrebleu_signature(SETTINGS, Some((resamples, seed)))
}
