//! Multi-head attention over packed tokens.

use std::f64::consts::FRAC_1_SQRT_2;

use sagetrain_torch::{Activation, AttentionLayout, Precision, cross_attention, self_attention};
use tch::Tensor;

use crate::error::Result;
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

    /// What [`Attention::declare`] calls the projections, in the order of the fields.
    pub fn names(name: &str) -> [String; 4] {
        ["q", "k", "v", "out"].map(|projection| format!("{name}.{projection}_proj"))
    }

    /// Finds the projections of these names: queries, keys, values, output.
    pub fn new(parameters: &Parameters, [query, key, value, output]: &[String; 4]) -> Result<Self> {
        let linear = |name: &str| Linear::new(parameters, name);
        Ok(Self { query: linear(query)?, key: linear(key)?, value: linear(value)?, output: linear(output)? })
    }

    /// Every token attends to its own sequence: `[tokens, width]` → the same. `causal` hides what comes later.
    pub fn over_itself(&self, x: &Tensor, offsets: &[i64], causal: bool, pass: &Pass) -> Result<Tensor> {
        let all = self.project(x, pass.precision())?; // [tokens, 3 width]
        let heads = pass.heads();
        let layout = AttentionLayout { query_offsets: offsets, key_offsets: offsets, heads, causal };
        let mixed = self_attention(&all, &layout, pass.dropout(Site::SelfAttention))?; // [tokens, width]
        self.output.apply(&mixed, Activation::None, pass.precision())
    }

    /// Queries, keys and values of every token, side by side: `[tokens, width]` → `[tokens, 3 width]`.
    pub fn project(&self, x: &Tensor, precision: Precision) -> Result<Tensor> {
        Linear::apply_all(&[&self.query, &self.key, &self.value], x, precision)
    }

    /// Each sequence's first token attends to all of it: `first` `[sequences, width]` of `x` `[tokens, width]` → as `first`.
    pub fn of_first(&self, first: &Tensor, x: &Tensor, offsets: &[i64], pass: &Pass) -> Result<Tensor> {
        let projection = Linear::apply_all(&[&self.key, &self.value], x, pass.precision())?; // [tokens, 2 width]
        let one_each: Vec<i64> = (0..offsets.len() as i64).collect();
        self.over_source(first, &one_each, &Memory { projection, offsets }, pass)
    }

    /// Every target token attends to its source: `x` `[target tokens, width]` → the same.
    pub fn over_source(&self, x: &Tensor, offsets: &[i64], memory: &Memory, pass: &Pass) -> Result<Tensor> {
        let query = self.query.apply(x, Activation::None, pass.precision())?;
        let heads = pass.heads();
        let layout =
            AttentionLayout { query_offsets: offsets, key_offsets: memory.offsets, heads, causal: false };
        let dropout = pass.dropout(Site::CrossAttention);
        let mixed = cross_attention(&query, &memory.projection, &layout, dropout)?; // [target tokens, width]
        self.output.apply(&mixed, Activation::None, pass.precision())
    }
}

/// The source as one decoder layer sees it.
#[derive(Debug)]
pub struct Memory<'a> {
    /// Keys and values side by side, `[source tokens, 2 width]`.
    pub projection: Tensor,
    /// Where each source starts.
    pub offsets: &'a [i64],
}
