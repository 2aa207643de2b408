//! Byte-level BPE, learnt as the `tokenizers` crate learns it: ties by id, so the same sentences give the same file in
//! any run.

use std::rc::Rc;

use tokenizers::decoders::sequence::Sequence;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer as Inner};

use super::counts::WordCounts;
use super::merges::{Lexicon, Limits, Merge, Ties};
use super::words::Words;
use super::{END, PAD, Tokenizer, UNKNOWN, bytes, unusable};
use crate::{DataError, Result};

/// 256 bytes and three special tokens.
pub(crate) const SMALLEST: usize = 259;

impl Tokenizer {
    /// Learns at most `size` tokens, the special ones counted. Fewer come out where the text has no more pairs to join;
    /// [`Tokenizer::vocabulary`] says how many.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: a size below 259. `ERR_DATA` where the crate refuses.
    pub fn train(sentences: impl Iterator<Item = String>, size: usize) -> Result<Self> {
        let mut counts = WordCounts::new(Words::ByteLevel);
        sentences.for_each(|sentence| counts.add(&sentence, 0));
        Self::byte_level(counts, size, |_| Ok(()))
    }

    /// [`Tokenizer::train`] on words that have been counted; `look` is told how many tokens there are.
    pub(crate) fn byte_level(
        counts: WordCounts,
        size: usize,
        mut look: impl FnMut(usize) -> Result<()>,
    ) -> Result<Self> {
        if !(SMALLEST..=i32::MAX as usize).contains(&size) {
            let reason = format!("{size} is not in {SMALLEST}..={}", i32::MAX);
            return Err(DataError::argument(
                "vocabulary.size",
                reason,
                "256 bytes and 3 special tokens are the least",
            ));
        }
        let mut alphabet: Vec<(char, u8)> = bytes::letters().iter().copied().zip(0..=255).collect();
        alphabet.sort_unstable();
        let mut id_of = [0; 256];
        alphabet.iter().zip(2..).for_each(|((_, byte), id)| id_of[usize::from(*byte)] = id);
        let mut texts: Vec<Rc<str>> = [END, UNKNOWN].map(Rc::from).to_vec();
        texts.extend(alphabet.iter().map(|(letter, _)| letter.to_string().into()));
        let (words, length) =
            counts.iter().fold((0, 0), |(words, length), (word, _)| (words + 1, length + word.len()));
        let mut lexicon = Lexicon::with_capacity(words, length);
        for (word, count) in counts.into_words() {
            lexicon.push(word.bytes().map(|byte| id_of[usize::from(byte)]), count);
        }
        let limits = Limits { merges: usize::MAX, tokens: size - 1, least: 1 };
        let merges =
            lexicon.learn(&mut texts, Ties::SmallestIds, limits, |merges| look(merges + SMALLEST))?;
        let mut inner = Inner::new(model(&texts, &merges, None)?);
        // The first word gets the token that it has elsewhere, which saves 1 % of the tokens of a small corpus; the
        // decoder takes that space away again.
        let bytes = ByteLevel::new(true, false, true);
        let strip = Strip::new(' ', 1, 0);
        inner.with_pre_tokenizer(Some(bytes));
        inner.with_decoder(Some(Sequence::new(vec![bytes.into(), strip.into()])));
        finished(inner)
    }
}

/// The crate's model of these tokens, whose ids are their places, and merges.
pub(super) fn model(texts: &[Rc<str>], merges: &[Merge], end_of_word: Option<&str>) -> Result<BPE> {
    let text = |id: u32| texts[id as usize].to_string();
    let vocabulary: ahash::AHashMap<String, u32> =
        texts.iter().map(|text| text.to_string()).zip(0..).collect();
    let merges = merges.iter().map(|merge| (text(merge.left), text(merge.right))).collect();
    let builder = BPE::builder().vocab_and_merges(vocabulary, merges).unk_token(UNKNOWN.into());
    let builder = match end_of_word {
        Some(suffix) => builder.end_of_word_suffix(suffix.into()),
        None => builder,
    };
    builder.build().map_err(unusable)
}

/// Gives a tokenizer the special tokens of the Marian format: `</s>` 0, `<unk>` 1, `<pad>` last, and `</s>` at the end.
pub(super) fn finished(mut inner: Inner) -> Result<Tokenizer> {
    inner.add_special_tokens(&[END, UNKNOWN].map(|token| AddedToken::from(token, true)));
    inner.add_special_tokens(&[AddedToken::from(PAD, true)]);
    let close = TemplateProcessing::builder()
        .try_single(format!("$A {END}"))
        .map_err(DataError::Internal)?
        .special_tokens(vec![(END, 0)])
        .build()
        .map_err(|error| DataError::Internal(error.to_string()))?;
    inner.with_post_processor(Some(close));
    Tokenizer::new(inner).map_err(DataError::Internal)
}
