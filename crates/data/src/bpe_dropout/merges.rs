//! The merges of a byte-level BPE tokenizer, and the splitting of a word by them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::Deserialize;

use crate::random::Random;
use crate::{DataError, Result, Tokenizer};

/// Rank, and the id of both together.
type Merge = (u32, i32);
const NO_MERGE: Merge = (u32::MAX, 0);
/// (left, right) → what they become.
type Pairs = HashMap<u64, Merge, BuildHasherDefault<PairHasher>>;

/// What to merge in which order.
#[derive(Debug)]
pub(super) struct Merges {
    pairs: Pairs,
    /// The id of each byte.
    base: [i32; 256],
    /// By id: what it spells; None for special tokens.
    bytes: Vec<Option<Box<[u8]>>>,
}

#[derive(Deserialize)]
struct File {
    pre_tokenizer: Option<PreTokenizer>,
    model: Model,
    added_tokens: Vec<Added>,
}

#[derive(Deserialize)]
struct PreTokenizer {
    r#type: String,
    #[serde(default = "used")]
    use_regex: bool,
}

fn used() -> bool {
    true
}

#[derive(Deserialize)]
struct Added {
    id: usize,
}

#[derive(Deserialize)]
struct Model {
    r#type: String,
    vocab: HashMap<String, i32>,
    merges: Vec<(String, String)>,
}

impl Merges {
    /// Of a tokenizer that cuts words as GPT-2 does.
    ///
    /// # Errors
    /// `ERR_DATA`: another kind of tokenizer.
    pub fn of(tokenizer: &Tokenizer) -> Result<Self> {
        let refuse = |reason: String| {
            DataError::Tokenizer {
            path: None,
            reason,
            remedy: "bpeDropout splits the words of byte-level BPE tokenizers such as prepare learns; leave it out".into(),
        }
        };
        let File { pre_tokenizer, model, added_tokens } =
            serde_json::from_str(&tokenizer.to_json()?).map_err(|error| refuse(error.to_string()))?;
        let byte_level = pre_tokenizer.is_some_and(|one| one.r#type == "ByteLevel" && one.use_regex);
        if !byte_level || model.r#type != "BPE" {
            return Err(refuse("it is not byte-level BPE".into()));
        }
        let id = |token: &str| {
            model.vocab.get(token).copied().ok_or_else(|| refuse(format!("it has no token `{token}`")))
        };
        let mut pairs = Pairs::with_capacity_and_hasher(model.merges.len(), BuildHasherDefault::default());
        for (rank, (left, right)) in model.merges.iter().enumerate() {
            let merged = (rank as u32, id(&format!("{left}{right}"))?);
            pairs.entry(pair(id(left)?, id(right)?)).or_insert(merged);
        }
        let letters = byte_letters();
        let mut base = [0; 256];
        for (letter, byte) in &letters {
            base[usize::from(*byte)] = id(&letter.to_string())?;
        }
        let mut bytes = vec![None; tokenizer.vocabulary()];
        for (token, id) in &model.vocab {
            let spelt: Option<Vec<u8>> = token.chars().map(|letter| letters.get(&letter).copied()).collect();
            if let Some(slot) = usize::try_from(*id).ok().and_then(|id| bytes.get_mut(id)) {
                *slot = spelt.map(Vec::into_boxed_slice);
            }
        }
        added_tokens.iter().filter_map(|added| bytes.get_mut(added.id).map(Option::take)).for_each(drop);
        Ok(Self { pairs, base, bytes })
    }

    /// What `id` spells; None for a special token and for what is no id.
    pub fn bytes(&self, id: i32) -> Option<&[u8]> {
        self.bytes.get(usize::try_from(id).ok()?)?.as_deref()
    }

    /// Adds the ids of `word`. Every possible merge is left out with `probability`, anew after each merge; of the rest the
    /// first learnt is made wherever it was not left out (`encode` in subword-nmt's `apply_bpe.py`).
    pub fn split(&self, word: &[u8], probability: f64, random: &mut Random, ids: &mut Vec<i32>) {
        let start = ids.len();
        ids.extend(word.iter().map(|&byte| self.base[usize::from(byte)]));
        let mut ranks: Vec<Merge> = ids[start..].windows(2).map(|two| self.merge(two[0], two[1])).collect();
        let mut kept: Vec<usize> = Vec::with_capacity(4);
        loop {
            kept.clear();
            let mut best = NO_MERGE;
            for (place, &merge) in ranks.iter().enumerate() {
                if merge == NO_MERGE || merge.0 > best.0 || random.chance(probability) {
                    continue;
                }
                if merge.0 < best.0 {
                    best = merge;
                    kept.clear();
                }
                kept.push(place);
            }
            if kept.is_empty() {
                return;
            }
            if let [place] = kept[..] {
                self.join_one(ids, start, place, best.1, &mut ranks);
                continue;
            }
            join(ids, start, &kept, best.1);
            ranks.clear();
            ranks.extend(ids[start..].windows(2).map(|two| self.merge(two[0], two[1])));
        }
    }

    /// The common case: of all ranks only those beside the place change.
    fn join_one(&self, ids: &mut Vec<i32>, start: usize, place: usize, merged: i32, ranks: &mut Vec<Merge>) {
        let at = start + place;
        ids[at] = merged;
        ids.remove(at + 1);
        ranks.remove(place);
        if let Some(rank) = ranks.get_mut(place) {
            *rank = self.merge(merged, ids[at + 1]);
        }
        if place > 0 {
            ranks[place - 1] = self.merge(ids[at - 1], merged);
        }
    }

    fn merge(&self, left: i32, right: i32) -> Merge {
        self.pairs.get(&pair(left, right)).copied().unwrap_or(NO_MERGE)
    }
}

/// Replaces the two symbols at each of `places` by `merged`; of places that overlap the first counts.
fn join(ids: &mut Vec<i32>, start: usize, places: &[usize], merged: i32) {
    let (mut to, mut from, end) = (start, start, ids.len());
    for place in places.iter().map(|place| start + place) {
        if place < from {
            continue;
        }
        ids.copy_within(from..place, to);
        to += place - from;
        ids[to] = merged;
        (to, from) = (to + 1, place + 2);
    }
    ids.copy_within(from..end, to);
    ids.truncate(to + end - from);
}

fn pair(left: i32, right: i32) -> u64 {
    u64::from(left as u32) << 32 | u64::from(right as u32)
}

/// The letters with which byte-level BPE writes bytes (`bytes_to_unicode` of GPT-2).
fn byte_letters() -> HashMap<char, u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut others = 0x100..;
    let letter = |byte: u8| {
        let code = if printable(byte) { Some(u32::from(byte)) } else { others.next() };
        code.and_then(char::from_u32).map(|letter| (letter, byte))
    };
    (0..=255).filter_map(letter).collect()
}

/// One multiplication: the keys are two ids and no one's choice.
#[derive(Debug, Default)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn write_u64(&mut self, key: u64) {
        let mixed = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}
