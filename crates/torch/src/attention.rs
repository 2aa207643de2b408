//! Multi-head scaled dot-product attention (Vaswani et al., arXiv 1706.03762) over packed sequences of unequal length.

use tch::Tensor;

use crate::check;
use crate::composed::{self, is_composed};
use crate::dropout::Dropout;
use crate::error::TorchError;
use crate::ffi;

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
/// Dropout acts on the probabilities; probability (i, j) of sequence s and head h is element `base(s, h) + i · pad16(keys) + j`, where
/// `pad16` rounds up to a multiple of 16 and each (s, h), in that order, takes `queries · pad16(keys)` elements rounded up to a
/// multiple of 128. A query without keys gives zeros. The arithmetic is float32 whatever the inputs are, on a GPU that of the softmax.
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    layout: &AttentionLayout,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let width = width_of("q", q)?;
    run(Sources { q: (q, 0), k: (k, 0), v: (v, 0), width }, layout, dropout)
}

/// [`attention`] of a sequence to itself over one projection `[rows, 3 · width]`: queries, keys, values. Its gradient is one tensor.
pub fn self_attention(
    projection: &Tensor,
    layout: &AttentionLayout,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let width = width_of("projection", projection)? / 3;
    let part = |index| (projection, index * width);
    run(Sources { q: part(0), k: part(1), v: part(2), width }, layout, dropout)
}

/// [`attention`] of `q` `[queries, width]` to one projection `[keys, 2 · width]`: keys, values.
pub fn cross_attention(
    q: &Tensor,
    projection: &Tensor,
    layout: &AttentionLayout,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let width = width_of("q", q)?;
    run(Sources { q: (q, 0), k: (projection, 0), v: (projection, width), width }, layout, dropout)
}

/// Tensors and the columns that queries, keys and values begin at.
pub(crate) struct Sources<'a> {
    pub(crate) q: (&'a Tensor, i64),
    pub(crate) k: (&'a Tensor, i64),
    pub(crate) v: (&'a Tensor, i64),
    pub(crate) width: i64,
}

fn run(from: Sources<'_>, layout: &AttentionLayout, dropout: Option<Dropout>) -> Result<Tensor, TorchError> {
    check_sources(&from, layout)?;
    if let Some(dropout) = &dropout {
        dropout.check("attention")?;
    }
    let dropout = dropout.filter(|dropout| dropout.threshold() != 0);
    if is_composed(from.q.0) {
        return composed::attention::attention(&from, layout, dropout);
    }
    let call = ffi::Attention {
        tensors: [from.q.0, from.k.0, from.v.0],
        columns: [from.q.1, from.k.1, from.v.1],
        width: from.width,
        query_offsets: layout.query_offsets,
        key_offsets: layout.key_offsets,
        heads: layout.heads,
        causal: layout.causal,
    };
    ffi::attention(&call, dropout)
}

fn width_of(name: &'static str, tensor: &Tensor) -> Result<i64, TorchError> {
    let found = tensor.size();
    let expected = "[rows, columns]".to_string();
    found.get(1).copied().filter(|_| found.len() == 2).ok_or(TorchError::Shape {
        op: "attention",
        name,
        found,
        expected,
    })
}

fn check_sources(from: &Sources, layout: &AttentionLayout) -> Result<(), TorchError> {
    let op = "attention";
    let Sources { q, k, v, width } = from;
    if layout.heads < 1 || width % layout.heads != 0 {
        let expected = format!("[queries, a multiple of {} heads]", layout.heads);
        return Err(TorchError::Shape { op, name: "q", found: q.0.size(), expected });
    }
    check::float(op, "q", q.0)?;
    check::same_device(op, q.0, &[("k", Some(k.0)), ("v", Some(v.0))])?;
    for (name, (tensor, column)) in [("q", q), ("k", k), ("v", v)] {
        let found = tensor.size();
        if width_of(name, tensor)? < column + width || (name == "v" && found[0] != k.0.size()[0]) {
            let expected = format!("[{}, at least {} columns]", k.0.size()[0], column + width);
            return Err(TorchError::Shape { op, name, found, expected });
        }
        if tensor.kind() != q.0.kind() {
            return Err(TorchError::Dtype { op, name, found: tensor.kind(), expected: "the kind of q" });
        }
    }
    check_offsets("query_offsets", layout.query_offsets, q.0.size()[0])?;
    check_offsets("key_offsets", layout.key_offsets, k.0.size()[0])?;
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
