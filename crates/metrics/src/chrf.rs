//! chrF (Popović, 2015) and chrF++ (Popović, 2017) as sacreBLEU defines them. Source: `sacrebleu/metrics/chrf.py`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::MetricsError;
use crate::metric::{Metric, Score};
use crate::ngrams::{Matches, count_matches};
use crate::signature::{Test, signature};
use crate::statistics::Statistics;
use crate::white_space::{is_space, split_words};

/// The longest n-grams, of characters or of words, that may be asked for.
pub const LARGEST_ORDER: usize = 64;
/// What sacreBLEU takes for a zero under ε smoothing.
const EPSILON: f64 = 1e-16;

/// How to compute chrF; the defaults are sacreBLEU's chrF2. With `word_order` 2 it is chrF2++.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Chrf {
    /// Length of the longest character n-grams, 1 to [`LARGEST_ORDER`].
    pub char_order: usize,
    /// Length of the longest word n-grams, 0 to [`LARGEST_ORDER`].
    pub word_order: usize,
    /// How many times as much recall counts as precision.
    pub beta: u32,
    /// Whether case is ignored.
    pub lowercase: bool,
    /// Whether white space counts as characters.
    pub whitespace: bool,
    /// Whether every order counts, those that are too long for the text with ε, as in chrF++.py, Moses and NLTK.
    pub eps_smoothing: bool,
}

impl Default for Chrf {
    fn default() -> Self {
        Chrf {
            char_order: 6,
            word_order: 0,
            beta: 2,
            lowercase: false,
            whitespace: false,
            eps_smoothing: false,
        }
    }
}

/// A corpus chrF score.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChrfScore {
    /// 0 to 100.
    pub score: f64,
    /// sacreBLEU's signature string.
    pub signature: String,
}

/// Counts are, for each order, characters before words: n-grams of the hypothesis (0 where the reference has none),
/// of the reference, and of both.
impl Metric for Chrf {
    fn name(&self) -> Cow<'static, str> {
        format!("chrF{}{}", self.beta, "+".repeat(self.words())).into()
    }

    fn width(&self) -> usize {
        3 * (self.characters() + self.words())
    }

    /// Of several references the first that gives the sentence its best score is counted.
    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let hypothesis = self.sequences(hypothesis);
        let mut best = (-1.0, vec![0.0; self.width()]);
        for reference in references {
            let counts = self.matches(&hypothesis, &self.sequences(reference));
            let score = self.score(&counts);
            if score > best.0 {
                best = (score, counts);
            }
        }
        best.1
    }

    fn score(&self, counts: &[f64]) -> f64 {
        if self.eps_smoothing {
            return self.smoothed(counts);
        }
        let (precision, recall) = average(counts);
        if precision + recall == 0.0 { 0.0 } else { 100.0 * self.f_score(precision, recall) }
    }

    fn report(&self, counts: &[f64], references: usize) -> Score {
        Score::Chrf(ChrfScore { score: self.score(counts), signature: self.signature(references, None) })
    }

    fn signature(&self, references: usize, test: Option<Test>) -> String {
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let (case, effective) = (if self.lowercase { "lc" } else { "mixed" }, yes(!self.eps_smoothing));
        let (characters, words, space) = (self.characters(), self.words(), yes(self.whitespace));
        let settings = format!("case:{case}|eff:{effective}|nc:{characters}|nw:{words}|space:{space}");
        signature(&settings, references, test)
    }
}

/// What of a sentence is compared.
struct Sequences {
    characters: Vec<char>,
    words: Vec<String>,
}

impl Chrf {
    fn characters(&self) -> usize {
        self.char_order.clamp(1, LARGEST_ORDER)
    }

    fn words(&self) -> usize {
        self.word_order.min(LARGEST_ORDER)
    }

    fn sequences(&self, sentence: &str) -> Sequences {
        let lower = self.lowercase.then(|| sentence.to_lowercase());
        let sentence = lower.as_deref().unwrap_or(sentence);
        let kept = |character: &char| self.whitespace || !is_space(*character);
        let words = if self.words() == 0 { Vec::new() } else { detach_punctuation(sentence) };
        Sequences { characters: sentence.chars().filter(kept).collect(), words }
    }

    fn matches(&self, hypothesis: &Sequences, reference: &Sequences) -> Vec<f64> {
        let characters = (1..=self.characters())
            .map(|order| count_matches(&hypothesis.characters, &reference.characters, order));
        let words = (1..=self.words()).map(|order| count_matches(&hypothesis.words, &reference.words, order));
        characters.chain(words).flat_map(triple).collect()
    }

    fn f_score(&self, precision: f64, recall: f64) -> f64 {
        let factor = f64::from(self.beta) * f64::from(self.beta);
        (1.0 + factor) * precision * recall / (factor * precision + recall)
    }

    fn smoothed(&self, counts: &[f64]) -> f64 {
        let ratio = |matched: f64, all: f64| if all > 0.0 { matched / all } else { EPSILON };
        let scores = counts.chunks_exact(3).map(|order| {
            let (precision, recall) = (ratio(order[2], order[0]), ratio(order[2], order[1]));
            let score = self.f_score(precision, recall);
            if score.is_finite() { score } else { EPSILON }
        });
        100.0 * scores.sum::<f64>() / (counts.len() / 3) as f64
    }
}

fn triple(matches: Matches) -> [f64; 3] {
    let hypothesis = if matches.reference > 0 { matches.hypothesis } else { 0 };
    [hypothesis as f64, matches.reference as f64, matches.matched as f64]
}

/// Precision and recall, each averaged over the orders that both sides have.
fn average(counts: &[f64]) -> (f64, f64) {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for order in counts.chunks_exact(3).filter(|order| order[0] > 0.0 && order[1] > 0.0) {
        precision += order[2] / order[0];
        recall += order[2] / order[1];
        orders += 1.0;
    }
    if orders == 0.0 { (0.0, 0.0) } else { (precision / orders, recall / orders) }
}

/// Words, with one punctuation mark apart from each: the last character's, else the first's.
fn detach_punctuation(sentence: &str) -> Vec<String> {
    split_words(sentence).flat_map(detach).map(str::to_owned).collect()
}

fn detach(word: &str) -> impl Iterator<Item = &str> {
    let at = match (word.chars().next(), word.chars().next_back()) {
        (Some(first), Some(_)) if word.len() == first.len_utf8() => 0,
        (_, Some(last)) if last.is_ascii_punctuation() => word.len() - 1,
        (Some(first), _) if first.is_ascii_punctuation() => 1,
        _ => 0,
    };
    let (head, tail) = word.split_at(at);
    [head, tail].into_iter().filter(|part| !part.is_empty())
}

/// Corpus chrF2, one reference a sentence; an empty hypothesis is allowed.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn corpus<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<ChrfScore, MetricsError> {
    let metric = Chrf::default();
    let statistics = Statistics::of(&metric, hypotheses, &[references])?;
    Ok(ChrfScore { score: metric.score(&statistics.total()), signature: metric.signature(1, None) })
}
