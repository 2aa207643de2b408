//! Clipped n-gram matches between sequences.

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
    Matches {
        hypothesis: windows(hypothesis.len(), order),
        reference: windows(reference.len(), order),
        matched: matched(hypothesis, occurrences(reference, order), order),
    }
}

/// n-grams of the hypothesis that a reference has, each no more often than the reference that has it most.
pub(crate) fn count_matches_in_any<T: Eq + Hash>(
    hypothesis: &[T],
    references: &[Vec<T>],
    order: usize,
) -> u64 {
    let mut available = HashMap::new();
    for reference in references {
        for (ngram, count) in occurrences(reference, order) {
            let most: &mut u64 = available.entry(ngram).or_default();
            *most = count.max(*most);
        }
    }
    matched(hypothesis, available, order)
}

/// Number of n-grams in a sequence of `length`.
pub(crate) fn windows(length: usize, order: usize) -> u64 {
    (length + 1).saturating_sub(order) as u64
}

fn occurrences<T: Eq + Hash>(sequence: &[T], order: usize) -> HashMap<&[T], u64> {
    let mut counts = HashMap::new();
    sequence.windows(order).for_each(|ngram| *counts.entry(ngram).or_default() += 1);
    counts
}

fn matched<'a, T: Eq + Hash>(hypothesis: &'a [T], mut available: HashMap<&'a [T], u64>, order: usize) -> u64 {
    hypothesis.windows(order).filter(|ngram| take(&mut available, ngram)).count() as u64
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
