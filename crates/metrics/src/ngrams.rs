//! Clipped n-gram matches between two sequences.

use std::collections::HashMap;
use std::hash::Hash;

/// n-grams of one order: how many in each sequence, and how many in both (each no more often than the reference has it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matches {
    pub hypothesis: u64,
    pub reference: u64,
    pub matched: u64,
}

/// Counts the n-grams of order `order` (≥ 1).
pub(crate) fn count_matches<T: Eq + Hash>(hypothesis: &[T], reference: &[T], order: usize) -> Matches {
    let mut available: HashMap<&[T], u64> = HashMap::new();
    reference.windows(order).for_each(|ngram| *available.entry(ngram).or_default() += 1);
    let matched = hypothesis.windows(order).filter(|ngram| take(&mut available, ngram)).count();
    Matches {
        hypothesis: windows(hypothesis.len(), order),
        reference: windows(reference.len(), order),
        matched: matched as u64,
    }
}

/// Uses up one occurrence of `ngram`, if there is one left.
fn take<T: Eq + Hash>(available: &mut HashMap<&[T], u64>, ngram: &[T]) -> bool {
    match available.get_mut(ngram) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

fn windows(length: usize, order: usize) -> u64 {
    (length + 1).saturating_sub(order) as u64
}
