//! The Transformer as a translator: each step runs the decoder on one token a row, over cached keys and values.
//!
//! The same fused attention as in training does it: a row's cache is a packed sequence with one query, and the rows of a
//! source are that source's queries, so nothing is padded and no source is copied for its beam.

use sagetrain_torch::{Activation, AttentionLayout, Precision, cross_attention, linear};
use tch::{Kind, Tensor};

use crate::decoder::DecoderLayer;
use crate::error::{ModelError, Result};
use crate::model::Forward;
use crate::pass::{Pass, Stack};
use crate::ragged::Ragged;
use crate::transformer::Transformer;
use crate::translator::{Cache, LayerCache, Tokens, Translator};

impl Translator for Transformer {
    fn tokens(&self) -> Tokens {
        Tokens { start: self.spec.start_id(), end: 0, unknown: 1 }
    }

    fn longest(&self) -> usize {
        self.spec.max_positions
    }

    fn start(&self, source: &Ragged, precision: Precision) -> Result<Cache> {
        let _no_grad = tch::no_grad_guard();
        let forward = Forward::evaluation(precision);
        let encoded = self.encode(source, &forward)?; // [source tokens, width]
        let pass = Pass::new(&forward, &self.spec, Stack::Decoder);
        let memories = self.decoder.memories(&encoded, &source.offsets, &pass)?;
        let layer = |memory: crate::attention::Memory| {
            // Every step reads it again: rows beside each other beat columns of one wide product.
            Ok(LayerCache { own: None, source: memory.projection.f_contiguous()? })
        };
        Ok(Cache {
            precision,
            decoded: 0,
            source_of_row: (0..source.sequences()).collect(),
            source_offsets: source.offsets.clone(),
            layers: memories.into_iter().map(layer).collect::<Result<_>>()?,
        })
    }

    fn step(&self, cache: &mut Cache, last: &Tensor) -> Result<Tensor> {
        let _no_grad = tch::no_grad_guard();
        self.check_step(cache, last)?;
        let positions = last.f_full_like(cache.decoded)?; // [rows]
        let mut x = self.tables.target.apply(last, &positions, cache.precision, None)?; // [rows, width]
        let step = Step::new(cache, self.spec.decoder_heads() as i64);
        for (layer, cached) in self.decoder.layers.iter().zip(&mut cache.layers) {
            x = layer.step(&x, cached, &step)?;
        }
        cache.decoded += 1;
        self.log_probabilities(&self.decoder.finish(x)?)
    }

    fn reorder(&self, cache: &mut Cache, rows: &[i64]) -> Result<()> {
        let _no_grad = tch::no_grad_guard();
        cache.select(rows)
    }
}

impl Transformer {
    fn check_step(&self, cache: &Cache, last: &Tensor) -> Result<()> {
        let (found, rows) = (last.size(), cache.rows() as i64);
        if found != [rows] || last.kind() != Kind::Int64 {
            let problem = format!("int64 ids [{rows}] are expected, found {:?} {found:?}", last.kind());
            return Err(ModelError::decoding(problem));
        }
        if cache.decoded() >= self.spec.max_positions {
            let problem = format!("the model holds {} positions (maxPositions)", self.spec.max_positions);
            return Err(ModelError::decoding(problem));
        }
        Ok(())
    }

    /// `[rows, width]` → `[rows, vocabulary]`. In float32 whatever the precision: logits rounded to 8 bits tie, and ties
    /// would decide a beam.
    fn log_probabilities(&self, x: &Tensor) -> Result<Tensor> {
        let layer = (&self.tables.output, self.logits_bias.as_ref());
        let logits = linear(x, &[layer], Activation::None, Precision::Float32)?;
        let scores = logits.f_log_softmax(-1, Kind::Float)?;
        let _ = scores.f_select(1, self.spec.start_id())?.f_fill_(f64::NEG_INFINITY)?;
        Ok(scores)
    }
}

/// How the rows of one step lie.
struct Step {
    precision: Precision,
    heads: i64,
    /// One query a row.
    one_each: Vec<i64>,
    /// The keys of each row, this step's included.
    own_offsets: Vec<i64>,
    /// The rows of each source.
    row_offsets: Vec<i64>,
    /// The keys of each source.
    source_offsets: Vec<i64>,
}

impl Step {
    fn new(cache: &Cache, heads: i64) -> Self {
        let one_each: Vec<i64> = (0..=cache.rows() as i64).collect();
        Self {
            precision: cache.precision,
            heads,
            own_offsets: one_each.iter().map(|row| row * (cache.decoded + 1)).collect(),
            one_each,
            row_offsets: cache.row_offsets(),
            source_offsets: cache.source_offsets.clone(),
        }
    }

    fn own(&self) -> AttentionLayout<'_> {
        self.layout(&self.one_each, &self.own_offsets)
    }

    fn source(&self) -> AttentionLayout<'_> {
        self.layout(&self.row_offsets, &self.source_offsets)
    }

    fn layout<'a>(&self, query_offsets: &'a [i64], key_offsets: &'a [i64]) -> AttentionLayout<'a> {
        AttentionLayout { query_offsets, key_offsets, heads: self.heads, causal: false }
    }
}

impl DecoderLayer {
    /// `x` `[rows, width]`, the newest token of every row → the same shape; its keys and values join the cache.
    fn step(&self, x: &Tensor, cache: &mut LayerCache, step: &Step) -> Result<Tensor> {
        let residual = &self.attention_residual;
        let block = self.step_over_itself(&residual.enter(x)?, cache, step)?;
        let x = residual.leave(&block, x, None)?;

        let residual = &self.cross_residual;
        let query = self.cross.query.apply(&residual.enter(&x)?, Activation::None, step.precision)?;
        let mixed = cross_attention(&query, &cache.source, &step.source(), None)?;
        let block = self.cross.output.apply(&mixed, Activation::None, step.precision)?;
        let x = residual.leave(&block, &x, None)?;

        let (residual, feed_forward) = (&self.feed_forward_residual, &self.feed_forward);
        let inner = feed_forward.fc1.apply(&residual.enter(&x)?, feed_forward.activation, step.precision)?;
        let block = feed_forward.fc2.apply(&inner, Activation::None, step.precision)?;
        residual.leave(&block, &x, None)
    }

    fn step_over_itself(&self, x: &Tensor, cache: &mut LayerCache, step: &Step) -> Result<Tensor> {
        let all = self.attention.project(x, step.precision)?; // [rows, 3 width]
        let width = all.size()[1] / 3;
        let newest = all.f_narrow(1, width, 2 * width)?.f_unsqueeze(1)?; // [rows, 1, 2 width]
        let known = match &cache.own {
            Some(own) => Tensor::f_cat(&[own, &newest], 1)?,
            None => newest.f_contiguous()?,
        };
        let packed = known.f_view([-1, 2 * width])?; // [rows · decoded, 2 width]
        let mixed = cross_attention(&all.f_narrow(1, 0, width)?, &packed, &step.own(), None)?;
        cache.own = Some(known);
        self.attention.output.apply(&mixed, Activation::None, step.precision)
    }
}
