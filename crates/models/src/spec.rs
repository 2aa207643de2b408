//! A model described in plain JSON, its kind in `type`; goes into checkpoints and logs as it is.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::bert_presets::{BERT_PRESETS, bert_preset};
use crate::bert_spec::{Architecture, BertSpec};
use crate::error::{ModelError, Result};
use crate::mlp_spec::MlpSpec;
use crate::nearest::nearest;
use crate::presets::PRESETS;
use crate::transformer_spec::TransformerSpec;

/// A model's complete description, defaults and presets filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ModelSpec {
    /// An encoder-decoder for translation.
    Transformer(TransformerSpec),
    /// A perceptron for dense features.
    Mlp(MlpSpec),
    /// An encoder of sequences and its head, of type `bert` or `roberta`.
    #[serde(untagged)]
    Bert(BertSpec),
}

type Read = fn(&str, &Map<String, Value>) -> Result<ModelSpec>;

const READERS: [(&str, Read); 4] = [
    ("transformer", |path, object| TransformerSpec::read(path, object).map(ModelSpec::Transformer)),
    ("mlp", |path, object| MlpSpec::read(path, object).map(ModelSpec::Mlp)),
    ("bert", |path, object| BertSpec::read(path, object, Architecture::Bert).map(ModelSpec::Bert)),
    ("roberta", |path, object| BertSpec::read(path, object, Architecture::Roberta).map(ModelSpec::Bert)),
];

impl ModelSpec {
    /// Reads a spec that lies at `path` of a configuration (`"model"`, for instance).
    ///
    /// `type` may be left out where a `preset` says it.
    ///
    /// # Errors
    /// `ERR_CONFIG` naming the field's path, what was found and the nearest known key.
    pub fn read(path: &str, value: &Value) -> Result<Self> {
        let Some(object) = value.as_object() else {
            return Err(ModelError::spec(path, format!("an object is expected, found {value}")));
        };
        let kind = match object.get("type") {
            Some(kind) => kind.as_str(),
            None => implied_type(path, object)?,
        };
        let reader = READERS.iter().find(|(name, _)| Some(*name) == kind);
        reader.map_or_else(|| Err(unknown_type(path, object)), |(_, read)| read(path, object))
    }

    /// The `type` under which the spec is registered.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Transformer(_) => "transformer",
            Self::Mlp(_) => "mlp",
            Self::Bert(spec) => spec.architecture.name(),
        }
    }
}

impl<'de> Deserialize<'de> for ModelSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read("model", &value).map_err(serde::de::Error::custom)
    }
}

/// The type of the preset that an object names, if it names one.
fn implied_type(path: &str, object: &Map<String, Value>) -> Result<Option<&'static str>> {
    let Some(value) = object.get("preset") else { return Ok(None) };
    let name = value.as_str().unwrap_or("");
    if PRESETS.contains(&name) {
        return Ok(Some("transformer"));
    }
    if let Some(preset) = bert_preset(name) {
        return Ok(Some(preset.architecture.name()));
    }
    let known = || PRESETS.into_iter().chain(BERT_PRESETS);
    let hint = nearest(name, known()).map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"));
    let known: Vec<&str> = known().collect();
    let problem = format!("one of {known:?} is expected{hint}, found {value}");
    Err(ModelError::spec(format!("{path}.preset"), problem))
}

fn unknown_type(path: &str, object: &Map<String, Value>) -> ModelError {
    let names = READERS.map(|(name, _)| name);
    let found = object.get("type");
    let hint = found.and_then(Value::as_str).and_then(|name| nearest(name, names));
    let hint = hint.map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"));
    let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
    ModelError::spec(format!("{path}.type"), format!("one of {names:?} is expected, found {found}{hint}"))
}
