//! Sampling: every row draws its next token, independently of all others and of the batch it is in.

use super::Sampling;
use super::beam::decoded;
use super::searcher::{Parents, Searcher, Sentence, Step};
use crate::error::TrainerError;
use sagetrain_torch::{Best, Entry, Philox, best_log_probabilities, f32_values, upload};
use tch::Tensor;

/// As many entries are looked at before a nucleus is looked for in the whole vocabulary.
const FIRST_LOOK: usize = 1024;

/// One step of every sentence.
pub(super) fn advance(
    searcher: &Searcher,
    sampling: &Sampling,
    step: &Step,
    active: &mut [Sentence],
) -> Result<Parents, TrainerError> {
    let decoded = decoded(active);
    let distribution = Distribution::new(sampling, step, &searcher.excluded(decoded))?;
    let masses = step.log_masses()?;
    let logits = step.rows()?;
    let mut rows = Parents::new();
    let mut row = 0;
    for sentence in active {
        for prefix in std::mem::take(&mut sentence.live) {
            if !masses[row].is_finite() {
                return Err(sentence.non_finite());
            }
            let draw = uniform(sampling.seed, sentence.request.position, prefix.sample, decoded);
            let forced = sentence.forced(decoded, searcher.tokens.end);
            let token = forced.unwrap_or_else(|| distribution.draw(row, draw));
            let total = prefix.log_probability + logits.at(row, token) - masses[row];
            if i64::from(token) == searcher.tokens.end {
                sentence.finished.push(prefix.finished(total, &searcher.options));
            } else {
                sentence.live.push(prefix.extended(token, total, step.aligned(row)));
                rows.push(row);
            }
            row += 1;
        }
    }
    Ok(rows)
}

/// A number in [0, 1) that depends on nothing but its arguments.
fn uniform(seed: u64, position: u64, sample: u32, decoded: usize) -> f64 {
    let [high, low, ..] = Philox { seed, step: position, stream: sample }.words(decoded as u32);
    ((u64::from(high) << 32 | u64::from(low)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// What every row's token is drawn from.
enum Distribution {
    /// The likeliest entries, best first; the first of them that hold `nucleus` of their mass, or of all mass, are drawn from.
    Entries { best: Best, nucleus: f64, of_entries: bool },
    /// Probabilities of the whole vocabulary, `[rows][vocabulary]`.
    Whole { weights: Vec<f32>, vocabulary: usize },
}

impl Distribution {
    fn new(sampling: &Sampling, step: &Step, excluded: &[i64]) -> Result<Self, TrainerError> {
        let scaled = step.logits.f_div_scalar(sampling.temperature)?;
        let scaled = scaled.f_index_fill(
            1,
            &upload(&Tensor::f_from_slice(excluded)?, scaled.device())?,
            f64::NEG_INFINITY,
        )?;
        let of_entries = sampling.top_k.is_some();
        let nucleus = sampling.top_p.unwrap_or(1.0);
        if !of_entries && nucleus >= 1.0 {
            return Self::whole(&scaled);
        }
        let best = best_log_probabilities(&scaled, sampling.top_k.unwrap_or(FIRST_LOOK), &[])?;
        let rows = best.log_masses.len();
        let enough = of_entries || (0..rows).all(|row| total(best.row(row)) >= nucleus);
        let best = if enough { best } else { best_log_probabilities(&scaled, usize::MAX, &[])? };
        Ok(Self::Entries { best, nucleus, of_entries })
    }

    fn whole(scaled: &Tensor) -> Result<Self, TrainerError> {
        let weights = scaled.f_softmax(-1, tch::Kind::Float)?;
        let vocabulary = scaled.size().get(1).map_or(1, |&columns| columns.max(1) as usize);
        Ok(Self::Whole { weights: f32_values(&weights)?.into_owned(), vocabulary })
    }

    /// The token at `draw` of the row's mass.
    fn draw(&self, row: usize, draw: f64) -> i32 {
        match self {
            Self::Entries { best, nucleus, of_entries } => {
                let entries = best.row(row);
                let mass = if *of_entries { total(entries) } else { 1.0 };
                let entries = nucleus_of(entries, nucleus * mass);
                let weights = entries.iter().map(|entry| f64::from(entry.log_probability).exp());
                let place = at(draw, total(entries), weights);
                entries.get(place).map_or(0, |entry| entry.token)
            }
            Self::Whole { weights, vocabulary } => {
                let row = &weights[row * vocabulary..(row + 1) * vocabulary];
                let row = row.iter().map(|&weight| f64::from(weight));
                at(draw, row.clone().sum(), row) as i32
            }
        }
    }
}

/// Probabilities of the entries together.
fn total(entries: &[Entry]) -> f64 {
    entries.iter().map(|entry| f64::from(entry.log_probability).exp()).sum()
}

/// The fewest best entries that hold `wanted`; all where rounding leaves less.
fn nucleus_of(entries: &[Entry], wanted: f64) -> &[Entry] {
    let mut mass = 0.0;
    let last = entries.iter().position(|entry| {
        mass += f64::from(entry.log_probability).exp();
        mass >= wanted
    });
    &entries[..last.map_or(entries.len(), |last| last + 1)]
}

/// The place where the running sum passes `draw` of `total`: the last one with any weight where rounding would pass the end.
fn at(draw: f64, total: f64, weights: impl Iterator<Item = f64>) -> usize {
    let (mut sum, mut last) = (0.0, 0);
    for (place, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0.0) {
        sum += weight;
        last = place;
        if sum > draw * total {
            break;
        }
    }
    last
}
