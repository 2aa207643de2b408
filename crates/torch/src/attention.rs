//! Multi-head scaled dot-product attention (Vaswani et al., arXiv 1706.03762) over packed sequences of unequal length.

use tch::{Kind, Tensor};

use crate::dropout::Dropout;
use crate::error::TorchError;

/// How packed rows belong together.
#[derive(Debug, Clone, Copy)]
pub struct AttentionLayout<'a> {
    /// Where each sequence's queries begin, and the end: `sequences + 1` entries from 0 to the rows of `q`.
    pub query_offsets: &'a [i64],
    /// The same of keys and values. Sequence `i` of the queries sees sequence `i` of the keys.
    pub key_offsets: &'a [i64],
    /// Heads; the width of `q` is `heads · dim`.
    pub heads: i64,
    /// Whether query `i` sees keys `0 ..= i + (keys − queries)` only.
    pub causal: bool,
}

/// `softmax(q kᵀ / √dim) v` for each sequence and head: `q` `[queries, heads · dim]`, `k`, `v` `[keys, heads · dim]` → as `q`.
///
/// Inputs may be column slices of one projection. Dropout acts on the probabilities; probability (i, j) of sequence s and head h is
/// element `base(s, h) + i · pad16(keys) + j`, where `pad16` rounds up to a multiple of 16 and each (s, h), in that order, takes
/// `queries · pad16(keys)` elements rounded up to a multiple of 128. A query without keys gives zeros.
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    layout: &AttentionLayout,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    check(q, k, v, layout)?;
    if let Some(dropout) = &dropout {
        dropout.check("attention")?;
    }
    plain(q, k, v, layout, dropout.filter(|d| d.p != 0.0))
}

fn plain(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    layout: &AttentionLayout,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let dim = q.size()[1] / layout.heads;
    let elements: i64 = spans(layout).map(|(_, n, _, m)| layout.heads * tile(n, m)).sum();
    let factors = dropout.map(|d| Tensor::f_from_slice(&d.factors(elements as usize))).transpose()?;
    let (mut base, mut rows) = (0, Vec::new());
    for (first, queries, start, keys) in spans(layout) {
        let mut heads = Vec::new();
        for head in 0..layout.heads {
            let part = |x: &Tensor, from, len| -> Result<Tensor, TorchError> {
                Ok(x.f_narrow(0, from, len)?.f_narrow(1, head * dim, dim)?.f_to_kind(Kind::Float)?)
            };
            let scores = part(q, first, queries)?
                .f_matmul(&part(k, start, keys)?.f_tr()?)?
                .f_div_scalar((dim as f64).sqrt())?;
            let mut weights = probabilities(&scores, queries, keys, layout.causal)?;
            if let Some(factors) = &factors {
                let factor =
                    factors.f_narrow(0, base, queries * pad16(keys))?.f_reshape([queries, pad16(keys)])?;
                weights = weights.f_mul(&factor.f_narrow(1, 0, keys)?)?;
            }
            base += tile(queries, keys);
            heads.push(weights.f_matmul(&part(v, start, keys)?)?);
        }
        rows.push(Tensor::f_cat(&heads, 1)?);
    }
    if rows.is_empty() {
        return Ok(q.f_zeros_like()?);
    }
    Ok(Tensor::f_cat(&rows, 0)?.f_to_kind(q.kind())?)
}

fn probabilities(scores: &Tensor, queries: i64, keys: i64, causal: bool) -> Result<Tensor, TorchError> {
    if !causal {
        return Ok(scores.f_softmax(-1, Kind::Float)?);
    }
    let hidden =
        Tensor::f_ones([queries, keys], (Kind::Bool, scores.device()))?.f_triu(keys - queries + 1)?;
    Ok(scores.f_masked_fill(&hidden, f64::NEG_INFINITY)?.f_softmax(-1, Kind::Float)?)
}

fn pad16(keys: i64) -> i64 {
    (keys + 15) / 16 * 16
}

fn tile(queries: i64, keys: i64) -> i64 {
    (queries * pad16(keys) + 127) / 128 * 128
}

/// (first query, queries, first key, keys) of each sequence.
fn spans<'a>(layout: &'a AttentionLayout) -> impl Iterator<Item = (i64, i64, i64, i64)> + 'a {
    let pairs = layout.query_offsets.windows(2).zip(layout.key_offsets.windows(2));
    pairs.map(|(q, k)| (q[0], q[1] - q[0], k[0], k[1] - k[0]))
}

fn check(q: &Tensor, k: &Tensor, v: &Tensor, layout: &AttentionLayout) -> Result<(), TorchError> {
    let op = "attention";
    let shape = q.size();
    if shape.len() != 2 || layout.heads < 1 || shape[1] % layout.heads != 0 {
        let expected = format!("[queries, a multiple of {} heads]", layout.heads);
        return Err(TorchError::Shape { op, name: "q", found: shape, expected });
    }
    for (name, tensor) in [("k", k), ("v", v)] {
        let found = tensor.size();
        if found.len() != 2 || found[1] != shape[1] || found[0] != k.size()[0] {
            let expected = format!("[{}, {}]", k.size()[0], shape[1]);
            return Err(TorchError::Shape { op, name, found, expected });
        }
        if tensor.kind() != q.kind() {
            return Err(TorchError::Dtype { op, name, found: tensor.kind(), expected: "the kind of q" });
        }
    }
    check_offsets("query_offsets", layout.query_offsets, shape[0])?;
    check_offsets("key_offsets", layout.key_offsets, k.size()[0])?;
    if layout.query_offsets.len() != layout.key_offsets.len() {
        let (found, expected) =
            (layout.key_offsets.len().to_string(), format!("{} entries", layout.query_offsets.len()));
        return Err(TorchError::Argument { op, name: "key_offsets", found, expected });
    }
    Ok(())
}

fn check_offsets(name: &'static str, offsets: &[i64], rows: i64) -> Result<(), TorchError> {
    let rising = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if offsets.first() == Some(&0) && offsets.last() == Some(&rows) && rising {
        return Ok(());
    }
    let found = format!("{} entries from {:?} to {:?}", offsets.len(), offsets.first(), offsets.last());
    Err(TorchError::Argument {
        op: "attention",
        name,
        found,
        expected: format!("non-decreasing from 0 to {rows}"),
    })
}
