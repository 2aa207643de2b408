//! Batched beam search.
//!
//! Every sentence keeps `beam` live hypotheses; one step scores beam·V continuations of each at once. Hypotheses that end leave
//! the beam, sentences that are done leave the batch. With a beam as wide as the search space nothing is ever pruned, so the result
//! is the exhaustive one.

use super::hypothesis::Prefix;
use super::searcher::{Parents, Searcher, Sentence, Step};
use crate::error::TrainerError;
use sagetrain_torch::best_log_probabilities;

/// A continuation of the sentence's row `parent` by `token`.
struct Candidate {
    parent: usize,
    token: i32,
    log_probability: f64,
}

/// One step of every sentence.
pub(super) fn advance(
    searcher: &Searcher,
    step: &Step,
    active: &mut [Sentence],
) -> Result<Parents, TrainerError> {
    let decoded = decoded(active);
    // At most one in each row ends the sentence, so that of 2·beam `beam` live ones remain.
    let wanted = 2 * searcher.options.beam;
    let best = best_log_probabilities(&step.logits, wanted, &searcher.excluded(decoded))?;
    // Of a device they would have to be copied, and only a forced token's is looked up.
    let forces = active.iter().any(|sentence| sentence.forced(decoded, searcher.tokens.end).is_some());
    let logits = forces.then(|| step.rows()).transpose()?;
    let mut rows = Parents::new();
    let mut first = 0;
    for sentence in active {
        let width = sentence.live.len();
        let mut candidates = Vec::with_capacity(width * wanted);
        for parent in 0..width {
            let row = first + parent;
            if !best.log_masses[row].is_finite() {
                return Err(sentence.non_finite());
            }
            let forced = sentence.forced(decoded, searcher.tokens.end);
            let forced = forced.zip(logits.as_ref());
            let forced = forced.map(|(token, logits)| (token, logits.at(row, token) - best.log_masses[row]));
            continue_row(&sentence.live[parent], parent, forced, best.row(row), &mut candidates);
        }
        // Stable: equal scores keep the order of their rows, whatever the batch.
        candidates.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
        candidates.truncate(wanted);
        choose(searcher, step, sentence, &candidates, first, &mut rows);
        first += width;
    }
    Ok(rows)
}

/// Tokens that every live prefix has, the same number in all.
pub(super) fn decoded(active: &[Sentence]) -> usize {
    active.iter().flat_map(|sentence| &sentence.live).map(|prefix| prefix.tokens.len()).next().unwrap_or(0)
}

fn continue_row(
    prefix: &Prefix,
    parent: usize,
    forced: Option<(i32, f64)>,
    best: &[sagetrain_torch::Entry],
    candidates: &mut Vec<Candidate>,
) {
    let candidate =
        |token, score: f64| Candidate { parent, token, log_probability: prefix.log_probability + score };
    match forced {
        Some((token, score)) => candidates.push(candidate(token, score)),
        None => candidates
            .extend(best.iter().map(|entry| candidate(entry.token, f64::from(entry.log_probability)))),
    }
}

/// Moves ended hypotheses among the first `beam` candidates to `finished` and keeps the best `beam` others alive.
fn choose(
    searcher: &Searcher,
    step: &Step,
    sentence: &mut Sentence,
    candidates: &[Candidate],
    first: usize,
    rows: &mut Parents,
) {
    let beam = searcher.options.beam;
    let (mut live, mut parents) = (Vec::with_capacity(beam), Vec::with_capacity(beam));
    for (rank, candidate) in candidates.iter().enumerate() {
        let prefix = &sentence.live[candidate.parent];
        if i64::from(candidate.token) == searcher.tokens.end {
            if rank < beam {
                sentence.finished.push(prefix.finished(candidate.log_probability, &searcher.options));
            }
        } else if live.len() < beam {
            let row = first + candidate.parent;
            live.push(prefix.extended(candidate.token, candidate.log_probability, step.aligned(row)));
            parents.push(row);
        }
    }
    if sentence.finished.len() >= beam {
        sentence.live = Vec::new();
    } else {
        sentence.live = live;
        rows.extend(parents);
    }
}
