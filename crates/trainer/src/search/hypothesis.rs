//! Outputs, finished and under way.

use super::SearchOptions;

/// A finished output.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// Ids up to and without `</s>`.
    pub tokens: Vec<i32>,
    /// Length-normalised log-probability, natural logarithm.
    pub score: f64,
    /// The source token that each token looked at most; empty unless it was asked for.
    pub alignment: Vec<u32>,
}

/// An output under way; its row in the cache is its place in the batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Prefix {
    pub(super) tokens: Vec<i32>,
    pub(super) log_probability: f64,
    pub(super) alignment: Vec<u32>,
    /// Which of its sentence's samples it is.
    pub(super) sample: u32,
}

impl Prefix {
    /// The empty output of each of `samples` samples.
    pub(super) fn empty(samples: usize) -> Vec<Self> {
        (0..samples as u32).map(|sample| Self { sample, ..Self::default() }).collect()
    }

    /// One token longer, with that total.
    pub(super) fn extended(&self, token: i32, log_probability: f64, aligned: Option<u32>) -> Self {
        let mut longer = self.clone();
        longer.tokens.push(token);
        longer.alignment.extend(aligned);
        longer.log_probability = log_probability;
        longer
    }

    /// Closed by `</s>`, with that total.
    pub(super) fn finished(&self, log_probability: f64, options: &SearchOptions) -> Hypothesis {
        let score = options.score(log_probability, self.tokens.len());
        Hypothesis { tokens: self.tokens.clone(), score, alignment: self.alignment.clone() }
    }
}
