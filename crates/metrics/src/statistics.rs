//! Sufficient statistics: what a corpus score needs to know about a sentence.

/// Counts of one sentence (or, summed, of a corpus) that determine a score.
pub trait Statistics: Clone + Default {
    /// The metric's name, for messages.
    const METRIC: &'static str;

    /// Adds the counts of `other`.
    fn add(&mut self, other: &Self);

    /// The score of the text that these counts describe, 0 to 100.
    fn score(&self) -> f64;
}

/// Sum of the counts of many sentences.
pub fn total<'a, S: Statistics + 'a>(sentences: impl IntoIterator<Item = &'a S>) -> S {
    let mut sum = S::default();
    sentences.into_iter().for_each(|sentence| sum.add(sentence));
    sum
}

/// Adds `other` to `sum`, element by element.
pub(crate) fn add_counts<const N: usize>(sum: &mut [u64; N], other: &[u64; N]) {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}
