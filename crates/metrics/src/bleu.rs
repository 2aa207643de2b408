//! BLEU (Papineni et al., 2002) as sacreBLEU defines it (Post, 2018). Source: `sacrebleu/metrics/bleu.py`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::MetricsError;
use crate::metric::{Metric, Score};
use crate::ngrams::{count_matches_in_any, windows};
use crate::signature::{Test, signature};
use crate::smoothing::Smoothing;
use crate::statistics::Statistics;
use crate::tokenizer::Tokenizer;

/// sacreBLEU's logarithm of zero.
const LOG_ZERO: f64 = -9_999_999_999.0;
/// The longest n-grams that may be asked for.
pub const LARGEST_ORDER: usize = 64;

/// How to compute BLEU; the defaults are sacreBLEU's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Bleu {
    /// How lines become tokens.
    pub tokenizer: Tokenizer,
    /// Whether case is ignored.
    pub lowercase: bool,
    /// What stands for an order without a match.
    pub smoothing: Smoothing,
    /// Whether orders that are longer than the sentence are left out: meant for scores of single sentences.
    pub effective_order: bool,
    /// Length of the longest n-grams, 1 to [`LARGEST_ORDER`]. sacreBLEU's signature does not tell it.
    pub max_order: usize,
}

impl Default for Bleu {
    fn default() -> Self {
        Bleu {
            tokenizer: Tokenizer::default(),
            lowercase: false,
            smoothing: Smoothing::default(),
            effective_order: false,
            max_order: 4,
        }
    }
}

/// A corpus BLEU score and its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BleuScore {
    /// 0 to 100.
    pub score: f64,
    /// Percentages of matched n-grams, from order 1 up, smoothed.
    pub precisions: Vec<f64>,
    /// 1, or less when the system's text is shorter than the reference.
    pub brevity_penalty: f64,
    /// Tokens of the system's text.
    pub system_length: u64,
    /// Tokens of the reference; of several, of the one nearest in length.
    pub reference_length: u64,
    /// sacreBLEU's signature string.
    pub signature: String,
}

/// Counts are: the system's length, the reference's, matches of each order, n-grams of each order.
impl Metric for Bleu {
    fn name(&self) -> Cow<'static, str> {
        "BLEU".into()
    }

    fn width(&self) -> usize {
        2 + 2 * self.orders()
    }

    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let system = self.tokens(hypothesis);
        let references: Vec<_> = references.iter().map(|reference| self.tokens(reference)).collect();
        let lengths = [system.len() as u64, nearest_length(&references, system.len()) as u64];
        let matched = (1..=self.orders()).map(|order| count_matches_in_any(&system, &references, order));
        let ngrams = (1..=self.orders()).map(|order| windows(system.len(), order));
        lengths.into_iter().chain(matched).chain(ngrams).map(|count| count as f64).collect()
    }

    fn score(&self, counts: &[f64]) -> f64 {
        if self.nothing_matched(counts) {
            return 0.0;
        }
        let (precisions, orders) = self.precisions(counts);
        let logarithm = |&precision: &f64| if precision == 0.0 { LOG_ZERO } else { precision.ln() };
        let sum: f64 = precisions[..orders].iter().map(logarithm).sum();
        brevity_penalty(counts) * (sum / orders as f64).exp()
    }

    fn report(&self, counts: &[f64], references: usize) -> Score {
        Score::Bleu(self.scored(counts, references))
    }

    fn signature(&self, references: usize, test: Option<Test>) -> String {
        let case = if self.lowercase { "lc" } else { "mixed" };
        let effective = if self.effective_order { "yes" } else { "no" };
        let (tokenizer, smoothing) = (self.tokenizer.signature(), self.smoothing.signature());
        let settings = format!("case:{case}|eff:{effective}|tok:{tokenizer}|smooth:{smoothing}");
        signature(&settings, references, test)
    }
}

impl Bleu {
    fn orders(&self) -> usize {
        self.max_order.clamp(1, LARGEST_ORDER)
    }

    fn tokens(&self, sentence: &str) -> Vec<String> {
        if self.lowercase {
            self.tokenizer.tokens(&sentence.to_lowercase())
        } else {
            self.tokenizer.tokens(sentence)
        }
    }

    fn scored(&self, counts: &[f64], references: usize) -> BleuScore {
        BleuScore {
            score: self.score(counts),
            precisions: self.precisions(counts).0,
            brevity_penalty: brevity_penalty(counts),
            system_length: counts[0] as u64,
            reference_length: counts[1] as u64,
            signature: self.signature(references, None),
        }
    }

    fn nothing_matched(&self, counts: &[f64]) -> bool {
        counts[2..][..self.orders()].iter().all(|&matched| matched == 0.0)
    }

    /// Percentages, smoothed, and how many of them make the score; all are 0 where nothing matches at all.
    fn precisions(&self, counts: &[f64]) -> (Vec<f64>, usize) {
        let (matched, ngrams) = counts[2..].split_at(self.orders());
        let mut precisions = vec![0.0; self.orders()];
        if self.nothing_matched(counts) {
            return (precisions, self.orders());
        }
        let (mut effective, mut unmatched) = (self.orders(), 0);
        for (index, (&matched, &ngrams)) in matched.iter().zip(ngrams).enumerate() {
            let (matched, ngrams) = self.smoothing.added(index + 1, matched, ngrams);
            if ngrams == 0.0 {
                break;
            }
            if self.effective_order {
                effective = index + 1;
            }
            precisions[index] = if matched == 0.0 {
                unmatched += 1;
                self.smoothing.unmatched(unmatched, ngrams)
            } else {
                100.0 * matched / ngrams
            };
        }
        (precisions, effective)
    }
}

fn brevity_penalty(counts: &[f64]) -> f64 {
    let (system, reference) = (counts[0], counts[1]);
    if system >= reference {
        1.0
    } else if system == 0.0 {
        0.0
    } else {
        (1.0 - reference / system).exp()
    }
}

/// Of the references' lengths the one nearest to the system's, of two as near the shorter.
fn nearest_length(references: &[Vec<String>], system: usize) -> usize {
    let lengths = references.iter().map(Vec::len);
    lengths.min_by_key(|&length| (length.abs_diff(system), length)).unwrap_or(0)
}

/// Corpus BLEU with sacreBLEU's defaults, one reference a sentence; an empty hypothesis is allowed.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn corpus<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<BleuScore, MetricsError> {
    let metric = Bleu::default();
    let statistics = Statistics::of(&metric, hypotheses, &[references])?;
    Ok(metric.scored(&statistics.total(), 1))
}
