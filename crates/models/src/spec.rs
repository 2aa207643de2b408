//! A model described in plain JSON, its kind in `type`; goes into checkpoints and logs as it is.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::{ModelError, Result};
use crate::mlp_spec::MlpSpec;
use crate::nearest::nearest;
use crate::transformer_spec::TransformerSpec;

/// A model's complete description, defaults and presets filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ModelSpec {
    /// An encoder-decoder for translation.
    Transformer(TransformerSpec),
    /// A perceptron for dense features.
    Mlp(MlpSpec),
}

type Read = fn(&str, &Map<String, Value>) -> Result<ModelSpec>;

const READERS: [(&str, Read); 2] = [
    ("transformer", |path, object| TransformerSpec::read(path, object).map(ModelSpec::Transformer)),
    ("mlp", |path, object| MlpSpec::read(path, object).map(ModelSpec::Mlp)),
];

impl ModelSpec {
    /// Reads a spec that lies at `path` of a configuration (`"model"`, for instance).
    ///
    /// `type` may be left out where a `preset` says it: every preset is a transformer.
    ///
    /// # Errors
    /// `ERR_CONFIG` naming the field's path, what was found and the nearest known key.
    pub fn read(path: &str, value: &Value) -> Result<Self> {
        let Some(object) = value.as_object() else {
            return Err(ModelError::spec(path, format!("an object is expected, found {value}")));
        };
        let kind = object.get("type").map_or_else(|| implied_type(object), Value::as_str);
        let reader = READERS.iter().find(|(name, _)| Some(*name) == kind);
        reader.map_or_else(|| Err(unknown_type(path, object)), |(_, read)| read(path, object))
    }

    /// The `type` under which the spec is registered.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Transformer(_) => "transformer",
            Self::Mlp(_) => "mlp",
        }
    }
}

impl<'de> Deserialize<'de> for ModelSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read("model", &value).map_err(serde::de::Error::custom)
    }
}

fn implied_type(object: &Map<String, Value>) -> Option<&'static str> {
    object.contains_key("preset").then_some("transformer")
}

fn unknown_type(path: &str, object: &Map<String, Value>) -> ModelError {
    let names = READERS.map(|(name, _)| name);
    let found = object.get("type");
    let hint = found.and_then(Value::as_str).and_then(|name| nearest(name, names));
    let hint = hint.map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"));
    let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
    ModelError::spec(format!("{path}.type"), format!("one of {names:?} is expected, found {found}{hint}"))
}
