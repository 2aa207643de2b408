//! Decoding one token at a time for a search that chooses what to continue.

use sagetrain_torch::{Precision, Weights};
use tch::Tensor;

use crate::error::Result;
use crate::history::Cache;
use crate::ragged::Ragged;

/// The special tokens of a translator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// What decoding starts from, `<pad>`; it never comes out.
    pub start: i64,
    /// What ends a sentence, `</s>`.
    pub end: i64,
    /// What stands for the unknown, `<unk>`.
    pub unknown: i64,
}

/// A model that translates.
pub trait Translator {
    /// The special tokens.
    fn tokens(&self) -> Tokens;

    /// The most tokens a row may be continued by.
    fn longest(&self) -> usize;

    /// Tokens that sources are made of.
    fn source_vocabulary(&self) -> usize;

    /// Tokens that may come out.
    fn vocabulary(&self) -> usize;

    /// The model's weights of now, laid out for decoding: made once, used for any number of batches.
    fn decoding(&self, precision: Precision) -> Result<Box<dyn Decoding + '_>>;
}

/// Continues translations row by row. Every call runs without gradients.
pub trait Decoding {
    /// Encodes the sources; the cache has one row for each, with nothing decoded.
    fn start(&self, source: &Ragged) -> Result<Cache>;

    /// Appends `last` (the start token at first), one a row of the cache.
    fn step(&self, cache: &mut Cache, last: &[i64]) -> Result<Scores>;
}

/// What a step says of each row.
#[derive(Debug)]
pub struct Scores {
    /// Of what follows, float32 `[rows, vocabulary]`, not normalised.
    pub logits: Tensor,
    /// Where the last decoder layer looked, where the cache was asked to [`Cache::watch`].
    pub attention: Option<Weights>,
}
