//! What a BERT or RoBERTa encoder is made of.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::bert_presets::base;
use crate::error::Result;
use crate::fields::Fields;
use crate::head_spec::{HeadOptions, HeadSpec};
use crate::pass::StackRates;
use crate::transformer_spec::Activation;

/// Two encoders that compute alike but for the places of their positions, and have other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Architecture {
    /// Devlin et al., arXiv 1810.04805.
    Bert,
    /// Liu et al., arXiv 1907.11692.
    Roberta,
}

impl Architecture {
    /// `bert` or `roberta`: the spec's type, transformers' `model_type`, and what parameters' names begin with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
        }
    }

    /// Dropout before the pooler in transformers, where the head's is `dropout`.
    pub fn pooler_dropout(self, dropout: f64) -> f64 {
        match self {
            Self::Bert => 0.0,
            Self::Roberta => dropout,
        }
    }
}

/// Shape and dropout of an encoder, and its head.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BertSpec {
    /// Whose model it is.
    #[serde(rename = "type")]
    pub architecture: Architecture,
    /// Tokens.
    pub vocabulary_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Layers.
    pub layers: usize,
    /// Attention heads; each is `hidden_size / heads` wide.
    pub heads: usize,
    /// Width inside the feed-forward blocks.
    pub feed_forward_size: usize,
    /// The longest sequence, in tokens.
    pub max_positions: usize,
    /// Types of tokens (first text, second text).
    pub type_vocabulary_size: usize,
    /// The non-linearity of the feed-forward blocks.
    pub activation: Activation,
    /// What layer norms add to the variance.
    pub layer_norm_eps: f64,
    /// Dropout of embeddings and of every block's output.
    pub dropout: f64,
    /// Dropout of attention weights.
    pub attention_dropout: f64,
    /// The id of padding, which batches have none of; RoBERTa's positions are counted from behind it, its own tokens left out.
    pub pad_id: usize,
    /// What stands on the encoder, if anything.
    pub head: Option<HeadSpec>,
}

impl BertSpec {
    /// Rows of the table of positions before the first that is used.
    pub fn position_offset(&self) -> usize {
        match self.architecture {
            Architecture::Bert => 0,
            Architecture::Roberta => self.pad_id + 1,
        }
    }

    /// Heads and rates of the layers.
    pub(crate) fn rates(&self) -> StackRates {
        StackRates {
            heads: self.heads,
            dropout: self.dropout,
            attention_dropout: self.attention_dropout,
            activation_dropout: 0.0,
            layer_drop: 0.0,
        }
    }

    /// Reads a spec: a preset's fields (`bert-base` or `roberta-base` where none is named) overridden by those given.
    ///
    /// # Errors
    /// `ERR_CONFIG` with the field's path for an unknown key, a missing `vocabularySize` or an impossible value.
    pub fn read(path: &str, object: &Map<String, Value>, architecture: Architecture) -> Result<Self> {
        let fields = Fields::new(path, object);
        fields.known("type");
        let spec = override_with(&fields, base(&fields, object, architecture)?)?;
        let head = fields.object("head")?;
        fields.finish()?;
        spec.check(&fields)?;
        let path = format!("{path}.head");
        let head = head.map(|head| HeadOptions::read(&path, head)).transpose()?;
        Ok(Self { head: head.map(|head| head.on(architecture, spec.dropout)), ..spec })
    }

    fn check(&self, fields: &Fields) -> Result<()> {
        if !self.hidden_size.is_multiple_of(self.heads) {
            let problem = format!("a divisor of hiddenSize {} is expected", self.hidden_size);
            return Err(fields.error("heads", problem));
        }
        if self.pad_id >= self.vocabulary_size {
            let problem = format!("an id below vocabularySize {} is expected", self.vocabulary_size);
            return Err(fields.error("padId", problem));
        }
        Ok(())
    }
}

fn override_with(fields: &Fields, base: BertSpec) -> Result<BertSpec> {
    let vocabulary = fields.integer("vocabularySize", 1..=16_777_216)?;
    Ok(BertSpec {
        vocabulary_size: vocabulary.ok_or_else(|| fields.missing("vocabularySize"))?,
        hidden_size: fields.integer("hiddenSize", 1..=65_536)?.unwrap_or(base.hidden_size),
        layers: fields.integer("layers", 1..=1024)?.unwrap_or(base.layers),
        heads: fields.integer("heads", 1..=1024)?.unwrap_or(base.heads),
        feed_forward_size: fields
            .integer("feedForwardSize", 1..=1_048_576)?
            .unwrap_or(base.feed_forward_size),
        max_positions: fields.integer("maxPositions", 1..=1_048_576)?.unwrap_or(base.max_positions),
        type_vocabulary_size: fields
            .integer("typeVocabularySize", 0..=65_536)?
            .unwrap_or(base.type_vocabulary_size),
        activation: fields.word("activation", &ACTIVATIONS)?.unwrap_or(base.activation),
        layer_norm_eps: fields.fraction("layerNormEps")?.unwrap_or(base.layer_norm_eps),
        dropout: fields.probability("dropout")?.unwrap_or(base.dropout),
        attention_dropout: fields.probability("attentionDropout")?.unwrap_or(base.attention_dropout),
        pad_id: fields.integer("padId", 0..=16_777_215)?.unwrap_or(base.pad_id),
        ..base
    })
}

const ACTIVATIONS: [(&str, Activation); 4] = [
    ("gelu", Activation::Gelu),
    ("geluTanh", Activation::GeluTanh),
    ("relu", Activation::Relu),
    ("swish", Activation::Swish),
];
