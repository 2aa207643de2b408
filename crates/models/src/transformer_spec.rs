//! What a translation Transformer is made of.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::fields::Fields;
use crate::nearest::nearest;
use crate::pass::{Stack, StackRates};
use crate::presets::{PRESETS, preset};
use crate::vocabulary::{Embeddings, Vocabulary};

/// The non-linearity of the feed-forward blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Activation {
    /// max(x, 0), the paper's.
    Relu,
    /// x·Φ(x), exact (not the tanh approximation).
    Gelu,
    /// x·σ(x), also called SiLU; OPUS-MT's.
    Swish,
    /// The tanh approximation of x·Φ(x); transformers' `gelu_new`.
    GeluTanh,
}

/// Where layer normalisation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Normalization {
    /// After each residual sum (Vaswani et al., 2017).
    Post,
    /// Before each block, and once after each stack (Wang et al., 2019).
    Pre,
}

/// Shape and dropout of an encoder-decoder Transformer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransformerSpec {
    /// Tokens of source and target.
    #[serde(flatten)]
    pub vocabulary: Vocabulary,
    /// Which tables are one.
    pub embeddings: Embeddings,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Encoder layers.
    pub encoder_layers: usize,
    /// Decoder layers.
    pub decoder_layers: usize,
    /// Attention heads; each is `hidden_size / heads` wide.
    pub heads: usize,
    /// Those of the decoder, where it has another number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_heads: Option<usize>,
    /// Width inside the feed-forward blocks.
    pub feed_forward_size: usize,
    /// That of the decoder, where it has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_feed_forward_size: Option<usize>,
    /// Dropout of embeddings and of every block's output.
    pub dropout: f64,
    /// Dropout of attention weights.
    pub attention_dropout: f64,
    /// Dropout inside the feed-forward blocks.
    pub activation_dropout: f64,
    /// LayerDrop: the probability that a training pass skips an encoder layer.
    pub encoder_layer_drop: f64,
    /// The same of a decoder layer.
    pub decoder_layer_drop: f64,
    /// The non-linearity of the feed-forward blocks.
    pub activation: Activation,
    /// Where layer normalisation stands.
    pub normalization: Normalization,
    /// Whether embeddings are multiplied by √hidden_size.
    pub scale_embedding: bool,
    /// The longest source or target, in tokens.
    pub max_positions: usize,
}

impl TransformerSpec {
    /// The id decoding starts from, `<pad>`: the target's last. Its vector is zero and stays so.
    pub fn start_id(&self) -> i64 {
        self.vocabulary.target() as i64 - 1
    }

    /// Attention heads of the decoder.
    pub fn decoder_heads(&self) -> usize {
        self.decoder_heads.unwrap_or(self.heads)
    }

    /// Width inside the decoder's feed-forward blocks.
    pub fn decoder_feed_forward_size(&self) -> usize {
        self.decoder_feed_forward_size.unwrap_or(self.feed_forward_size)
    }

    /// Heads and rates of a stack's layers.
    pub(crate) fn rates(&self, stack: Stack) -> StackRates {
        let (heads, layer_drop) = match stack {
            Stack::Encoder => (self.heads, self.encoder_layer_drop),
            Stack::Decoder => (self.decoder_heads(), self.decoder_layer_drop),
        };
        let (dropout, attention_dropout) = (self.dropout, self.attention_dropout);
        let activation_dropout = self.activation_dropout;
        StackRates { heads, dropout, attention_dropout, activation_dropout, layer_drop }
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
        spec.check_sharing(&fields)?;
        Ok(spec)
    }

    fn check_heads(&self, fields: &Fields) -> Result<()> {
        if !self.hidden_size.is_multiple_of(2) {
            return Err(fields.error("hiddenSize", "an even number is expected: sinusoids come in pairs"));
        }
        for (key, heads) in [("heads", self.heads), ("decoderHeads", self.decoder_heads())] {
            if !self.hidden_size.is_multiple_of(heads) {
                let problem = format!("a divisor of hiddenSize {} is expected", self.hidden_size);
                return Err(fields.error(key, problem));
            }
        }
        Ok(())
    }

    fn check_sharing(&self, fields: &Fields) -> Result<()> {
        match (self.embeddings, self.vocabulary) {
            (Embeddings::Shared, Vocabulary::Two { .. }) => {
                let problem = "\"decoderShared\" or \"separate\" is expected where source and target have vocabularies of their own";
                Err(fields.error("embeddings", problem))
            }
            _ => Ok(()),
        }
    }
}

const FEED_FORWARD: std::ops::RangeInclusive<u64> = 1..=1_048_576;

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
    let activations = [("relu", Activation::Relu), ("gelu", Activation::Gelu), ("swish", Activation::Swish)];
    let sharings = [
        ("shared", Embeddings::Shared),
        ("decoderShared", Embeddings::DecoderShared),
        ("separate", Embeddings::Separate),
    ];
    let placements = [("post", Normalization::Post), ("pre", Normalization::Pre)];
    let heads = fields.integer("heads", 1..=1024)?.unwrap_or(base.heads);
    let inner = fields.integer("feedForwardSize", FEED_FORWARD)?.unwrap_or(base.feed_forward_size);
    let vocabulary = Vocabulary::read(fields)?;
    let embeddings = fields.word("embeddings", &sharings)?;
    Ok(TransformerSpec {
        vocabulary,
        embeddings: embeddings.unwrap_or_else(|| implied(base.embeddings, vocabulary)),
        hidden_size: fields.integer("hiddenSize", 2..=65_536)?.unwrap_or(base.hidden_size),
        encoder_layers: fields.integer("encoderLayers", 1..=1024)?.unwrap_or(base.encoder_layers),
        decoder_layers: fields.integer("decoderLayers", 1..=1024)?.unwrap_or(base.decoder_layers),
        heads,
        decoder_heads: fields.integer("decoderHeads", 1..=1024)?.filter(|&other| other != heads),
        feed_forward_size: inner,
        decoder_feed_forward_size: fields
            .integer("decoderFeedForwardSize", FEED_FORWARD)?
            .filter(|&other| other != inner),
        dropout: fields.probability("dropout")?.unwrap_or(base.dropout),
        attention_dropout: fields.probability("attentionDropout")?.unwrap_or(base.attention_dropout),
        activation_dropout: fields.probability("activationDropout")?.unwrap_or(base.activation_dropout),
        encoder_layer_drop: fields.probability("encoderLayerDrop")?.unwrap_or(base.encoder_layer_drop),
        decoder_layer_drop: fields.probability("decoderLayerDrop")?.unwrap_or(base.decoder_layer_drop),
        activation: fields.word("activation", &activations)?.unwrap_or(base.activation),
        normalization: fields.word("normalization", &placements)?.unwrap_or(base.normalization),
        scale_embedding: fields.boolean("scaleEmbedding")?.unwrap_or(base.scale_embedding),
        max_positions: fields.integer("maxPositions", 1..=1_048_576)?.unwrap_or(base.max_positions),
    })
}

/// Two vocabularies cannot have one table, so a preset's `shared` then means as much of it as there can be.
fn implied(preset: Embeddings, vocabulary: Vocabulary) -> Embeddings {
    match (preset, vocabulary) {
        (Embeddings::Shared, Vocabulary::Two { .. }) => Embeddings::DecoderShared,
        _ => preset,
    }
}
