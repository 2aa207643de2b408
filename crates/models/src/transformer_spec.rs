//! What a translation Transformer is made of.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::fields::Fields;
use crate::nearest::nearest;
use crate::presets::{PRESETS, preset};

/// The non-linearity of the feed-forward blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Activation {
    /// max(x, 0), the paper's.
    Relu,
    /// x·Φ(x), exact (not the tanh approximation).
    Gelu,
}

/// Where layer normalisation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Normalization {
    /// After each residual sum (Vaswani et al., 2017); the Marian format.
    Post,
    /// Before each block, and once after each stack (Wang et al., 2019).
    Pre,
}

/// Shape and dropout of an encoder-decoder Transformer with one embedding shared by source, target and output.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransformerSpec {
    /// Tokens in the joint vocabulary; `</s>` is 0, `<unk>` 1, `<pad>` the last.
    pub vocabulary_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Encoder layers.
    pub encoder_layers: usize,
    /// Decoder layers.
    pub decoder_layers: usize,
    /// Attention heads; each is `hidden_size / heads` wide.
    pub heads: usize,
    /// Width inside the feed-forward blocks.
    pub feed_forward_size: usize,
    /// Dropout of embeddings and of every block's output.
    pub dropout: f64,
    /// Dropout of attention weights.
    pub attention_dropout: f64,
    /// Dropout inside the feed-forward blocks.
    pub activation_dropout: f64,
    /// The non-linearity of the feed-forward blocks.
    pub activation: Activation,
    /// Where layer normalisation stands.
    pub normalization: Normalization,
    /// The longest source or target, in tokens.
    pub max_positions: usize,
}

impl TransformerSpec {
    /// The id decoding starts from, and of the row that is zero at the start: the last one.
    pub fn pad_id(&self) -> i64 {
        self.vocabulary_size as i64 - 1
    }

    /// Width of one attention head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.heads
    }

    /// Reads a spec: a preset's fields (`transformer-base` where none is named) overridden by those given.
    ///
    /// # Errors
    /// `ERR_CONFIG` with the field's path for an unknown key, a missing `vocabularySize` or an impossible value.
    pub fn read(path: &str, object: &Map<String, Value>) -> Result<Self> {
        let fields = Fields::new(path, object);
        fields.known("type");
        let base = base(&fields, object)?;
        let spec = override_with(&fields, base)?;
        fields.finish()?;
        spec.check_heads(&fields)?;
        Ok(spec)
    }

    fn check_heads(&self, fields: &Fields) -> Result<()> {
        if !self.hidden_size.is_multiple_of(2) {
            return Err(fields.error("hiddenSize", "an even number is expected: sinusoids come in pairs"));
        }
        if !self.hidden_size.is_multiple_of(self.heads) {
            let problem = format!("a divisor of hiddenSize {} is expected", self.hidden_size);
            return Err(fields.error("heads", problem));
        }
        Ok(())
    }
}

fn base(fields: &Fields, object: &Map<String, Value>) -> Result<TransformerSpec> {
    fields.known("preset");
    let name = object.get("preset").map_or(Some("transformer-base"), Value::as_str);
    name.and_then(preset).ok_or_else(|| {
        let hint = name.and_then(|name| nearest(name, PRESETS));
        let hint = hint.map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"));
        fields.error("preset", format!("one of {PRESETS:?} is expected{hint}"))
    })
}

fn override_with(fields: &Fields, base: TransformerSpec) -> Result<TransformerSpec> {
    let activations = [("relu", Activation::Relu), ("gelu", Activation::Gelu)];
    let placements = [("post", Normalization::Post), ("pre", Normalization::Pre)];
    // `</s>`, `<unk>`, `<pad>` and something to say.
    let vocabulary = fields.integer("vocabularySize", 4..=16_777_216)?;
    Ok(TransformerSpec {
        vocabulary_size: vocabulary.ok_or_else(|| fields.missing("vocabularySize"))?,
        hidden_size: fields.integer("hiddenSize", 2..=65_536)?.unwrap_or(base.hidden_size),
        encoder_layers: fields.integer("encoderLayers", 1..=1024)?.unwrap_or(base.encoder_layers),
        decoder_layers: fields.integer("decoderLayers", 1..=1024)?.unwrap_or(base.decoder_layers),
        heads: fields.integer("heads", 1..=1024)?.unwrap_or(base.heads),
        feed_forward_size: fields
            .integer("feedForwardSize", 1..=1_048_576)?
            .unwrap_or(base.feed_forward_size),
        dropout: fields.probability("dropout")?.unwrap_or(base.dropout),
        attention_dropout: fields.probability("attentionDropout")?.unwrap_or(base.attention_dropout),
        activation_dropout: fields.probability("activationDropout")?.unwrap_or(base.activation_dropout),
        activation: fields.word("activation", &activations)?.unwrap_or(base.activation),
        normalization: fields.word("normalization", &placements)?.unwrap_or(base.normalization),
        max_positions: fields.integer("maxPositions", 1..=1_048_576)?.unwrap_or(base.max_positions),
    })
}
