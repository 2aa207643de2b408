//! The decoder: causal self-attention, attention to the source and feed-forward layers over the target.

use tch::Tensor;

use crate::attention::{Attention, Memory};
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::layout::Layout;
use crate::linear::Linear;
use crate::norm::{EPSILON, Norm, Residual};
use crate::parameters::{Parameters, Role};
use crate::pass::{Pass, Site};
use crate::transformer_spec::{Normalization, TransformerSpec};

/// A product takes no more than 62 matrices side by side.
const LAYERS_A_PRODUCT: usize = 31;

/// One layer; incremental decoding walks through the same blocks row by row.
#[derive(Debug)]
pub struct DecoderLayer {
    pub(crate) attention: Attention,
    pub(crate) attention_residual: Residual,
    pub(crate) cross: Attention,
    pub(crate) cross_residual: Residual,
    pub(crate) feed_forward: FeedForward,
    pub(crate) feed_forward_residual: Residual,
}

/// The decoder's layers and, in pre-norm, the norm after them.
#[derive(Debug)]
pub struct Decoder {
    pub(crate) layers: Vec<DecoderLayer>,
    pub(crate) last_norm: Option<Norm>,
}

impl Decoder {
    /// Declares `model.decoder.*`.
    pub fn declare(layout: &mut Layout, spec: &TransformerSpec) {
        let widths = [spec.hidden_size, spec.decoder_feed_forward_size()];
        for index in 0..spec.decoder_layers {
            let name = format!("model.decoder.layers.{index}");
            Attention::declare(layout, &format!("{name}.self_attn"), spec.hidden_size, Role::DecoderLinear);
            layout.norm(&format!("{name}.self_attn_layer_norm"), spec.hidden_size);
            Attention::declare(
                layout,
                &format!("{name}.encoder_attn"),
                spec.hidden_size,
                Role::DecoderLinear,
            );
            layout.norm(&format!("{name}.encoder_attn_layer_norm"), spec.hidden_size);
            FeedForward::declare(layout, &name, widths, Role::DecoderLinear);
            layout.norm(&format!("{name}.final_layer_norm"), spec.hidden_size);
        }
        if spec.normalization == Normalization::Pre {
            layout.norm("model.decoder.layer_norm", spec.hidden_size);
        }
    }

    /// Finds the parameters.
    pub fn new(parameters: &Parameters, spec: &TransformerSpec) -> Result<Self> {
        let layer = |index| DecoderLayer::new(parameters, &format!("model.decoder.layers.{index}"), spec);
        let layers = (0..spec.decoder_layers).map(layer).collect::<Result<_>>()?;
        let pre = spec.normalization == Normalization::Pre;
        let last_norm =
            pre.then(|| Norm::new(parameters, "model.decoder.layer_norm", EPSILON)).transpose()?;
        Ok(Self { layers, last_norm })
    }

    /// `x` `[target tokens, width]` cut at `offsets`, one source in `memories` for each layer
    /// that LayerDrop keeps → the shape of `x`.
    pub fn apply(&self, x: Tensor, offsets: &[i64], memories: &[Memory], pass: &Pass) -> Result<Tensor> {
        let mut layers = self.kept(pass).into_iter().zip(memories);
        let x = layers.try_fold(x, |x, ((pass, layer), memory)| layer.apply(&x, offsets, memory, &pass))?;
        self.finish(x)
    }

    /// The norm that pre-norm puts after the last layer.
    pub fn finish(&self, x: Tensor) -> Result<Tensor> {
        self.last_norm.as_ref().map_or(Ok(x.shallow_clone()), |norm| norm.apply(&x))
    }

    /// The layers that LayerDrop keeps in this pass, each with its own pass.
    fn kept<'a>(&'a self, pass: &Pass<'a>) -> Vec<(Pass<'a>, &'a DecoderLayer)> {
        let layers = self.layers.iter().enumerate().map(|(index, layer)| (pass.layer(index), layer));
        layers.filter(|(pass, _)| !pass.skips_layer()).collect()
    }

    /// Every kept layer's keys and values of the encoded source `[source tokens, width]`, many layers in one product.
    pub fn memories<'a>(&self, source: &Tensor, offsets: &'a [i64], pass: &Pass) -> Result<Vec<Memory<'a>>> {
        let kept = self.kept(pass);
        let mut memories = Vec::with_capacity(kept.len());
        for layers in kept.chunks(LAYERS_A_PRODUCT) {
            let linears: Vec<&Linear> =
                layers.iter().flat_map(|(_, layer)| [&layer.cross.key, &layer.cross.value]).collect();
            let all = Linear::apply_all(&linears, source, pass.precision())?; // [source tokens, 2 layers width]
            let parts = all.f_chunk(layers.len() as i64, 1)?.into_iter();
            memories.extend(parts.map(|projection| Memory { projection, offsets }));
        }
        Ok(memories)
    }
}

impl DecoderLayer {
    fn new(parameters: &Parameters, name: &str, spec: &TransformerSpec) -> Result<Self> {
        let residual = |norm| -> Result<Residual> {
            let norm = Norm::new(parameters, &format!("{name}.{norm}"), EPSILON)?;
            Ok(Residual::new(norm, spec.normalization))
        };
        Ok(Self {
            attention: Attention::new(parameters, &Attention::names(&format!("{name}.self_attn")))?,
            attention_residual: residual("self_attn_layer_norm")?,
            cross: Attention::new(parameters, &Attention::names(&format!("{name}.encoder_attn")))?,
            cross_residual: residual("encoder_attn_layer_norm")?,
            feed_forward: FeedForward::new(
                parameters,
                &[format!("{name}.fc1"), format!("{name}.fc2")],
                spec.activation,
            )?,
            feed_forward_residual: residual("final_layer_norm")?,
        })
    }

    fn apply(&self, x: &Tensor, offsets: &[i64], memory: &Memory, pass: &Pass) -> Result<Tensor> {
        let residual = &self.attention_residual;
        let block = self.attention.over_itself(&residual.enter(x)?, offsets, true, pass)?;
        let x = residual.leave(&block, x, pass.dropout(Site::SelfOutput))?;

        let residual = &self.cross_residual;
        let block = self.cross.over_source(&residual.enter(&x)?, offsets, memory, pass)?;
        let x = residual.leave(&block, &x, pass.dropout(Site::CrossOutput))?;

        let residual = &self.feed_forward_residual;
        let block = self.feed_forward.apply(&residual.enter(&x)?, pass)?;
        residual.leave(&block, &x, pass.dropout(Site::FeedForward))
    }
}
