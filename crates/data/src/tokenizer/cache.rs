//! Ids of words that have been made before.

use ahash::AHashMap;

use crate::Result;

/// Words that all caches of a preparation remember together, at most; some 200 MB.
const ALL_WORDS: usize = 1 << 21;
/// Words that one of them remembers, at most; more are hardly ever asked for again.
const MOST_WORDS: usize = 1 << 17;
/// Bytes of a word that is remembered, at most: longer ones are rare, and lines without spaces are words too.
const MOST_BYTES: usize = 128;

/// Words and their ids, for one thread.
#[derive(Debug)]
pub(super) struct WordCache {
    /// Where the ids of a word lie in `ids`.
    words: AHashMap<Box<str>, (u32, u32)>,
    ids: Vec<i32>,
    most: usize,
}

impl WordCache {
    /// `caches` there are at the same time; the more of them, the fewer words each remembers.
    pub(super) fn new(caches: usize) -> Self {
        let most = (ALL_WORDS / caches.max(1)).min(MOST_WORDS);
        Self { words: AHashMap::new(), ids: Vec::new(), most }
    }

    /// Appends the ids of `word`, which `make` appends where they are not known.
    pub(super) fn append(
        &mut self,
        word: &str,
        into: &mut Vec<i32>,
        make: impl FnOnce(&mut Vec<i32>) -> Result<()>,
    ) -> Result<()> {
        if let Some((start, end)) = self.words.get(word) {
            into.extend_from_slice(&self.ids[*start as usize..*end as usize]);
            return Ok(());
        }
        let start = into.len();
        make(into)?;
        if self.words.len() < self.most && word.len() <= MOST_BYTES {
            let place = self.ids.len() as u32;
            self.ids.extend_from_slice(&into[start..]);
            self.words.insert(word.into(), (place, self.ids.len() as u32));
        }
        Ok(())
    }
}
