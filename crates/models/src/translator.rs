//! Decoding one token at a time for a search that chooses what to continue.

use sagetrain_torch::Precision;
use tch::Tensor;

use crate::error::{ModelError, Result};
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

/// A model that continues translations row by row. Every call runs without gradients.
pub trait Translator {
    /// The special tokens.
    fn tokens(&self) -> Tokens;

    /// The most tokens a row may be continued by.
    fn longest(&self) -> usize;

    /// Encodes the sources; the cache has one row for each, with nothing decoded.
    fn start(&self, source: &Ragged, precision: Precision) -> Result<Cache>;

    /// Appends `last`, int64 `[rows]` (the start token at first), to the rows: log-probabilities of what follows,
    /// float32 `[rows, vocabulary]`, that of the start token −∞.
    fn step(&self, cache: &mut Cache, last: &Tensor) -> Result<Tensor>;

    /// Makes row i continue what row `rows[i]` was. Rows may repeat and be left out, but those of one source stay
    /// together and the sources keep their order; a source without rows is done.
    fn reorder(&self, cache: &mut Cache, rows: &[i64]) -> Result<()>;
}

/// What has been decoded: keys and values of every row, and those of the sources.
#[derive(Debug)]
pub struct Cache {
    pub(crate) precision: Precision,
    /// Tokens decoded so far, the same number in every row.
    pub(crate) decoded: i64,
    /// The source each row translates, never falling.
    pub(crate) source_of_row: Vec<usize>,
    /// Where each source's keys start, and the end of the last.
    pub(crate) source_offsets: Vec<i64>,
    pub(crate) layers: Vec<LayerCache>,
}

/// Keys and values of one decoder layer.
#[derive(Debug)]
pub(crate) struct LayerCache {
    /// `[rows, decoded, 2 width]`, keys before values; `None` before the first token.
    pub(crate) own: Option<Tensor>,
    /// The same of the source, `[source tokens, 2 width]`, computed once.
    pub(crate) source: Tensor,
}

impl Cache {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.source_of_row.len()
    }

    /// How many tokens each row has.
    pub fn decoded(&self) -> usize {
        self.decoded as usize
    }

    /// Which rows belong to each source, as offsets: sources + 1 numbers.
    pub(crate) fn row_offsets(&self) -> Vec<i64> {
        let sources = self.source_offsets.len() - 1;
        (0..=sources).map(|source| self.source_of_row.partition_point(|&of| of < source) as i64).collect()
    }

    /// Replaces the rows by those numbered in `rows`.
    pub(crate) fn select(&mut self, rows: &[i64]) -> Result<()> {
        let source_of_row = self.sources_of(rows)?;
        let unchanged = rows.len() == self.rows() && (0..).zip(rows).all(|(place, &row)| place == row);
        if !unchanged {
            let index = Tensor::f_from_slice(rows)?;
            for layer in &mut self.layers {
                layer.own = layer.own.as_ref().map(|own| own.f_index_select(0, &index)).transpose()?;
            }
        }
        self.source_of_row = source_of_row;
        Ok(())
    }

    fn sources_of(&self, rows: &[i64]) -> Result<Vec<usize>> {
        let source =
            |&row: &i64| usize::try_from(row).ok().and_then(|row| self.source_of_row.get(row)).copied();
        let sources: Option<Vec<usize>> = rows.iter().map(source).collect();
        let sources = sources.filter(|sources| !sources.is_empty() && sources.is_sorted());
        sources.ok_or_else(|| {
            let problem =
                "one or more existing rows are expected, those of a source together and sources in order";
            ModelError::decoding(format!("{problem}; found {rows:?} of {} rows", self.rows()))
        })
    }
}
