//! Multi-head attention over packed tokens.

use std::f64::consts::FRAC_1_SQRT_2;

use sagetrain_torch::{Activation, AttentionLayout, cross_attention, self_attention};
use tch::Tensor;

use crate::error::{ModelError, Result};
use crate::layout::Layout;
use crate::linear::Linear;
use crate::parameters::{Parameters, Role};
use crate::pass::{Pass, Site};

/// The four projections of one attention, each `[width, width]`.
#[derive(Debug)]
pub struct Attention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
}

impl Attention {
    /// Declares `<name>.{k,v,q,out}_proj` in Hugging Face's order.
    pub fn declare(layout: &mut Layout, name: &str, width: usize, role: Role) {
        for (projection, gain) in
            [("k", FRAC_1_SQRT_2), ("v", FRAC_1_SQRT_2), ("q", FRAC_1_SQRT_2), ("out", 1.0)]
        {
            layout.linear(&format!("{name}.{projection}_proj"), [width, width], role, gain);
        }
    }

    /// Finds the projections of the attention called `name`.
    pub fn new(parameters: &Parameters, name: &str) -> Result<Self> {
        let linear = |projection| Linear::new(parameters, &format!("{name}.{projection}_proj"));
        Ok(Self { query: linear("q")?, key: linear("k")?, value: linear("v")?, output: linear("out")? })
    }

    /// Every token attends to its own sequence: `[tokens, width]` → the same. `causal` hides what comes later.
    pub fn over_itself(&self, x: &Tensor, offsets: &[i64], causal: bool, pass: &Pass) -> Result<Tensor> {
        let all = Linear::apply_all(&[&self.query, &self.key, &self.value], x, pass.precision())?; // [tokens, 3 width]
        let layout =
            AttentionLayout { query_offsets: offsets, key_offsets: offsets, heads: pass.heads(), causal };
        let mixed = self_attention(&all, &layout, pass.dropout(Site::SelfAttention))?; // [tokens, width]
        self.output.apply(&mixed, Activation::None, pass.precision())
    }

    /// Every target token attends to its source: `x` `[target tokens, width]`, `memory` the source's keys and values.
    pub fn over_source(&self, x: &Tensor, offsets: &[i64], memory: &Memory, pass: &Pass) -> Result<Tensor> {
        let query = self.query.apply(x, Activation::None, pass.precision())?;
        let (query_offsets, key_offsets) = (offsets, memory.offsets);
        let layout = AttentionLayout { query_offsets, key_offsets, heads: pass.heads(), causal: false };
        let dropout = pass.dropout(Site::CrossAttention);
        let mixed = cross_attention(&query, &memory.projection, &layout, dropout)?; // [tokens, width]
        self.output.apply(&mixed, Activation::None, pass.precision())
    }
}

/// The source as one decoder layer sees it.
#[derive(Debug)]
pub struct Memory<'a> {
    /// Keys before values, `[source tokens, 2 width]`.
    pub projection: Tensor,
    /// Where each source starts.
    pub offsets: &'a [i64],
}

/// Cuts `[rows, N width]` into N views `[rows, width]`.
pub fn columns<const N: usize>(x: &Tensor) -> Result<[Tensor; N]> {
    let parts = x.f_chunk(N as i64, 1)?;
    <[Tensor; N]>::try_from(parts)
        .map_err(|parts| ModelError::decoding(format!("{} columns instead of {N}", parts.len())))
}
