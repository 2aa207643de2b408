//! config.json of models that transformers has no architecture for: `{ "model_type": "sagetrain-<type>", "spec": {…} }`.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{ModelError, Result};
use crate::json_file::{self, CONFIG};
use crate::spec::ModelSpec;
use crate::unfinished::Unfinished;

/// What a `model_type` of ours begins with.
pub const PREFIX: &str = "sagetrain-";

/// The config of a model with that spec, before it takes its place.
pub fn write(folder: &Path, spec: &ModelSpec) -> Result<Unfinished> {
    let config = json!({ "model_type": format!("{PREFIX}{}", spec.kind()), "spec": spec });
    json_file::write(folder, CONFIG, &config)
}

/// The spec in a config that [`write`] wrote. Errors: `ERR_MODEL`.
pub fn spec(folder: &Path, config: &Map<String, Value>) -> Result<ModelSpec> {
    let spec = config.get("spec").unwrap_or(&Value::Null);
    let found = ModelSpec::read("spec", spec);
    found.map_err(|error| ModelError::folder(&folder.join(CONFIG), error.to_string()))
}
