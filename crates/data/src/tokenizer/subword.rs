//! BPE as `subword-nmt` learns and applies it: words are what lies between spaces, tokens are characters and what they
//! are joined to, and the last token of a word ends in `</w>`.
//!
//! `subword-nmt` writes the other tokens with `@@` behind them instead; the two are one to one.

use std::collections::BTreeMap;
use std::rc::Rc;

use tokenizers::decoders::bpe::BPEDecoder;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer as Inner};

use super::counts::WordCounts;
use super::merges::{Lexicon, Limits, Merge, Ties};
use super::train::{finished, model};
use super::{END, Tokenizer, UNKNOWN, unusable};
use crate::{DataError, Result};

/// Marks the last token of a word.
pub(super) const END_OF_WORD: &str = "</w>";
/// `subword-nmt`'s default: a pair that occurs once is not joined.
const LEAST: u64 = 2;
const BOTH: u8 = 3;

/// Merges learnt from both sides, with the characters they begin from.
pub(crate) struct Subword {
    texts: Vec<Rc<str>>,
    /// Sides of each character, as bits; a special token's are both.
    sides: Vec<u8>,
    merges: Vec<Merge>,
}

impl Subword {
    /// Learns at most `merges` merges; `look` is told how many there are.
    pub(crate) fn learn(
        counts: WordCounts,
        merges: usize,
        look: impl FnMut(usize) -> Result<()>,
    ) -> Result<Self> {
        let (mut alphabet, mut words, mut length) = (BTreeMap::new(), 0, 0);
        for (word, [source, target]) in counts.iter() {
            let sides = u8::from(source > 0) | u8::from(target > 0) << 1;
            each_character(word, |character| {
                match alphabet.get_mut(character) {
                    Some(seen) => *seen |= sides,
                    None => _ = alphabet.insert(character.to_owned(), sides),
                }
                length += 1;
            });
            words += 1;
        }
        let special = [(END.to_owned(), BOTH), (UNKNOWN.to_owned(), BOTH)];
        let (mut texts, sides): (Vec<Rc<str>>, Vec<u8>) =
            special.into_iter().chain(alphabet).map(|(text, sides)| (text.into(), sides)).unzip();
        if texts.len() == 2 {
            let remedy = "give a corpus with words".into();
            return Err(DataError::Tokenizer {
                path: None,
                reason: "there is no word to learn from".into(),
                remedy,
            });
        }
        let ids: ahash::AHashMap<Rc<str>, u32> = texts.iter().cloned().zip(0..).collect();
        let mut lexicon = Lexicon::with_capacity(words, length);
        let mut characters = Vec::new();
        for (word, count) in counts.into_words() {
            characters.clear();
            each_character(&word, |character| characters.extend(ids.get(character)));
            lexicon.push(characters.iter().copied(), count);
        }
        let limits = Limits { merges, tokens: i32::MAX as usize, least: LEAST };
        let merges = lexicon.learn(&mut texts, Ties::GreatestTexts, limits, look)?;
        Ok(Self { texts, sides, merges })
    }

    /// The tokenizer of both sides.
    pub(crate) fn joint(&self) -> Result<Tokenizer> {
        self.of(BOTH)
    }

    /// The tokenizer of side 0 or 1: the characters and merges that occur in its sentences. It splits them as the joint
    /// one does.
    pub(crate) fn side(&self, side: usize) -> Result<Tokenizer> {
        self.of(1 << side)
    }

    fn of(&self, wanted: u8) -> Result<Tokenizer> {
        let merges = self.merges.iter().filter(|merge| merge.sides & wanted != 0);
        let mut sides = self.sides.clone();
        sides.resize(self.texts.len(), 0);
        merges.clone().for_each(|merge| sides[merge.joined as usize] |= merge.sides);
        let (mut texts, mut ids) = (Vec::new(), vec![0; self.texts.len()]);
        for (id, text) in self.texts.iter().enumerate().filter(|(id, _)| sides[*id] & wanted != 0) {
            ids[id] = texts.len() as u32;
            texts.push(text.clone());
        }
        let renamed = |id: u32| ids[id as usize];
        let merges: Vec<_> = merges
            .map(|merge| Merge {
                left: renamed(merge.left),
                right: renamed(merge.right),
                joined: renamed(merge.joined),
                ..*merge
            })
            .collect();
        let mut inner = Inner::new(model(&texts, &merges, Some(END_OF_WORD))?);
        let pattern = SplitPattern::String(" ".into());
        let spaces = Split::new(pattern, SplitDelimiterBehavior::Removed, false).map_err(unusable)?;
        inner.with_pre_tokenizer(Some(spaces));
        inner.with_decoder(Some(BPEDecoder::new(END_OF_WORD.into())));
        finished(inner)
    }
}

/// The characters of a word, the last with its mark.
fn each_character(word: &str, mut take: impl FnMut(&str)) {
    let mut rest = word;
    while let Some(character) = rest.chars().next() {
        let (head, tail) = rest.split_at(character.len_utf8());
        if tail.is_empty() {
            take(&[head, END_OF_WORD].concat())
        } else {
            take(head)
        }
        rest = tail;
    }
}
