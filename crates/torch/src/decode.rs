//! What decoding needs beside packed layers: attention of one query a row to keys that stay where they are, and the best
//! continuations of every row.

use tch::{Kind, Tensor};

use crate::check;
use crate::composed::{self, is_composed};
use crate::error::TorchError;
use crate::ffi;

/// Attention of `q` `[rows, width]` to what each row has decoded: key and value t of row i are row `ancestors[i · blocks + t]` of
/// `blocks[t]` `[rows then, 2 width]`, keys before values. Nothing is copied when a search reorders its rows.
///
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn attend_history(
    q: &Tensor,
    blocks: &[Tensor],
    ancestors: &[i32],
    heads: i64,
) -> Result<Tensor, TorchError> {
    let op = "attend_history";
    let (rows, width) = check_query(op, q, heads)?;
    if blocks.is_empty() {
        return Err(argument(op, "blocks", "none", "one or more"));
    }
    if ancestors.len() as i64 != rows * blocks.len() as i64 {
        let expected = format!("{} entries", rows * blocks.len() as i64);
        return Err(argument(op, "ancestors", &format!("{} entries", ancestors.len()), &expected));
    }
    for (step, block) in blocks.iter().enumerate() {
        let known = check_memory(op, block, q, width)?;
        let of_step = ancestors.iter().skip(step).step_by(blocks.len());
        if let Some(outside) = of_step.copied().find(|row| !(0..known).contains(&i64::from(*row))) {
            return Err(argument(op, "ancestors", &outside.to_string(), &format!("0 to {}", known - 1)));
        }
    }
    if is_composed(q) {
        return composed::decode::attend_history(q, blocks, ancestors, heads);
    }
    ffi::decode::attend_history(q, blocks, ancestors, heads)
}

/// Where rows and keys of [`attend_memory`] belong.
#[derive(Debug, Clone, Copy)]
pub struct MemoryLayout<'a> {
    /// The source of each row.
    pub row_sources: &'a [i64],
    /// Where each source's keys begin, and the end of the last.
    pub key_offsets: &'a [i64],
    /// Heads of `width / heads` columns.
    pub heads: i64,
}

/// Attention weights of rows to their sources, the mean over heads.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    /// Where each row's weights begin, and the end of the last.
    pub offsets: Vec<i64>,
    /// One a key of the row's source.
    pub values: Vec<f32>,
}

impl Weights {
    /// Zeros for every row of a layout.
    pub fn zeros(layout: &MemoryLayout) -> Self {
        let mut offsets = vec![0];
        for &source in layout.row_sources {
            offsets.push(offsets[offsets.len() - 1] + layout.keys(source));
        }
        let values = vec![0.0; offsets[offsets.len() - 1] as usize];
        Self { offsets, values }
    }

    /// The weights of row `row`.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

impl MemoryLayout<'_> {
    /// Keys of a source; none of one that there is not.
    fn keys(&self, source: i64) -> i64 {
        let ends = usize::try_from(source).ok().and_then(|source| self.key_offsets.get(source..source + 2));
        ends.map_or(0, |ends| ends[1] - ends[0])
    }
}

/// Attention of every row of `q` `[rows, width]` to its source's part of `memory` `[source tokens, 2 width]`, keys before values;
/// the weights as well, if they are wanted.
///
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn attend_memory(
    q: &Tensor,
    memory: &Tensor,
    layout: &MemoryLayout,
    wanted: bool,
) -> Result<(Tensor, Option<Weights>), TorchError> {
    let op = "attend_memory";
    let (rows, width) = check_query(op, q, layout.heads)?;
    let keys = check_memory(op, memory, q, width)?;
    let rising = layout.key_offsets.windows(2).all(|pair| pair[0] < pair[1]);
    if layout.key_offsets.first() != Some(&0) || layout.key_offsets.last() != Some(&keys) || !rising {
        let expected = format!("rising from 0 to {keys}");
        return Err(argument(op, "key_offsets", &format!("{:?}", layout.key_offsets), &expected));
    }
    let known = layout.row_sources.iter().all(|&source| layout.keys(source) > 0);
    if layout.row_sources.len() as i64 != rows || !known {
        let expected = format!("{rows} of 0 to {}", layout.key_offsets.len() - 2);
        return Err(argument(op, "row_sources", &format!("{:?}", layout.row_sources), &expected));
    }
    let most = layout.key_offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    if is_composed(q) {
        return composed::decode::attend_memory(q, memory, layout, most, wanted);
    }
    let mut weights = wanted.then(|| Weights::zeros(layout));
    let out = ffi::decode::attend_memory(q, memory, layout, most, weights.as_mut())?;
    Ok((out, weights))
}

/// A continuation and its log-probability.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Entry {
    /// Natural logarithm.
    pub log_probability: f32,
    /// The token; −1 where a row has no more.
    pub token: i32,
}

/// The best continuations of every row.
#[derive(Debug, Clone)]
pub struct Best {
    pub(crate) count: usize,
    pub(crate) entries: Vec<Entry>,
    /// log Σ exp of each row's logits; not finite where the logits are not.
    pub log_masses: Vec<f64>,
}

impl Best {
    /// The best of row `row`, best first; of equal ones the smaller token comes first.
    pub fn row(&self, row: usize) -> &[Entry] {
        let entries = &self.entries[row * self.count..(row + 1) * self.count];
        &entries[..entries.iter().position(|entry| entry.token < 0).unwrap_or(self.count)]
    }
}

/// The `count` largest log-softmax entries of every row of float32 logits `[rows, vocabulary]`, those of `excluded` tokens left out
/// after the softmax. An entry of −∞ is never among them.
///
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH`.
pub fn best_log_probabilities(logits: &Tensor, count: usize, excluded: &[i64]) -> Result<Best, TorchError> {
    let op = "best_log_probabilities";
    let (rows, vocabulary) = check::matrix(op, "logits", logits, "[rows, vocabulary]")?;
    check::kind(op, "logits", logits, Kind::Float, "float32")?;
    if count == 0 || vocabulary > i64::from(i32::MAX) {
        return Err(argument(op, "count", &count.to_string(), "one or more, of at most 2^31 tokens"));
    }
    let count = count.min(vocabulary as usize);
    let mut best = Best {
        count,
        entries: vec![Entry { log_probability: f32::NEG_INFINITY, token: -1 }; rows as usize * count],
        log_masses: vec![0.0; rows as usize],
    };
    if is_composed(logits) {
        composed::decode::best(logits, excluded, &mut best)?;
        return Ok(best);
    }
    ffi::decode::best(logits, excluded, count, &mut best.entries, &mut best.log_masses)?;
    Ok(best)
}

fn check_query(op: &'static str, q: &Tensor, heads: i64) -> Result<(i64, i64), TorchError> {
    let (rows, width) = check::matrix(op, "q", q, "[rows, width]")?;
    check::float(op, "q", q)?;
    if heads < 1 || width % heads != 0 {
        return Err(argument(op, "heads", &heads.to_string(), &format!("a divisor of {width}")));
    }
    Ok((rows, width))
}

/// Keys and values side by side, contiguous; returns how many.
fn check_memory(op: &'static str, memory: &Tensor, q: &Tensor, width: i64) -> Result<i64, TorchError> {
    let (keys, _) = check::matrix(op, "memory", memory, "[keys, 2 width]")?;
    check::shape(op, "memory", memory, &[keys, 2 * width])?;
    check::same_device(op, q, &[("memory", Some(memory))])?;
    check::kind(op, "memory", memory, q.kind(), "the kind of q")?;
    if !memory.is_contiguous() {
        return Err(argument(op, "memory", "not contiguous", "rows side by side"));
    }
    Ok(keys)
}

fn argument(op: &'static str, name: &'static str, found: &str, expected: &str) -> TorchError {
    TorchError::Argument { op, name, found: found.to_owned(), expected: expected.to_owned() }
}
