//! The formats a Transformer is saved in: each model has one that holds it, the field's where one can.

use serde_json::{Value, json};

use crate::error::{ModelError, Result};
use crate::transformer_spec::{Normalization, TransformerSpec};
use crate::vocabulary::Embeddings;

/// What a folder's config.json says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// transformers' MarianMTModel: post-norm, any sharing of tables.
    Marian,
    /// transformers' PegasusForConditionalGeneration, which is Marian's architecture in pre-norm: one shared table.
    Pegasus,
    /// Our own, for pre-norm models with several tables; transformers refuses it by name.
    Own,
}

/// Formats that are asked for although no model here fits them, and why.
const OTHERS: [(&str, &str); 3] = [
    (
        "m2m100",
        "its sinusoids have other frequencies (10000^(−j/(width/2 − 1))), start at position 2, and give the pad token, \
         from which decoding starts here, no position; pre-norm models are saved as pegasus",
    ),
    ("mbart", "it normalises embeddings, which models here do not; pre-norm models are saved as pegasus"),
    ("bart", "it normalises embeddings, which models here do not; post-norm models are saved as marian"),
];

impl Format {
    const ALL: [Self; 3] = [Self::Marian, Self::Pegasus, Self::Own];

    /// The format that holds a model of that spec.
    pub fn of(spec: &TransformerSpec) -> Self {
        match (spec.normalization, spec.embeddings) {
            (Normalization::Post, _) => Self::Marian,
            (Normalization::Pre, Embeddings::Shared) => Self::Pegasus,
            (Normalization::Pre, _) => Self::Own,
        }
    }

    /// Its name, `marian`, `pegasus` or `sagetrain`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Marian => "marian",
            Self::Pegasus => "pegasus",
            Self::Own => "sagetrain",
        }
    }

    /// The class of transformers that opens it.
    pub fn architecture(self) -> Option<&'static str> {
        match self {
            Self::Marian => Some("MarianMTModel"),
            Self::Pegasus => Some("PegasusForConditionalGeneration"),
            Self::Own => None,
        }
    }

    /// Refuses a format, by `name`, that cannot hold a model of that spec.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` naming the fields that do not fit.
    pub fn check(name: &str, spec: &TransformerSpec) -> Result<()> {
        let refuse = |problem: String| Err(ModelError::Format { format: name.to_owned(), problem });
        if let Some((_, reason)) = OTHERS.iter().find(|(other, _)| *other == name) {
            return refuse((*reason).to_owned());
        }
        let fits = Self::of(spec);
        match Self::ALL.into_iter().find(|format| format.name() == name) {
            None => refuse(format!("one of {:?} is expected", Self::ALL.map(Self::name))),
            Some(format) if format == fits => Ok(()),
            Some(format) => refuse(format!("{}; this model is saved as {}", format.lacks(spec), fits.name())),
        }
    }

    /// What of the spec the format does not hold.
    fn lacks(self, spec: &TransformerSpec) -> String {
        let word = |value: Value| value.to_string();
        let normalization = word(json!(spec.normalization));
        match self {
            Self::Marian => format!("it holds normalization \"post\", the model's is {normalization}"),
            Self::Pegasus if spec.normalization == Normalization::Post => {
                format!("it holds normalization \"pre\", the model's is {normalization}")
            }
            Self::Pegasus => {
                format!("it holds embeddings \"shared\", the model's are {}", word(json!(spec.embeddings)))
            }
            Self::Own => "it is for models that no other format holds".to_owned(),
        }
    }
}
