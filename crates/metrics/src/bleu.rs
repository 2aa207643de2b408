//! BLEU (Papineni et al., 2002) as sacreBLEU defines it (Post, 2018): 13a tokens, n-grams up to 4, exponential smoothing,
//! mixed case, one reference. Source: `sacrebleu/metrics/bleu.py`.

use serde::Serialize;

use crate::error::{MetricsError, check_pairs};
use crate::ngrams::count_matches;
use crate::signature::signature as sacrebleu_signature;
use crate::statistics::{Statistics, add_counts, total};
use crate::tokenizer_13a::tokenize_13a;

const ORDERS: usize = 4;
const SETTINGS: &str = "case:mixed|eff:no|tok:13a|smooth:exp";
/// sacreBLEU's logarithm of zero.
const LOG_ZERO: f64 = -9_999_999_999.0;

/// A corpus BLEU score and its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bleu {
    /// 0 to 100.
    pub score: f64,
    /// Percentages of matched n-grams, order 1 to 4, smoothed.
    pub precisions: [f64; ORDERS],
    /// 1, or less when the system's text is shorter than the reference.
    pub brevity_penalty: f64,
    /// Tokens of the system's text.
    pub system_length: u64,
    /// Tokens of the reference.
    pub reference_length: u64,
    /// sacreBLEU's signature string.
    pub signature: String,
}

/// Counts of one sentence or, summed, of a corpus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens of the system's text.
    pub system_length: u64,
    /// Tokens of the reference.
    pub reference_length: u64,
    /// Matched n-grams, order 1 to 4.
    pub correct: [u64; ORDERS],
    /// n-grams of the system's text, order 1 to 4.
    pub total: [u64; ORDERS],
}

impl Statistics for Counts {
    const METRIC: &'static str = "BLEU";

    fn add(&mut self, other: &Self) {
        self.system_length += other.system_length;
        self.reference_length += other.reference_length;
        add_counts(&mut self.correct, &other.correct);
        add_counts(&mut self.total, &other.total);
    }

    fn score(&self) -> f64 {
        score(self.brevity_penalty(), &self.precisions())
    }
}

impl Counts {
    /// Counts of a hypothesis against its reference.
    pub fn of(hypothesis: &str, reference: &str) -> Self {
        let (system, reference) = (tokenize_13a(hypothesis), tokenize_13a(reference));
        let mut counts = Counts {
            system_length: system.len() as u64,
            reference_length: reference.len() as u64,
            ..Default::default()
        };
        for order in 0..ORDERS {
            let matches = count_matches(&system, &reference, order + 1);
            counts.correct[order] = matches.matched;
            counts.total[order] = matches.hypothesis;
        }
        counts
    }

    /// The score with its parts.
    pub fn bleu(&self) -> Bleu {
        Bleu {
            score: self.score(),
            precisions: self.precisions(),
            brevity_penalty: self.brevity_penalty(),
            system_length: self.system_length,
            reference_length: self.reference_length,
            signature: signature(),
        }
    }

    fn brevity_penalty(&self) -> f64 {
        if self.system_length >= self.reference_length {
            1.0
        } else if self.system_length == 0 {
            0.0
        } else {
            (1.0 - self.reference_length as f64 / self.system_length as f64).exp()
        }
    }

    /// Percentages; the k-th order without a match counts as 1 / 2^k matches ("exp", NIST's smoothing), unless nothing matches at all.
    fn precisions(&self) -> [f64; ORDERS] {
        let mut precisions = [0.0; ORDERS];
        if self.correct == [0; ORDERS] {
            return precisions;
        }
        let mut smoothing = 1.0;
        for (order, precision) in precisions.iter_mut().enumerate() {
            let (correct, total) = (self.correct[order] as f64, self.total[order] as f64);
            if total == 0.0 {
                break;
            }
            *precision = if correct == 0.0 {
                smoothing *= 2.0;
                100.0 / (smoothing * total)
            } else {
                100.0 * correct / total
            };
        }
        precisions
    }
}

fn score(brevity_penalty: f64, precisions: &[f64; ORDERS]) -> f64 {
    let logarithm = |&precision: &f64| if precision == 0.0 { LOG_ZERO } else { precision.ln() };
    brevity_penalty * (precisions.iter().map(logarithm).sum::<f64>() / ORDERS as f64).exp()
}

/// Counts a sentence, for [`corpus`] and [`crate::bootstrap::paired`].
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn counts<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<Vec<Counts>, MetricsError> {
    check_pairs("BLEU", ("hypotheses", hypotheses.len()), ("references", references.len()))?;
    let pairs = hypotheses.iter().zip(references);
    Ok(pairs.map(|(hypothesis, reference)| Counts::of(hypothesis.as_ref(), reference.as_ref())).collect())
}

/// Corpus BLEU of detokenized text, one reference a sentence; an empty hypothesis is allowed.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn corpus<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<Bleu, MetricsError> {
    Ok(total(&counts(hypotheses, references)?).bleu())
}

/// sacreBLEU's signature of these scores.
pub fn signature() -> String {
    sacrebleu_signature(SETTINGS, None)
}

/// The signature of scores compared by [`crate::bootstrap::paired`].
pub fn bootstrap_signature(resamples: usize, seed: u64) -> String {
    sacrebleu_signature(SETTINGS, Some((resamples, seed)))
}
