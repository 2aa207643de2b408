//! BERT's encoder: learnt embeddings with a norm, and layers in post-norm, under transformers' names.

use sagetrain_torch::{LearntTables, Lookups, Table, embed_norm};
use tch::{Kind, Tensor};

use crate::attention::Attention;
use crate::bert_spec::BertSpec;
use crate::encoder::EncoderLayer;
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::init::Initial;
use crate::layout::Layout;
use crate::norm::{Norm, Residual};
use crate::parameters::{Parameters, Role};
use crate::pass::{Pass, Site};
use crate::ragged::Ragged;
use crate::transformer_spec::Normalization;

/// transformers' `initializer_range`: of tables and matrices; biases begin at zero.
pub const DEVIATION: f64 = 0.02;

/// Embeddings and layers.
#[derive(Debug)]
pub struct BertEncoder {
    tokens: Tensor,
    positions: Tensor,
    types: Option<Tensor>,
    norm: Norm,
    layers: Vec<EncoderLayer>,
    pad_id: i64,
    counts_behind_padding: bool,
}

impl BertEncoder {
    /// Declares `<architecture>.embeddings.*` and `<architecture>.encoder.*`.
    pub fn declare(layout: &mut Layout, spec: &BertSpec) {
        let name = spec.architecture.name();
        let width = spec.hidden_size;
        let mut table = |kind: &str, rows: usize, zero_row: Option<i64>| {
            let initial = Initial::Normal { deviation: DEVIATION, zero_row };
            let name = format!("{name}.embeddings.{kind}_embeddings.weight");
            layout.declare(name, &[rows, width], Role::Embedding, initial);
        };
        table("word", spec.vocabulary_size, Some(spec.pad_id as i64));
        table("position", spec.max_positions + spec.position_offset(), None);
        if spec.type_vocabulary_size > 0 {
            table("token_type", spec.type_vocabulary_size, None);
        }
        layout.norm(&format!("{name}.embeddings.LayerNorm"), width);
        (0..spec.layers)
            .for_each(|index| declare_layer(layout, &format!("{name}.encoder.layer.{index}"), spec));
    }

    /// Finds the parameters.
    pub fn new(parameters: &Parameters, spec: &BertSpec) -> Result<Self> {
        let name = spec.architecture.name();
        let table = |kind| parameters.tensor(&format!("{name}.embeddings.{kind}_embeddings.weight"));
        let layer = |index| find_layer(parameters, &format!("{name}.encoder.layer.{index}"), spec);
        Ok(Self {
            tokens: table("word")?,
            positions: table("position")?,
            types: (spec.type_vocabulary_size > 0).then(|| table("token_type")).transpose()?,
            norm: Norm::new(parameters, &format!("{name}.embeddings.LayerNorm"), spec.layer_norm_eps)?,
            layers: (0..spec.layers).map(layer).collect::<Result<_>>()?,
            pad_id: spec.pad_id as i64,
            counts_behind_padding: spec.position_offset() > 0,
        })
    }

    /// The last hidden states of all tokens, `[tokens, width]`. `types` int64 `[tokens]`.
    pub fn hidden(&self, tokens: &Ragged, types: &Tensor, pass: &Pass) -> Result<Tensor> {
        let x = self.embed(tokens, types, pass)?;
        let mut layers = self.layers.iter().enumerate();
        layers.try_fold(x, |x, (index, layer)| layer.apply(&x, &tokens.offsets, &pass.layer(index)))
    }

    /// The last hidden state of each sequence's first token, `[sequences, width]`: the last layer computes no other.
    pub fn first(&self, tokens: &Ragged, types: &Tensor, pass: &Pass) -> Result<Tensor> {
        self.first_of(self.embed(tokens, types, pass)?, tokens, pass)
    }

    /// The same of given embeddings `[tokens, width]`, which go into the layers as they are.
    pub fn first_of(&self, mut x: Tensor, tokens: &Ragged, pass: &Pass) -> Result<Tensor> {
        let starts = tokens.starts()?;
        for (index, layer) in self.layers.iter().enumerate() {
            let (pass, offsets) = (pass.layer(index), &tokens.offsets);
            x = match index + 1 == self.layers.len() {
                false => layer.apply(&x, offsets, &pass)?,
                true => layer.apply_to_first(&x, offsets, &starts, &pass)?,
            };
        }
        Ok(x)
    }

    /// What goes into the layers: the sum of embeddings, normalised, with dropout; `[tokens, width]`.
    pub fn embed(&self, tokens: &Ragged, types: &Tensor, pass: &Pass) -> Result<Tensor> {
        let positions = self.positions_of(tokens)?;
        let lookups = Lookups { ids: &tokens.values, positions: &positions, types };
        let tables = LearntTables {
            tokens: Table { rows: &self.tokens, fixed_row: Some(self.pad_id) },
            positions: &self.positions,
            types: self.types.as_ref(),
            norm: (&self.norm.weight, &self.norm.bias, self.norm.epsilon),
        };
        Ok(embed_norm(lookups, tables, pass.precision(), pass.dropout(Site::Embedding))?)
    }

    /// Rows of the table of positions. RoBERTa counts from behind the padding's id, and a padding token that a text spells
    /// out is not counted: its row is that of its id.
    fn positions_of(&self, tokens: &Ragged) -> Result<Tensor> {
        if !self.counts_behind_padding {
            return Ok(tokens.positions.shallow_clone());
        }
        let places = Tensor::f_arange(tokens.tokens(), (Kind::Int64, tokens.values.device()))?;
        let starts = places.f_sub(&tokens.positions)?;
        let counted = tokens.values.f_ne(self.pad_id)?.f_to_kind(Kind::Int64)?;
        let sums = counted.f_cumsum(0, Kind::Int64)?;
        // How many are counted before each token's sequence.
        let before = sums.f_sub(&counted)?.f_index_select(0, &starts)?;
        Ok(sums.f_sub(&before)?.f_mul(&counted)?.f_add_scalar(self.pad_id)?)
    }
}

/// The linear layers of the layer called `layer`: queries, keys, values, attention's output, and the two of the feed-forward block.
fn names(layer: &str) -> ([String; 4], [String; 2]) {
    let attention = ["self.query", "self.key", "self.value", "output.dense"];
    let feed_forward = ["intermediate.dense", "output.dense"];
    (
        attention.map(|name| format!("{layer}.attention.{name}")),
        feed_forward.map(|name| format!("{layer}.{name}")),
    )
}

fn declare_layer(layout: &mut Layout, layer: &str, spec: &BertSpec) {
    let (width, inner) = (spec.hidden_size, spec.feed_forward_size);
    let (attention, [fc1, fc2]) = names(layer);
    for name in &attention {
        layout.normal_linear(name, [width, width], Role::EncoderLinear, DEVIATION);
    }
    layout.norm(&format!("{layer}.attention.output.LayerNorm"), width);
    layout.normal_linear(&fc1, [width, inner], Role::EncoderLinear, DEVIATION);
    layout.normal_linear(&fc2, [inner, width], Role::EncoderLinear, DEVIATION);
    layout.norm(&format!("{layer}.output.LayerNorm"), width);
}

fn find_layer(parameters: &Parameters, layer: &str, spec: &BertSpec) -> Result<EncoderLayer> {
    let (attention, feed_forward) = names(layer);
    let residual = |name| -> Result<Residual> {
        let norm = Norm::new(parameters, &format!("{layer}.{name}"), spec.layer_norm_eps)?;
        Ok(Residual::new(norm, Normalization::Post))
    };
    Ok(EncoderLayer {
        attention: Attention::new(parameters, &attention)?,
        attention_residual: residual("attention.output.LayerNorm")?,
        feed_forward: FeedForward::new(parameters, &feed_forward, spec.activation)?,
        feed_forward_residual: residual("output.LayerNorm")?,
    })
}
