//! Encoding many sentences: words come back again and again, so their ids are looked up and not made anew.

use tokenizers::Model;

use super::cache::WordCache;
use super::words::Words;
use super::{Tokenizer, bytes, unusable};
use crate::Result;

/// Encodes as [`Tokenizer::encode`] does, for one thread.
#[derive(Debug)]
pub(crate) struct Encoder<'a> {
    tokenizer: &'a Tokenizer,
    cache: WordCache,
    buffer: String,
}

impl<'a> Encoder<'a> {
    /// `encoders` there are at the same time; the more of them, the fewer words each remembers.
    pub(crate) fn new(tokenizer: &'a Tokenizer, encoders: usize) -> Self {
        Self { tokenizer, cache: WordCache::new(encoders), buffer: String::new() }
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
        let Self { tokenizer, cache, buffer } = self;
        let mut outcome = Ok(());
        split.each(text, buffer, |word| {
            let made = cache.append(word, into, |into| encode_word(tokenizer, split, word, into));
            if let Err(error) = made {
                outcome = Err(error);
            }
        });
        into.push(self.tokenizer.end());
        outcome
    }
}

/// Appends the ids of one word of a BPE.
pub(super) fn encode_word(
    tokenizer: &Tokenizer,
    split: Words,
    word: &str,
    into: &mut Vec<i32>,
) -> Result<()> {
    let model = tokenizer.inner.get_model();
    let tokens = match split {
        Words::ByteLevel | Words::Bytes => model.tokenize(&bytes::mapped(word)),
        Words::Spaces => model.tokenize(word),
    };
    into.extend(tokens.map_err(unusable)?.iter().map(|token| token.id as i32));
    Ok(())
}
