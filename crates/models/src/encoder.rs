//! The encoder: self-attention and feed-forward layers over the source.

use tch::Tensor;

use crate::attention::Attention;
use crate::error::Result;
use crate::feed_forward::FeedForward;
use crate::layout::Layout;
use crate::norm::{EPSILON, Norm, Residual};
use crate::parameters::{Parameters, Role};
use crate::pass::{Pass, Site};
use crate::transformer_spec::{Normalization, TransformerSpec};

/// One layer.
#[derive(Debug)]
pub struct EncoderLayer {
    pub(crate) attention: Attention,
    pub(crate) attention_residual: Residual,
    pub(crate) feed_forward: FeedForward,
    pub(crate) feed_forward_residual: Residual,
}

/// The encoder's layers and, in pre-norm, the norm after them.
#[derive(Debug)]
pub struct Encoder {
    layers: Vec<EncoderLayer>,
    last_norm: Option<Norm>,
}

impl Encoder {
    /// Declares `model.encoder.*`.
    pub fn declare(layout: &mut Layout, spec: &TransformerSpec) {
        let widths = [spec.hidden_size, spec.feed_forward_size];
        for index in 0..spec.encoder_layers {
            let name = format!("model.encoder.layers.{index}");
            Attention::declare(layout, &format!("{name}.self_attn"), spec.hidden_size, Role::EncoderLinear);
            layout.norm(&format!("{name}.self_attn_layer_norm"), spec.hidden_size);
            FeedForward::declare(layout, &name, widths, Role::EncoderLinear);
            layout.norm(&format!("{name}.final_layer_norm"), spec.hidden_size);
        }
        if spec.normalization == Normalization::Pre {
            layout.norm("model.encoder.layer_norm", spec.hidden_size);
        }
    }

    /// Finds the parameters.
    pub fn new(parameters: &Parameters, spec: &TransformerSpec) -> Result<Self> {
        let layer = |index| EncoderLayer::new(parameters, &format!("model.encoder.layers.{index}"), spec);
        let layers = (0..spec.encoder_layers).map(layer).collect::<Result<_>>()?;
        let pre = spec.normalization == Normalization::Pre;
        let last_norm =
            pre.then(|| Norm::new(parameters, "model.encoder.layer_norm", EPSILON)).transpose()?;
        Ok(Self { layers, last_norm })
    }

    /// `x` `[source tokens, width]`, cut into sources at `offsets` → the same shape.
    pub fn apply(&self, x: Tensor, offsets: &[i64], pass: &Pass) -> Result<Tensor> {
        let layers = self.layers.iter().enumerate().map(|(index, layer)| (pass.layer(index), layer));
        let mut kept = layers.filter(|(pass, _)| !pass.skips_layer());
        let x = kept.try_fold(x, |x, (pass, layer)| layer.apply(&x, offsets, &pass))?;
        self.last_norm.as_ref().map_or_else(|| Ok(x.shallow_clone()), |norm| norm.apply(&x))
    }
}

impl EncoderLayer {
    fn new(parameters: &Parameters, name: &str, spec: &TransformerSpec) -> Result<Self> {
        let residual = |norm| -> Result<Residual> {
            let norm = Norm::new(parameters, &format!("{name}.{norm}"), EPSILON)?;
            Ok(Residual::new(norm, spec.normalization))
        };
        Ok(Self {
            attention: Attention::new(parameters, &Attention::names(&format!("{name}.self_attn")))?,
            attention_residual: residual("self_attn_layer_norm")?,
            feed_forward: FeedForward::new(
                parameters,
                &[format!("{name}.fc1"), format!("{name}.fc2")],
                spec.activation,
            )?,
            feed_forward_residual: residual("final_layer_norm")?,
        })
    }

    /// `x` `[tokens, width]`, cut into sequences at `offsets` → the same shape.
    pub fn apply(&self, x: &Tensor, offsets: &[i64], pass: &Pass) -> Result<Tensor> {
        let residual = &self.attention_residual;
        let block = self.attention.over_itself(&residual.enter(x)?, offsets, false, pass)?;
        let x = residual.leave(&block, x, pass.dropout(Site::SelfOutput))?;
        self.then_feed_forward(&x, pass)
    }

    /// Of what [`EncoderLayer::apply`] computes each sequence's first row, and no more: `starts` are the rows' numbers,
    /// int64 `[sequences]` → `[sequences, width]`. All other rows add nothing to the gradients of a loss that sees these alone.
    pub fn apply_to_first(
        &self,
        x: &Tensor,
        offsets: &[i64],
        starts: &Tensor,
        pass: &Pass,
    ) -> Result<Tensor> {
        let residual = &self.attention_residual;
        let (entered, x) = (residual.enter(x)?, x.f_index_select(0, starts)?);
        let block = self.attention.of_first(&entered.f_index_select(0, starts)?, &entered, offsets, pass)?;
        let x = residual.leave(&block, &x, pass.dropout(Site::SelfOutput))?;
        self.then_feed_forward(&x, pass)
    }

    fn then_feed_forward(&self, x: &Tensor, pass: &Pass) -> Result<Tensor> {
        let residual = &self.feed_forward_residual;
        let block = self.feed_forward.apply(&residual.enter(x)?, pass)?;
        residual.leave(&block, x, pass.dropout(Site::FeedForward))
    }
}
