//! Batched beam search over any [`Translator`].
//!
//! Every sentence keeps `beam` live hypotheses; one step scores beam·V continuations of each at once. Hypotheses that end leave
//! the beam, sentences that are done leave the batch. A score is Σ log p / length^penalty, length counting `</s>` (fairseq's
//! definition). With a beam as wide as the search space nothing is ever pruned, so the result is the exhaustive one.

use crate::error::TrainerError;
use sagetrain_models::{Ragged, Translator};
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SearchOptions {
    /// Hypotheses kept a sentence; 1 is greedy.
    pub beam: usize,
    /// Exponent of the length a hypothesis's score is divided by.
    pub length_penalty: f64,
    /// Longest output is `max_length_ratio`·source tokens + `max_length_extra`.
    pub max_length_ratio: f64,
    /// See `max_length_ratio`.
    pub max_length_extra: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { beam: 4, length_penalty: 1.0, max_length_ratio: 1.2, max_length_extra: 10 }
    }
}

impl SearchOptions {
    /// Refuses what no search can use.
    pub fn validate(&self) -> Result<(), TrainerError> {
        let refuse = |key, message: String| Err(TrainerError::Option { key, message });
        if self.beam == 0 || self.beam > 1024 {
            return refuse(
                "search.beam",
                format!("{} is out of range; give a number from 1 to 1024", self.beam),
            );
        }
        if !self.length_penalty.is_finite() {
            return refuse("search.lengthPenalty", format!("{} is not finite", self.length_penalty));
        }
        if !(self.max_length_ratio.is_finite() && self.max_length_ratio >= 0.0) {
            return refuse("search.maxLengthRatio", format!("{} is not a length", self.max_length_ratio));
        }
        Ok(())
    }

    /// Longest output of a source, `</s>` included; never more than the model holds.
    fn longest(&self, source: usize, model: usize) -> usize {
        let longest = (self.max_length_ratio * source as f64) as usize;
        longest.saturating_add(self.max_length_extra).clamp(1, model.max(1))
    }
}

/// A finished output.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// Ids up to and without `</s>`.
    pub tokens: Vec<i32>,
    /// Length-normalised log-probability, natural logarithm.
    pub score: f64,
}

/// A live prefix; its row in the cache is its place in the batch.
struct Prefix {
    tokens: Vec<i64>,
    log_probability: f64,
}

struct Sentence {
    index: usize,
    longest: usize,
    live: Vec<Prefix>,
    finished: Vec<Hypothesis>,
}

/// A continuation of row `row` of the batch by `token`.
struct Candidate {
    parent: usize,
    token: i64,
    log_probability: f64,
}

/// Finds the best hypotheses of every source, best first, at most `beam` each.
///
/// `sources` are id sequences with their `</s>`.
///
/// # Errors
/// [`TrainerError::NonFinite`] with the position of a source for which the model's scores hold NaN.
pub fn search(
    translator: &dyn Translator,
    sources: &[&[i32]],
    options: &SearchOptions,
    precision: sagetrain_torch::Precision,
) -> Result<Vec<Vec<Hypothesis>>, TrainerError> {
    options.validate()?;
    let _no_grad = tch::no_grad_guard();
    let mut results = vec![Vec::new(); sources.len()];
    if sources.is_empty() {
        return Ok(results);
    }
    let ends = translator.tokens();
    let mut cache = translator.start(&ragged(sources)?, precision)?;
    let begin = |(index, source): (usize, &&[i32])| Sentence {
        index,
        longest: options.longest(source.len(), translator.longest()),
        live: vec![Prefix { tokens: vec![ends.start], log_probability: 0.0 }],
        finished: Vec::new(),
    };
    let mut active: Vec<Sentence> = sources.iter().enumerate().map(begin).collect();
    while !active.is_empty() {
        let last = active.iter().flat_map(|s| s.live.iter().map(|p| p.tokens[p.tokens.len() - 1]));
        let last: Vec<i64> = last.collect();
        let scores = translator.step(&mut cache, &Tensor::f_from_slice(&last)?)?; // [row, V]
        let mut rows = Vec::with_capacity(last.len());
        let top = best_continuations(&scores, &active, options, ends.end)?;
        let mut first_row = 0;
        for (sentence, candidates) in active.iter_mut().zip(top) {
            let width = sentence.live.len();
            advance(sentence, candidates, options, ends.end, |parent| rows.push((first_row + parent) as i64));
            first_row += width;
        }
        collect_finished(&mut active, &mut results, options.beam);
        if !active.is_empty() {
            translator.reorder(&mut cache, &rows)?;
        }
    }
    Ok(results)
}

fn ragged(sources: &[&[i32]]) -> Result<Ragged, TrainerError> {
    let values = sources.concat();
    let mut offsets = vec![0_i64];
    for source in sources {
        offsets.push(offsets[offsets.len() - 1] + source.len() as i64);
    }
    Ok(Ragged::new("source", &values, &offsets)?)
}

/// The best continuations of every sentence, best first: 2·beam of them, since at most one in each row ends the sentence, so
/// `beam` live ones remain.
fn best_continuations(
    scores: &Tensor,
    active: &[Sentence],
    options: &SearchOptions,
    end: i64,
) -> Result<Vec<Vec<Candidate>>, TrainerError> {
    let vocabulary = scores.size().get(1).copied().unwrap_or(0);
    let wanted = (2 * options.beam as i64).min(vocabulary);
    let (values, ids) = scores.f_topk(wanted, 1, true, true)?; // [row, wanted]
    let values = Vec::<f32>::try_from(values.f_reshape([-1])?)?;
    let ids = Vec::<i64>::try_from(ids.f_reshape([-1])?)?;
    let ends = Vec::<f32>::try_from(scores.f_select(1, end)?)?; // [row]
    let mut row = 0;
    let mut top = Vec::with_capacity(active.len());
    for sentence in active {
        let mut candidates = Vec::with_capacity(sentence.live.len() * wanted as usize);
        for (parent, prefix) in sentence.live.iter().enumerate() {
            let total = |score: f32| prefix.log_probability + f64::from(score);
            // NaN counts as the greatest: where a row has one it comes first.
            if values[row * wanted as usize].is_nan() {
                return Err(TrainerError::NonFinite { sentence: sentence.index });
            }
            if prefix.tokens.len() >= sentence.longest {
                candidates.push(Candidate { parent, token: end, log_probability: total(ends[row]) });
            } else {
                let span = row * wanted as usize..(row + 1) * wanted as usize;
                let continuations = ids[span.clone()].iter().zip(&values[span]);
                candidates.extend(
                    continuations.filter(|(_, score)| score.is_finite()).map(|(&token, &score)| Candidate {
                        parent,
                        token,
                        log_probability: total(score),
                    }),
                );
            }
            row += 1;
        }
        // Stable: equal scores keep the order of their rows, whatever the batch.
        candidates.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
        candidates.truncate(2 * options.beam);
        top.push(candidates);
    }
    Ok(top)
}

/// Moves ended hypotheses among the first `beam` candidates to `finished` and keeps the best `beam` others alive.
fn advance(
    sentence: &mut Sentence,
    candidates: Vec<Candidate>,
    options: &SearchOptions,
    end: i64,
    mut keep_row: impl FnMut(usize),
) {
    let mut live = Vec::with_capacity(options.beam);
    let mut parents = Vec::with_capacity(options.beam);
    for (rank, candidate) in candidates.iter().enumerate() {
        let prefix = &sentence.live[candidate.parent];
        if candidate.token == end {
            if rank < options.beam {
                sentence.finished.push(finish(prefix, candidate.log_probability, options));
            }
        } else if live.len() < options.beam {
            let mut tokens = prefix.tokens.clone();
            tokens.push(candidate.token);
            live.push(Prefix { tokens, log_probability: candidate.log_probability });
            parents.push(candidate.parent);
        }
    }
    sentence.live = if sentence.finished.len() >= options.beam { Vec::new() } else { live };
    if !sentence.live.is_empty() {
        parents.into_iter().for_each(&mut keep_row);
    }
}

fn finish(prefix: &Prefix, log_probability: f64, options: &SearchOptions) -> Hypothesis {
    let tokens: Vec<i32> = prefix.tokens[1..].iter().map(|&id| id as i32).collect();
    let length = (tokens.len() + 1) as f64; // with </s>
    Hypothesis { tokens, score: log_probability / length.powf(options.length_penalty) }
}

fn collect_finished(active: &mut Vec<Sentence>, results: &mut [Vec<Hypothesis>], beam: usize) {
    active.retain_mut(|sentence| {
        if !sentence.live.is_empty() {
            return true;
        }
        let mut finished = std::mem::take(&mut sentence.finished);
        finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        finished.truncate(beam);
        results[sentence.index] = finished;
        false
    });
}
