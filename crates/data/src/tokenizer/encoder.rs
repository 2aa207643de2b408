//! Encoding many sentences: words come back again and again, so their ids are looked up and not made anew.

use ahash::AHashMap;
use tokenizers::Model;

use super::words::Words;
use super::{Tokenizer, bytes, unusable};
use crate::Result;

/// Words that all encoders of a preparation remember together, at most; some 200 MB.
const ALL_WORDS: usize = 1 << 21;
/// Words that one of them remembers, at most; more are hardly ever asked for again.
const MOST_WORDS: usize = 1 << 17;
/// Bytes of a word that is remembered, at most: longer ones are rare, and lines without spaces are words too.
const MOST_BYTES: usize = 128;

/// Encodes as [`Tokenizer::encode`] does, for one thread.
#[derive(Debug)]
pub(crate) struct Encoder<'a> {
    tokenizer: &'a Tokenizer,
    /// Where the ids of a word lie in `ids`.
    words: AHashMap<Box<str>, (u32, u32)>,
    ids: Vec<i32>,
    buffer: String,
    most: usize,
}

impl<'a> Encoder<'a> {
    /// `encoders` there are at the same time; the more of them, the fewer words each remembers.
    pub(crate) fn new(tokenizer: &'a Tokenizer, encoders: usize) -> Self {
        let most = (ALL_WORDS / encoders.max(1)).min(MOST_WORDS);
        Self { tokenizer, words: AHashMap::new(), ids: Vec::new(), buffer: String::new(), most }
    }

    /// The greatest id there can be.
    pub(crate) fn greatest(&self) -> i32 {
        self.tokenizer.pad()
    }

    /// Appends the ids of `text`, with the closing `</s>`.
    pub(crate) fn encode(&mut self, text: &str, into: &mut Vec<i32>) -> Result<()> {
        let Some(split) = self.tokenizer.words else {
            into.extend(self.tokenizer.encode(text)?);
            return Ok(());
        };
        let Self { tokenizer, words, ids, buffer, most } = self;
        let mut outcome = Ok(());
        split.each(text, buffer, |word| match words.get(word) {
            Some((start, end)) => into.extend_from_slice(&ids[*start as usize..*end as usize]),
            None => {
                let start = into.len();
                if let Err(error) = encode_word(tokenizer, split, word, into) {
                    outcome = Err(error);
                }
                if words.len() < *most && word.len() <= MOST_BYTES {
                    let place = ids.len() as u32;
                    ids.extend_from_slice(&into[start..]);
                    words.insert(word.into(), (place, ids.len() as u32));
                }
            }
        });
        into.push(self.tokenizer.end());
        outcome
    }
}

fn encode_word(tokenizer: &Tokenizer, split: Words, word: &str, into: &mut Vec<i32>) -> Result<()> {
    let model = tokenizer.inner.get_model();
    let tokens = match split {
        Words::ByteLevel => model.tokenize(&bytes::mapped(word)),
        Words::Spaces => model.tokenize(word),
    };
    into.extend(tokens.map_err(unusable)?.iter().map(|token| token.id as i32));
    Ok(())
}
