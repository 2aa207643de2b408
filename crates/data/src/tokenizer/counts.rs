//! How often each word occurs on either side: all of a corpus that learning a vocabulary needs.

use ahash::AHashMap;

use super::words::Words;

/// Distinct words that are kept, at most: with what learning needs for them they take half a gigabyte. WMT'14 English
/// and German have 2.2 million.
const MOST_WORDS: usize = 3_000_000;

/// The words of a text with their counts [source, target].
#[derive(Debug)]
pub(crate) struct WordCounts {
    split: Words,
    most: usize,
    counts: AHashMap<Box<str>, [u64; 2]>,
    /// The greatest count that has been forgotten.
    floor: u64,
    buffer: String,
}

impl WordCounts {
    pub(crate) fn new(split: Words) -> Self {
        Self { split, most: MOST_WORDS, counts: AHashMap::new(), floor: 0, buffer: String::new() }
    }

    /// Counts the words of one sentence of a side.
    pub(crate) fn add(&mut self, text: &str, side: usize) {
        let Self { split, counts, buffer, .. } = self;
        split.each(text, buffer, |word| match counts.get_mut(word) {
            Some(count) => count[side] += 1,
            None => {
                let mut count = [0; 2];
                count[side] = 1;
                counts.insert(word.into(), count);
            }
        });
    }

    /// Adds the counts of another part of the text. Above the bound the rarest words are forgotten, the same ones
    /// whenever the parts come in the same order.
    pub(crate) fn merge(&mut self, other: Self) {
        for (word, count) in other.counts {
            let sum = self.counts.entry(word).or_default();
            *sum = [sum[0] + count[0], sum[1] + count[1]];
        }
        while self.counts.len() > self.most {
            self.floor += 1;
            let floor = self.floor;
            self.counts.retain(|_, count| count[0] + count[1] > floor);
        }
    }

    /// The greatest count of words that were forgotten, 0 where all are there. A word seen more often may have been
    /// forgotten too, early on.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// The words of either side apart, each with its count there.
    pub(crate) fn apart(self) -> [Self; 2] {
        let mut sides = [0, 1].map(|_| Self { floor: self.floor, ..Self::new(self.split) });
        for (word, count) in self.counts {
            if count[0] > 0 && count[1] > 0 {
                sides[1].counts.insert(word.clone(), [0, count[1]]);
                sides[0].counts.insert(word, [count[0], 0]);
            } else {
                sides[usize::from(count[0] == 0)].counts.insert(word, count);
            }
        }
        sides
    }

    /// Each word with its counts, in no order; the memory goes as they do.
    pub(crate) fn into_words(self) -> impl ExactSizeIterator<Item = (Box<str>, [u64; 2])> {
        self.counts.into_iter()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, [u64; 2])> {
        self.counts.iter().map(|(word, count)| (&**word, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_by_side_and_the_rarest_are_forgotten_above_the_bound() {
        let mut counts = WordCounts { most: 2, ..WordCounts::new(Words::Spaces) };
        for (text, side) in [("a a b", 0), ("a c", 1), ("a b", 1)] {
            let mut part = WordCounts::new(Words::Spaces);
            part.add(text, side);
            counts.merge(part);
        }
        assert_eq!(counts.floor(), 1);
        let mut words: Vec<_> = counts.into_words().collect();
        words.sort_unstable();
        // `b` was forgotten once, with `c`.
        assert_eq!(words, [("a".into(), [2, 2]), ("b".into(), [0, 1])]);
    }
}
