//! The Transformer as a translator: each step runs the decoder on one token a row, over keys and values that earlier steps left.

use sagetrain_torch::{
    Activation, MemoryLayout, PackedLinear, Precision, Weights, attend_history, attend_memory, upload,
};
use tch::Tensor;

use crate::decoder::DecoderLayer;
use crate::error::{ModelError, Result};
use crate::history::{Cache, LayerCache};
use crate::linear::Linear;
use crate::model::Forward;
use crate::norm::Residual;
use crate::pass::{Pass, Stack};
use crate::ragged::Ragged;
use crate::transformer::Transformer;
use crate::translator::{Decoding, Scores, Tokens, Translator};

impl Translator for Transformer {
    fn tokens(&self) -> Tokens {
        Tokens { start: self.spec.start_id(), end: 0, unknown: 1 }
    }

    fn longest(&self) -> usize {
        self.spec.max_positions
    }

    fn source_vocabulary(&self) -> usize {
        self.spec.vocabulary.source()
    }

    fn vocabulary(&self) -> usize {
        self.spec.vocabulary.target()
    }

    fn decoding(&self, precision: Precision) -> Result<Box<dyn Decoding + '_>> {
        Ok(Box::new(Incremental::new(self, precision)?))
    }
}

/// A Transformer's decoder, its matrices packed.
struct Incremental<'a> {
    model: &'a Transformer,
    precision: Precision,
    layers: Vec<Layer<'a>>,
    /// In float32 whatever the precision: logits rounded to 8 bits tie, and ties would decide a beam.
    output: PackedLinear,
}

impl<'a> Incremental<'a> {
    fn new(model: &'a Transformer, precision: Precision) -> Result<Self> {
        let _no_grad = tch::no_grad_guard();
        let layers = model.decoder.layers.iter();
        Ok(Self {
            model,
            precision,
            layers: layers
                .map(|layer| Layer::new(layer, precision, model.spec.decoder_heads() as i64))
                .collect::<Result<_>>()?,
            output: PackedLinear::new(
                &[(&model.tables.output, model.logits_bias.as_ref())],
                Precision::Float32,
            )?,
        })
    }

    fn check_step(&self, cache: &Cache, last: &[i64]) -> Result<()> {
        if last.len() != cache.rows() {
            let problem = format!("{} ids are expected, one a row, found {}", cache.rows(), last.len());
            return Err(ModelError::decoding(problem));
        }
        let longest = self.model.spec.max_positions;
        if cache.decoded() >= longest {
            return Err(ModelError::decoding(format!("the model holds {longest} positions (maxPositions)")));
        }
        Ok(())
    }
}

impl Decoding for Incremental<'_> {
    fn start(&self, source: &Ragged) -> Result<Cache> {
        let _no_grad = tch::no_grad_guard();
        let forward = Forward::evaluation(self.precision);
        let source = source.on(self.model.tables.output.device())?;
        let encoded = self.model.encode(&source, &forward)?; // [source tokens, width]
        let pass = Pass::new(&forward, self.model.spec.rates(Stack::Decoder), Stack::Decoder);
        let memories = self.model.decoder.memories(&encoded, &source.offsets, &pass)?.into_iter();
        // Every step reads them again: rows beside each other beat columns of one wide product.
        let memories = memories.map(|memory| Ok(memory.projection.f_contiguous()?)).collect::<Result<_>>()?;
        Ok(Cache::new(source.offsets.clone(), memories))
    }

    fn step(&self, cache: &mut Cache, last: &[i64]) -> Result<Scores> {
        let _no_grad = tch::no_grad_guard();
        self.check_step(cache, last)?;
        let device = self.model.tables.output.device();
        let last = upload(&Tensor::f_from_slice(last)?, device)?; // [rows]
        let positions = last.f_full_like(cache.decoded() as i64)?;
        let mut x = self.model.tables.target.apply(&last, &positions, self.precision, None)?; // [rows, width]
        let ancestors = cache.advance();
        let mut attention = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let watched = cache.is_watched() && index + 1 == self.layers.len();
            x = layer.attend_past(&x, &mut cache.layers[index], &ancestors)?;
            (x, attention) = layer.attend_source(&x, cache, index, watched)?;
            x = layer.transform(&x)?;
        }
        let x = self.model.decoder.finish(x)?;
        Ok(Scores { logits: self.output.apply(&x, Activation::None)?, attention })
    }
}

/// A decoder layer with packed matrices.
struct Layer<'a> {
    parts: &'a DecoderLayer,
    heads: i64,
    query: PackedLinear,
    key_value: PackedLinear,
    output: PackedLinear,
    source_query: PackedLinear,
    source_output: PackedLinear,
    fc1: PackedLinear,
    fc2: PackedLinear,
}

impl<'a> Layer<'a> {
    fn new(parts: &'a DecoderLayer, precision: Precision, heads: i64) -> Result<Self> {
        let pack = |layers: &[&Linear]| Linear::pack(layers, precision);
        let DecoderLayer { attention, cross, feed_forward, .. } = parts;
        Ok(Self {
            parts,
            heads,
            query: pack(&[&attention.query])?,
            key_value: pack(&[&attention.key, &attention.value])?,
            output: pack(&[&attention.output])?,
            source_query: pack(&[&cross.query])?,
            source_output: pack(&[&cross.output])?,
            fc1: pack(&[&feed_forward.fc1])?,
            fc2: pack(&[&feed_forward.fc2])?,
        })
    }

    /// `x` `[rows, width]`, the newest token of every row → the same shape; its keys and values join the cache.
    fn attend_past(&self, x: &Tensor, cache: &mut LayerCache, ancestors: &[i32]) -> Result<Tensor> {
        let residual = &self.parts.attention_residual;
        let entered = residual.enter(x)?;
        cache.blocks.push(self.key_value.apply(&entered, Activation::None)?); // [rows, 2 width]
        let query = self.query.apply(&entered, Activation::None)?;
        let mixed = attend_history(&query, &cache.blocks, ancestors, self.heads)?;
        leave(residual, &self.output, &mixed, x)
    }

    /// `x` `[rows, width]` → the same shape, and where it looked.
    fn attend_source(
        &self,
        x: &Tensor,
        cache: &Cache,
        layer: usize,
        watched: bool,
    ) -> Result<(Tensor, Option<Weights>)> {
        let residual = &self.parts.cross_residual;
        let query = self.source_query.apply(&residual.enter(x)?, Activation::None)?;
        let (row_sources, key_offsets) = cache.sources();
        let layout = MemoryLayout { row_sources, key_offsets, heads: self.heads };
        let (mixed, weights) = attend_memory(&query, &cache.layers[layer].source, &layout, watched)?;
        Ok((leave(residual, &self.source_output, &mixed, x)?, weights))
    }

    /// The feed-forward block.
    fn transform(&self, x: &Tensor) -> Result<Tensor> {
        let residual = &self.parts.feed_forward_residual;
        let inner = self.fc1.apply(&residual.enter(x)?, self.parts.feed_forward.activation)?;
        leave(residual, &self.fc2, &inner, x)
    }
}

/// The stream after a block whose last layer is `output`.
fn leave(residual: &Residual, output: &PackedLinear, block: &Tensor, stream: &Tensor) -> Result<Tensor> {
    residual.leave(&output.apply(block, Activation::None)?, stream, None)
}
