//! BLEU of tokenized text as fairseq prints it ("BLEU4 = …"), unsmoothed, over words between white space.
//! n-grams are compared by their words. fairseq compares a hash of the words' numbers that collides now and then, so that its
//! figure depends on the order of its dictionary and may be some hundredths higher.
//! Sources: `fairseq/scoring/bleu.py`, `fairseq/clib/libbleu/libbleu.cpp`, `fairseq_cli/score.py`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::compounds::split_compounds;
use crate::metric::{Metric, Score};
use crate::ngrams::{count_matches_in_any, windows};
use crate::signature::{Test, test_keys};
use crate::white_space::split_words;

/// The longest n-grams that are counted.
pub const LARGEST_ORDER: usize = 4;
/// Names with which a dictionary of fairseq begins: in text they mean the symbols.
const PADDING: &str = "<pad>";
const END: &str = "</s>";
const UNKNOWN: &str = "<unk>";

/// How to compute BLEU of tokenized text; the defaults are those of `fairseq-score`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenizedBleu {
    /// Length of the longest n-grams, 1 to [`LARGEST_ORDER`].
    pub max_order: usize,
    /// Whether case is ignored.
    pub lowercase: bool,
    /// Whether hyphenated compounds are split at first, as `compound_split_bleu.sh` does.
    pub split_compounds: bool,
}

impl Default for TokenizedBleu {
    fn default() -> Self {
        TokenizedBleu { max_order: LARGEST_ORDER, lowercase: false, split_compounds: false }
    }
}

/// A corpus BLEU score of tokenized text and its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenizedBleuScore {
    /// 0 to 100.
    pub score: f64,
    /// Percentages of matched n-grams, from order 1 up, unsmoothed.
    pub precisions: Vec<f64>,
    /// 1, or less when the system's text is shorter than the reference.
    pub brevity_penalty: f64,
    /// Tokens of the system's text over those of the reference.
    pub ratio: f64,
    /// Tokens of the system's text.
    pub system_length: u64,
    /// Tokens of the reference.
    pub reference_length: u64,
    /// The line that `fairseq-score` prints.
    pub line: String,
    /// How it was computed, in the manner of sacreBLEU's signatures (fairseq has none).
    pub signature: String,
}

/// Counts are: the system's length, the reference's, matches of each order, n-grams of each order.
impl Metric for TokenizedBleu {
    fn name(&self) -> Cow<'static, str> {
        let name = if self.split_compounds { "compound-split BLEU" } else { "tokenized BLEU" };
        format!("{name}{}", self.orders()).into()
    }

    fn width(&self) -> usize {
        2 + 2 * LARGEST_ORDER
    }

    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let (system, reference) = (self.prepared(hypothesis), self.prepared(references[0]));
        let (system, reference) = (symbols(&system), symbols(&reference));
        let lengths = [system.len() as u64, reference.len() as u64];
        let system: Vec<_> = system.into_iter().map(Some).collect();
        let reference =
            [reference.into_iter().map(|word| Some(word).filter(|&word| word != UNKNOWN)).collect()];
        let matched = (1..=LARGEST_ORDER).map(|order| count_matches_in_any(&system, &reference, order));
        let ngrams = (1..=LARGEST_ORDER).map(|order| windows(system.len(), order));
        lengths.into_iter().chain(matched).chain(ngrams).map(|count| count as f64).collect()
    }

    fn score(&self, counts: &[f64]) -> f64 {
        let sum: f64 = self.precisions(counts).iter().map(|precision| precision.ln()).sum();
        brevity_penalty(counts) * (sum / self.orders() as f64).exp() * 100.0
    }

    fn report(&self, counts: &[f64], references: usize) -> Score {
        let percent: Vec<f64> = self.precisions(counts).iter().map(|precision| precision * 100.0).collect();
        Score::TokenizedBleu(TokenizedBleuScore {
            score: self.score(counts),
            brevity_penalty: brevity_penalty(counts),
            ratio: counts[0] / counts[1],
            system_length: counts[0] as u64,
            reference_length: counts[1] as u64,
            line: self.line(counts, &percent),
            precisions: percent,
            signature: self.signature(references, None),
        })
    }

    fn signature(&self, references: usize, test: Option<Test>) -> String {
        let case = if self.lowercase { "lc" } else { "mixed" };
        let compounds = if self.split_compounds { "split" } else { "whole" };
        let (test, order) = (test_keys(test), self.orders());
        format!(
            "nrefs:{references}{test}|case:{case}|tok:words|compounds:{compounds}|order:{order}|smooth:none|as:fairseq-score"
        )
    }

    fn single_reference(&self) -> bool {
        true
    }
}

impl TokenizedBleu {
    fn orders(&self) -> usize {
        self.max_order.clamp(1, LARGEST_ORDER)
    }

    fn prepared<'a>(&self, sentence: &'a str) -> Cow<'a, str> {
        let split = if self.split_compounds { split_compounds(sentence) } else { sentence.into() };
        if self.lowercase { split.to_lowercase().into() } else { split }
    }

    fn precisions(&self, counts: &[f64]) -> Vec<f64> {
        let (matched, ngrams) = counts[2..].split_at(LARGEST_ORDER);
        let ratio = |(&matched, &ngrams): (&f64, &f64)| if ngrams > 0.0 { matched / ngrams } else { 0.0 };
        matched.iter().zip(ngrams).take(self.orders()).map(ratio).collect()
    }

    fn line(&self, counts: &[f64], percent: &[f64]) -> String {
        let precisions: Vec<String> = percent.iter().map(|precision| format!("{precision:.1}")).collect();
        let (penalty, ratio) = (brevity_penalty(counts), counts[0] / counts[1]);
        let lengths = format!("ratio={ratio:.3}, syslen={}, reflen={}", counts[0], counts[1]);
        let (order, score) = (self.orders(), self.score(counts));
        format!("BLEU{order} = {score:.2}, {} (BP={penalty:.3}, {lengths})", precisions.join("/"))
    }
}

fn brevity_penalty(counts: &[f64]) -> f64 {
    (1.0 - counts[1] / counts[0]).exp().min(1.0)
}

/// The words and the end of the sentence, less padding at both ends and less ends of sentences at the right one. The first
/// symbol is never cut at the right, so that an empty line has one.
fn symbols(sentence: &str) -> Vec<&str> {
    let mut symbols: Vec<&str> =
        split_words(sentence).chain([END]).skip_while(|&symbol| symbol == PADDING).collect();
    while symbols.len() > 1 && symbols.last().is_some_and(|&last| last == END || last == PADDING) {
        symbols.pop();
    }
    symbols
}
