//! JSON files of a model folder.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{ModelError, Result};
use crate::unfinished::Unfinished;

/// The file that says what kind of model a folder holds.
pub const CONFIG: &str = "config.json";

/// `folder/name`, indented, before it takes its place.
pub fn write(folder: &Path, name: &str, content: &impl Serialize) -> Result<Unfinished> {
    let file = folder.join(name);
    let text = serde_json::to_string_pretty(content)
        .map_err(|error| ModelError::folder(&file, format!("cannot be written: {error}")))?;
    Unfinished::write(folder, name, |path| fs::write(path, text + "\n").map_err(ModelError::io(&file)))
}

/// Reads the object in `folder/name`.
pub fn read(folder: &Path, name: &str) -> Result<Map<String, Value>> {
    let file = folder.join(name);
    let text = fs::read_to_string(&file).map_err(ModelError::io(&file))?;
    serde_json::from_str(&text).map_err(|error| ModelError::folder(&file, format!("no JSON object: {error}")))
}
