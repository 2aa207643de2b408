//! Translation edit rate (Snover et al., 2006) as sacreBLEU computes it, after Tercom: insertions, deletions, substitutions
//! and shifts of word sequences, over the words of the reference. Source: `sacrebleu/metrics/ter.py`.

mod edit_distance;
mod shifts;
mod tokenizer;

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::metric::{Metric, Score};
use crate::signature::{Test, signature};

/// How to compute TER; the defaults are sacreBLEU's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Ter {
    /// Whether punctuation is split off and XML entities are resolved, as Tercom's `-N` does.
    pub normalized: bool,
    /// Whether punctuation is left out, as Tercom's `-P` does.
    pub no_punct: bool,
    /// Whether these two also treat Chinese and Japanese text: characters are split, their punctuation counts as such.
    pub asian_support: bool,
    /// Whether case counts.
    pub case_sensitive: bool,
}

/// A corpus TER score.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TerScore {
    /// Edits a hundred words of the reference; more than 100 where there are more edits than words.
    pub score: f64,
    /// Edits of all sentences.
    pub edits: u64,
    /// Words of the reference, of several the mean.
    pub reference_length: f64,
    /// sacreBLEU's signature string.
    pub signature: String,
}

/// Counts are: edits to the reference that needs fewest, and the mean length of the references.
impl Metric for Ter {
    fn name(&self) -> Cow<'static, str> {
        "TER".into()
    }

    fn width(&self) -> usize {
        2
    }

    fn count(&self, hypothesis: &str, references: &[&str]) -> Vec<f64> {
        let hypothesis = tokenizer::words(hypothesis, self);
        let references: Vec<_> =
            references.iter().map(|reference| tokenizer::words(reference, self)).collect();
        let fewest = references.iter().map(|reference| edits(&hypothesis, reference)).min().unwrap_or(0);
        let words: usize = references.iter().map(Vec::len).sum();
        vec![fewest as f64, words as f64 / references.len() as f64]
    }

    fn score(&self, counts: &[f64]) -> f64 {
        let (edits, words) = (counts[0], counts[1]);
        let rate = match (edits > 0.0, words > 0.0) {
            (_, true) => edits / words,
            (true, false) => 1.0,
            (false, false) => 0.0,
        };
        100.0 * rate
    }

    fn report(&self, counts: &[f64], references: usize) -> Score {
        Score::Ter(TerScore {
            score: self.score(counts),
            edits: counts[0] as u64,
            reference_length: counts[1],
            signature: self.signature(references, None),
        })
    }

    fn signature(&self, references: usize, test: Option<Test>) -> String {
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let (case, normalized) = (if self.case_sensitive { "mixed" } else { "lc" }, yes(self.normalized));
        let (punctuation, asian) = (yes(!self.no_punct), yes(self.asian_support));
        let settings = format!("case:{case}|tok:tercom|norm:{normalized}|punct:{punctuation}|asian:{asian}");
        signature(&settings, references, test)
    }

    fn lower_is_better(&self) -> bool {
        true
    }
}

/// Edits that make `reference` of `hypothesis`, shifts among them.
fn edits(hypothesis: &[String], reference: &[String]) -> usize {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |word| {
        let next = numbers.len() as u32;
        *numbers.entry(word).or_insert(next)
    };
    let hypothesis = hypothesis.iter().map(|word| number(word.as_str())).collect();
    let reference: Vec<u32> = reference.iter().map(|word| number(word.as_str())).collect();
    shifts::edits(hypothesis, &reference)
}
