//! Token embeddings times √d plus sinusoids, as in Marian.

use sagetrain_torch::{Dropout, Precision, embed};
use tch::Tensor;

use crate::error::Result;
use crate::init::from_values;

/// The table of positions `[positions, width]`: sines in the first half of each row, cosines in the second.
///
/// Frequency j of either half is 10000^(−2j/width). Angles are taken in double precision and rounded once, as
/// `MarianSinusoidalPositionalEmbedding` of transformers does.
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

/// The table shared by source, target and output projection, with the positions.
#[derive(Debug)]
pub struct Embedding {
    /// `[vocabulary, width]`, trainable.
    pub(crate) table: Tensor,
    /// `[positions, width]`, fixed.
    pub(crate) positions: Tensor,
    scale: f64,
}

impl Embedding {
    /// An embedding over `table` for sequences of up to `max_positions` tokens.
    pub fn new(table: Tensor, max_positions: usize, width: usize) -> Result<Self> {
        Ok(Self { table, positions: sinusoids(max_positions, width)?, scale: (width as f64).sqrt() })
    }

    /// `dropout(√d · table[ids] + sinusoids[positions])`: two `[tokens]` → `[tokens, width]`.
    pub fn apply(
        &self,
        ids: &Tensor,
        positions: &Tensor,
        precision: Precision,
        dropout: Option<Dropout>,
    ) -> Result<Tensor> {
        Ok(embed(ids, positions, &self.table, &self.positions, self.scale, precision, dropout)?)
    }
}
