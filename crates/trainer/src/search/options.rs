//! How to search.

use crate::error::TrainerError;
use serde::{Deserialize, Serialize};

/// How to search. The defaults are a beam of 4 and fairseq's score and lengths.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SearchOptions {
    /// Hypotheses kept a sentence; 1 is greedy. With `sampling`, how many are drawn.
    pub beam: usize,
    /// Strength of the length normalisation; 0 for none.
    pub length_penalty: f64,
    /// What a hypothesis's log-probability is divided by.
    pub length_normalization: LengthNormalization,
    /// Longest output is `max_length_ratio`·source tokens + `max_length_extra`, `</s>` counted.
    pub max_length_ratio: f64,
    /// See `max_length_ratio`.
    pub max_length_extra: usize,
    /// Longest output whatever the source, `</s>` counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// Shortest output, `</s>` not counted.
    pub min_length: usize,
    /// Draws hypotheses instead of searching for the likeliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// Also says which source token the last decoder layer looked at for each token.
    pub alignment: bool,
}

/// What a hypothesis's log-probability is divided by, with its length |y|, `</s>` counted, and the length penalty α.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthNormalization {
    /// |y|^α, fairseq's.
    #[default]
    Length,
    /// ((5 + |y|) / 6)^α (Wu et al., 2016, equation 14).
    Gnmt,
}

/// Draws every token from the model's distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sampling {
    /// Divides the logits; below 1 sharpens.
    pub temperature: f64,
    /// Only the likeliest so many tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Only the likeliest tokens whose probabilities sum up to this (Holtzman et al., 2020), after `top_k`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// With a source's position it decides what is drawn.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 1.0, top_k: None, top_p: None, seed: 1 }
    }
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            beam: 4,
            length_penalty: 1.0,
            length_normalization: LengthNormalization::Length,
            max_length_ratio: 1.2,
            max_length_extra: 10,
            max_length: None,
            min_length: 0,
            sampling: None,
            alignment: false,
        }
    }
}

impl SearchOptions {
    /// Refuses what no search can use.
    ///
    /// # Errors
    /// `ERR_CONFIG` with the option's key.
    pub fn validate(&self) -> Result<(), TrainerError> {
        if self.beam == 0 || self.beam > 1024 {
            let message = format!("{} is out of range; give a number from 1 to 1024", self.beam);
            return refuse("search.beam", message);
        }
        if !self.length_penalty.is_finite() {
            return refuse("search.lengthPenalty", format!("{} is not finite", self.length_penalty));
        }
        if !(self.max_length_ratio.is_finite() && self.max_length_ratio >= 0.0) {
            return refuse("search.maxLengthRatio", format!("{} is not a length", self.max_length_ratio));
        }
        if self.max_length == Some(0) {
            return refuse("search.maxLength", "0 leaves no room for </s>; give at least 1".into());
        }
        if let Some(longest) = self.max_length
            && self.min_length >= longest
        {
            let message = format!("{} tokens and </s> do not fit into maxLength {longest}", self.min_length);
            return refuse("search.minLength", message);
        }
        self.sampling.as_ref().map_or(Ok(()), Sampling::validate)
    }

    /// Longest output of a source, `</s>` included; never more than the model holds.
    pub(super) fn longest(&self, source: usize, model: usize) -> usize {
        let longest = (self.max_length_ratio * source as f64) as usize;
        let longest =
            longest.saturating_add(self.max_length_extra).min(self.max_length.unwrap_or(usize::MAX));
        longest.clamp(1, model.max(1))
    }

    /// The score of a hypothesis of `tokens` tokens without `</s>`.
    pub(super) fn score(&self, log_probability: f64, tokens: usize) -> f64 {
        let length = (tokens + 1) as f64;
        let base = match self.length_normalization {
            LengthNormalization::Length => length,
            LengthNormalization::Gnmt => (5.0 + length) / 6.0,
        };
        log_probability / base.powf(self.length_penalty)
    }
}

/// Logits of thousands, divided by this, are far from float32's end.
const COLDEST: f64 = 1e-5;

impl Sampling {
    fn validate(&self) -> Result<(), TrainerError> {
        if !(self.temperature.is_finite() && self.temperature >= COLDEST) {
            let message =
                format!("{} is below {COLDEST}, where float32 overflows; beam 1 is greedy", self.temperature);
            return refuse("search.sampling.temperature", message);
        }
        if self.top_k == Some(0) {
            return refuse("search.sampling.topK", "0 leaves nothing to draw; give at least 1".into());
        }
        match self.top_p {
            Some(p) if !(p > 0.0 && p <= 1.0) => {
                refuse("search.sampling.topP", format!("{p} is out of range; give a number in (0, 1]"))
            }
            _ => Ok(()),
        }
    }
}

fn refuse(key: &'static str, message: String) -> Result<(), TrainerError> {
    Err(TrainerError::Option { key, message })
}
