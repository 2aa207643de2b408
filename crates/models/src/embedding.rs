//! Token embeddings times √d plus sinusoids, as in Marian.

use sagetrain_torch::{Dropout, Precision, Table, embed};
use tch::Tensor;

use crate::error::Result;
use crate::init::from_values;

/// The table of positions `[positions, width]`: sines in the first half of each row, cosines in the second.
///
/// Frequency j of either half is 10000^(−2j/width). Angles are taken in double precision and rounded once, as
/// `MarianSinusoidalPositionalEmbedding` of transformers does. fairseq's table differs twice: its frequencies are
/// 10000^(−j/(width/2 − 1)), and a sentence's first position is 2, behind that of its padding.
pub fn sinusoids(positions: usize, width: usize) -> Result<Tensor> {
    let half = width / 2;
    let mut values = vec![0f32; positions * width];
    for (position, row) in values.chunks_exact_mut(width).enumerate() {
        let (sines, cosines) = row.split_at_mut(half);
        for (j, (sine, cosine)) in sines.iter_mut().zip(cosines).enumerate() {
            let angle = position as f64 / 10_000f64.powf(2.0 * j as f64 / width as f64);
            (*sine, *cosine) = (angle.sin() as f32, angle.cos() as f32);
        }
    }
    from_values(&values, &[positions as i64, width as i64])
}

/// A table of token vectors with the positions.
#[derive(Debug)]
pub struct Embedding {
    /// `[vocabulary, width]`, trainable but for the fixed row.
    table: Tensor,
    /// The row that is never learnt.
    fixed_row: Option<i64>,
    /// `[positions, width]`, fixed.
    positions: Tensor,
    scale: f64,
}

impl Embedding {
    /// An embedding over `table`, its vectors multiplied by `scale`.
    pub fn new(table: Tensor, fixed_row: Option<i64>, positions: Tensor, scale: f64) -> Self {
        Self { table, fixed_row, positions, scale }
    }

    /// Another handle to the table of positions.
    pub fn positions(&self) -> Tensor {
        self.positions.shallow_clone()
    }

    /// `dropout(scale · table[ids] + sinusoids[positions])`: two `[tokens]` → `[tokens, width]`.
    pub fn apply(
        &self,
        ids: &Tensor,
        positions: &Tensor,
        precision: Precision,
        dropout: Option<Dropout>,
    ) -> Result<Tensor> {
        let table = Table { rows: &self.table, fixed_row: self.fixed_row };
        Ok(embed(ids, positions, table, &self.positions, self.scale, precision, dropout)?)
    }
}
