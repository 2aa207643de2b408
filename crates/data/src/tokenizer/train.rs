//! Training: merges by frequency, ties by id, so the same sentences give the same file in any run.

use tokenizers::decoders::sequence::Sequence;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer as Inner};

use super::{END, PAD, Tokenizer, UNKNOWN, unusable};
use crate::{DataError, Result};

/// 256 bytes and three special tokens.
pub(crate) const SMALLEST: usize = 259;

impl Tokenizer {
    /// Learns at most `size` tokens, the special ones counted. Fewer come out where the text has no more pairs to join;
    /// [`Tokenizer::vocabulary`] says how many.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: a size below 259. `ERR_DATA` where the crate refuses.
    pub fn train(sentences: impl Iterator<Item = String> + Send, size: usize) -> Result<Self> {
        if !(SMALLEST..=i32::MAX as usize).contains(&size) {
            let reason = format!("{size} is not in {SMALLEST}..={}", i32::MAX);
            return Err(DataError::argument(
                "vocabulary.size",
                reason,
                "256 bytes and 3 special tokens are the least",
            ));
        }
        let model = BPE::builder().unk_token(UNKNOWN.into()).build().map_err(unusable)?;
        let mut inner = Inner::new(model);
        // The first word gets the token that it has elsewhere, which saves 1 % of the tokens of a small corpus; the
        // decoder takes that space away again.
        let bytes = ByteLevel::new(true, false, true);
        let strip = Strip::new(' ', 1, 0);
        inner.with_pre_tokenizer(Some(bytes));
        inner.with_decoder(Some(Sequence::new(vec![bytes.into(), strip.into()])));
        let special = [END, UNKNOWN].map(|token| AddedToken::from(token, true)).to_vec();
        let trainer = BpeTrainer::builder()
            .vocab_size(size - 1)
            .show_progress(false)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .special_tokens(special)
            .build();
        inner.train(&mut TrainerWrapper::from(trainer), sentences).map_err(unusable)?;
        inner.add_special_tokens(&[AddedToken::from(PAD, true)]);
        let close = TemplateProcessing::builder()
            .try_single(format!("$A {END}"))
            .map_err(DataError::Internal)?
            .special_tokens(vec![(END, 0)])
            .build()
            .map_err(|error| DataError::Internal(error.to_string()))?;
        inner.with_post_processor(Some(close));
        Self::new(inner).map_err(DataError::Internal)
    }
}
