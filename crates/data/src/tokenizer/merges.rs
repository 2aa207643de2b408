//! Learning BPE (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016): the most frequent
//! pair of neighbouring tokens is joined, over and over. Words lie in one run of memory and shrink in place.

use std::collections::BinaryHeap;
use std::rc::Rc;

use ahash::AHashMap;

use crate::Result;

/// Words as runs of token ids.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    ids: Vec<u32>,
    words: Vec<Word>,
}

#[derive(Debug)]
struct Word {
    start: u32,
    length: u32,
    /// On both sides together.
    count: u64,
    /// Bit 0: occurs in a source; bit 1: in a target.
    sides: u8,
}

/// Which of the most frequent pairs goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ties {
    /// That of the smallest ids, as the `tokenizers` crate has it.
    SmallestIds,
    /// That of the greatest texts by code points, as `subword-nmt` has it.
    GreatestTexts,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) merges: usize,
    pub(crate) tokens: usize,
    /// Occurrences of a pair, at least.
    pub(crate) least: u64,
}

/// Two tokens that were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) joined: u32,
    /// Sides on which it was ever done, as bits.
    pub(crate) sides: u8,
}

type Ids = (u32, u32);

#[derive(Debug, Default)]
struct Pair {
    count: i64,
    /// Words in which it occurs or has occurred.
    words: Vec<u32>,
}

impl Pair {
    fn note(&mut self, word: u32) {
        if self.words.last() != Some(&word) {
            self.words.push(word);
        }
    }
}

/// A pair in the queue, with its count when it was put there.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    count: i64,
    texts: Option<(Rc<str>, Rc<str>)>,
    ids: std::cmp::Reverse<Ids>,
}

impl Lexicon {
    /// Makes room for words and tokens, so that growing never copies.
    pub(crate) fn with_capacity(words: usize, tokens: usize) -> Self {
        Self { ids: Vec::with_capacity(tokens), words: Vec::with_capacity(words) }
    }

    pub(crate) fn push(&mut self, ids: impl Iterator<Item = u32>, [source, target]: [u64; 2]) {
        let start = self.ids.len();
        self.ids.extend(ids);
        let length = (self.ids.len() - start) as u32;
        let sides = u8::from(source > 0) | u8::from(target > 0) << 1;
        self.words.push(Word { start: start as u32, length, count: source + target, sides });
    }

    /// Learns merges. `texts` are those of all tokens by id, to which new ones are added; `look` is called now and then.
    pub(crate) fn learn(
        mut self,
        texts: &mut Vec<Rc<str>>,
        ties: Ties,
        limits: Limits,
        mut look: impl FnMut(usize) -> Result<()>,
    ) -> Result<Vec<Merge>> {
        let mut ids: AHashMap<Rc<str>, u32> = texts.iter().cloned().zip(0..).collect();
        let mut pairs = self.pairs();
        let least = i64::try_from(limits.least.max(1)).unwrap_or(i64::MAX);
        let candidate = |texts: &[Rc<str>], pair: Ids, count| {
            let named = || (texts[pair.0 as usize].clone(), texts[pair.1 as usize].clone());
            let texts = (ties == Ties::GreatestTexts).then(named);
            Candidate { count, texts, ids: std::cmp::Reverse(pair) }
        };
        let worth = pairs.iter().filter(|(_, pair)| pair.count >= least);
        let mut queue: BinaryHeap<_> = worth.map(|(ids, pair)| candidate(texts, *ids, pair.count)).collect();
        let mut merges = Vec::new();
        while merges.len() < limits.merges && texts.len() < limits.tokens {
            let Some(mut top) = queue.pop() else { break };
            let (left, right) = top.ids.0;
            let Some(pair) = pairs.get_mut(&top.ids.0) else { continue };
            if top.count != pair.count {
                top.count = pair.count;
                if top.count >= least {
                    queue.push(top);
                }
                continue;
            }
            let words = std::mem::take(&mut pair.words);
            if words.is_empty() {
                continue;
            }
            look(merges.len())?;
            let text: Rc<str> = [&*texts[left as usize], &*texts[right as usize]].concat().into();
            let joined = *ids.entry(text.clone()).or_insert(texts.len() as u32);
            if joined as usize == texts.len() {
                texts.push(text);
            }
            let mut merge = Merge { left, right, joined, sides: 0 };
            for pair in self.apply(&mut merge, &words, &mut pairs) {
                let count = pairs.get(&pair).map_or(0, |pair| pair.count);
                if count >= least {
                    queue.push(candidate(texts, pair, count));
                }
            }
            if ties == Ties::GreatestTexts
                && let Some(pair) = pairs.get_mut(&(left, right))
            {
                pair.count = 0;
            }
            merges.push(merge);
        }
        Ok(merges)
    }

    fn pairs(&self) -> AHashMap<Ids, Pair> {
        let mut pairs: AHashMap<Ids, Pair> = AHashMap::new();
        for (index, word) in self.words.iter().enumerate() {
            let ids = &self.ids[word.start as usize..(word.start + word.length) as usize];
            for ids in ids.windows(2) {
                let pair = pairs.entry((ids[0], ids[1])).or_default();
                pair.count += word.count as i64;
                pair.note(index as u32);
            }
        }
        pairs
    }

    /// Joins the pair in `words`. Returns the pairs that have become more frequent.
    fn apply(&mut self, merge: &mut Merge, words: &[u32], pairs: &mut AHashMap<Ids, Pair>) -> Vec<Ids> {
        let mut grown = Vec::new();
        for &index in words {
            let word = &mut self.words[index as usize];
            let ids = &mut self.ids[word.start as usize..(word.start + word.length) as usize];
            let length = join(ids, *merge, |ids, change| {
                let pair = pairs.entry(ids).or_default();
                pair.count += change * word.count as i64;
                if change > 0 {
                    pair.note(index);
                    grown.push(ids);
                }
            });
            if length < word.length {
                merge.sides |= word.sides;
                word.length = length;
            }
        }
        grown.sort_unstable();
        grown.dedup();
        grown
    }
}

/// Joins a pair wherever it occurs, from left to right, and tells how the counts of its neighbours change. Returns how
/// many ids are left.
fn join(ids: &mut [u32], merge: Merge, mut change: impl FnMut(Ids, i64)) -> u32 {
    let Merge { left, right, joined, .. } = merge;
    let (mut read, mut write) = (0, 0);
    while read < ids.len() {
        if ids[read] == left && ids.get(read + 1) == Some(&right) {
            if write > 0 {
                change((ids[write - 1], left), -1);
                change((ids[write - 1], joined), 1);
            }
            if let Some(&next) = ids.get(read + 2) {
                change((right, next), -1);
                change((joined, next), 1);
            }
            ids[write] = joined;
            read += 2;
        } else {
            ids[write] = ids[read];
            read += 1;
        }
        write += 1;
    }
    write as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_pairs_are_joined_from_the_left_and_counted_exactly() {
        for word in [vec![0, 0, 0], vec![0, 1, 0, 1], vec![1, 0, 0, 0, 0, 1], vec![0, 1, 0, 1, 0]] {
            let mut counts: AHashMap<Ids, i64> = AHashMap::new();
            let count = |ids: &[u32], sign: i64, into: &mut AHashMap<Ids, i64>| {
                ids.windows(2).for_each(|pair| *into.entry((pair[0], pair[1])).or_default() += sign);
            };
            let merge = Merge { left: 0, right: word[1], joined: 9, sides: 0 };
            count(&word, 1, &mut counts);
            let mut ids = word.clone();
            let length = join(&mut ids, merge, |pair, change| *counts.entry(pair).or_default() += change);
            count(&ids[..length as usize], -1, &mut counts);
            counts.remove(&(merge.left, merge.right));
            assert!(counts.values().all(|left| *left == 0), "{word:?} {ids:?} {counts:?}");
        }
    }
}
