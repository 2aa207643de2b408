//! Attention over packed sequences, padded to the longest on the way. Products are in the kind of the queries, the softmax in float32.

use tch::{Kind, Tensor};

use super::mask::dropped;
use super::padding::Padding;
use crate::attention::{AttentionLayout, Sources};
use crate::dropout::Dropout;
use crate::error::TorchError;

/// Of a score that is not seen: its exponential is 0 beside any other, and rows without any other stay finite.
pub(crate) const UNSEEN: f64 = -1e30;

pub(crate) fn attention(
    from: &Sources<'_>,
    layout: &AttentionLayout,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let padding = Padding::of(layout, from.q.0.device())?;
    let shape = |longest| [padding.sequences, longest, layout.heads, from.width / layout.heads];
    let padded = |(tensor, column): (&Tensor, i64), rows: &Tensor, longest| {
        let part = tensor.f_narrow(1, column, from.width)?.f_index_select(0, rows)?;
        part.f_view(shape(longest))?.f_transpose(1, 2) // [sequence, head, time, dim]
    };
    let [queries, keys] = padding.longest;
    let q = padded(from.q, &padding.queries, queries)?;
    let (k, v) = (padded(from.k, &padding.keys, keys)?, padded(from.v, &padding.keys, keys)?);
    let mut probabilities = softmax(&q, &k, &padding.hidden)?; // [sequence, head, query, key]
    if let Some(dropout) = dropout {
        let mask = dropped(&dropout, padding.mask_elements(), q.device())?;
        let mask = mask.f_take(&padding.mask_index()?)?;
        probabilities = probabilities.f_masked_fill(&mask, 0.0)?.f_mul_scalar(f64::from(dropout.scale()))?;
    }
    let mixed = probabilities.f_to_kind(v.f_kind()?)?.f_matmul(&v)?; // [sequence, head, query, dim]
    let mixed = mixed.f_transpose(1, 2)?.f_reshape([padding.sequences * queries, from.width])?;
    Ok(mixed.f_index_select(0, &padding.places)?)
}

/// Float32 probabilities of what is not hidden; a row that sees nothing has zeros.
pub(crate) fn softmax(q: &Tensor, k: &Tensor, hidden: &Tensor) -> Result<Tensor, TorchError> {
    let scale = 1.0 / (q.size().last().copied().unwrap_or(1) as f64).sqrt();
    let scores = q.f_matmul(&k.f_transpose(-1, -2)?)?.f_to_kind(Kind::Float)?.f_mul_scalar(scale)?;
    let probabilities = scores.f_masked_fill(hidden, UNSEEN)?.f_softmax(-1, Kind::Float)?;
    Ok(probabilities.f_masked_fill(hidden, 0.0)?)
}
