//! What decoding needs. What a search decides on comes back to the host: a few numbers a row.

use tch::{Device, Kind, Tensor};

use super::attention::softmax;
use super::{count_up, numbers};
use crate::decode::{Best, Entry, MemoryLayout, Weights};
use crate::error::TorchError;

/// Row i of `q` over rows `ancestors[i][t]` of `blocks[t]`.
pub(crate) fn attend_history(
    q: &Tensor,
    blocks: &[Tensor],
    ancestors: &[i32],
    heads: i64,
) -> Result<Tensor, TorchError> {
    let starts = blocks.iter().scan(0, |next, block| {
        let start = *next;
        *next += block.size()[0];
        Some(start)
    });
    let starts: Vec<i64> = starts.collect();
    let index = ancestors.iter().zip(starts.iter().cycle()).map(|(&row, start)| start + i64::from(row));
    let index = numbers(&index.collect::<Vec<_>>(), q.device())?;
    let steps = blocks.len() as i64;
    let memory = Tensor::f_cat(blocks, 0)?.f_index_select(0, &index)?; // [rows · steps, 2 width]
    let nothing = Tensor::f_zeros([1, 1, 1, 1], (Kind::Bool, q.device()))?;
    Ok(attend(q, &memory, steps, heads, &nothing)?.0)
}

/// The rows of each source over its keys.
pub(crate) fn attend_memory(
    q: &Tensor,
    memory: &Tensor,
    layout: &MemoryLayout,
    most: i64,
    wanted: bool,
) -> Result<(Tensor, Option<Weights>), TorchError> {
    let device = q.device();
    let ends =
        |source: &i64| [layout.key_offsets[*source as usize], layout.key_offsets[*source as usize + 1]];
    let spans: Vec<[i64; 2]> = layout.row_sources.iter().map(ends).collect();
    let spans = numbers(spans.as_flattened(), device)?.f_view([-1, 2])?;
    let index = spans.f_narrow(1, 0, 1)?.f_add(&count_up(most, device)?)?; // [rows, keys]
    let beyond = index.f_ge_tensor(&spans.f_narrow(1, 1, 1)?)?;
    let index = index.f_clamp_max((memory.size()[0] - 1).max(0))?.f_flatten(0, 1)?;
    let hidden = beyond.f_unsqueeze(1)?.f_unsqueeze(1)?; // [rows, 1, 1, keys]
    let (out, probabilities) = attend(q, &memory.f_index_select(0, &index)?, most, layout.heads, &hidden)?;
    let weights = wanted.then(|| {
        let means = probabilities.f_mean_dim([1, 2].as_slice(), false, Kind::Float)?; // [rows, keys]
        weights(&means.f_to_device(Device::Cpu)?, layout, most)
    });
    Ok((out, weights.transpose()?))
}

/// Attention of each row of `q` to its `keys` rows of `memory`, one after the other; the probabilities as `[rows, heads, 1, keys]`.
fn attend(
    q: &Tensor,
    memory: &Tensor,
    keys: i64,
    heads: i64,
    hidden: &Tensor,
) -> Result<(Tensor, Tensor), TorchError> {
    let (rows, width) = (q.size()[0], q.size()[1]);
    let dim = width / heads;
    let part =
        |half| memory.f_narrow(1, half * width, width)?.f_view([rows, keys, heads, dim])?.f_transpose(1, 2);
    let q = q.f_reshape([rows, heads, 1, dim])?;
    let probabilities = softmax(&q, &part(0)?, hidden)?;
    let mixed = probabilities.f_to_kind(q.f_kind()?)?.f_matmul(&part(1)?)?;
    Ok((mixed.f_reshape([rows, width])?, probabilities))
}

fn weights(means: &Tensor, layout: &MemoryLayout, most: i64) -> Result<Weights, TorchError> {
    let mut weights = Weights::zeros(layout);
    let means = means.f_contiguous()?;
    let means = crate::memory::f32_slice(&means)?.chunks(most.max(1) as usize);
    for (row, means) in means.enumerate() {
        let (from, to) = (weights.offsets[row] as usize, weights.offsets[row + 1] as usize);
        weights.values[from..to].copy_from_slice(&means[..to - from]);
    }
    Ok(weights)
}

/// As [`crate::best_log_probabilities`]. Which of equal entries come last among the `count` is ATen's choice.
pub(crate) fn best(logits: &Tensor, excluded: &[i64], best: &mut Best) -> Result<(), TorchError> {
    let masses = logits.f_logsumexp([-1].as_slice(), false)?.f_to_device(Device::Cpu)?;
    let masses = crate::memory::f32_slice(&masses)?.to_vec();
    let open = logits.f_index_fill(1, &numbers(excluded, logits.device())?, f64::NEG_INFINITY)?;
    let (values, tokens) = open.f_topk(best.count as i64, 1, true, true)?;
    let values = values.f_to_device(Device::Cpu)?.f_contiguous()?;
    let values = crate::memory::f32_slice(&values)?;
    let tokens = tokens.f_to_kind(Kind::Int)?.f_to_device(Device::Cpu)?.f_flatten(0, 1)?;
    let tokens = Vec::<i32>::try_from(&tokens)?;
    for (row, &mass) in masses.iter().enumerate() {
        best.log_masses[row] = f64::from(mass);
        let range = row * best.count..(row + 1) * best.count;
        let found = values[range.clone()].iter().zip(&tokens[range.clone()]);
        let mut entries: Vec<Entry> = found
            .filter(|(value, _)| **value > f32::NEG_INFINITY)
            .map(|(&value, &token)| Entry { log_probability: value - mass, token })
            .collect();
        entries.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability).then(a.token.cmp(&b.token)));
        best.entries[range][..entries.len()].copy_from_slice(&entries);
    }
    Ok(())
}
