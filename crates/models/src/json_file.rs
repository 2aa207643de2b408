//! JSON files of a model folder.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{ModelError, Result};

/// The file that says what kind of model a folder holds.
pub const CONFIG: &str = "config.json";

/// Writes `folder/name`, indented, by way of a temporary name once it is on the disk, so a reader never sees half of it.
pub fn write(folder: &Path, name: &str, content: &impl Serialize) -> Result<()> {
    let (file, unfinished) = (folder.join(name), folder.join(format!(".{name}.unfinished")));
    let text = serde_json::to_string_pretty(content)
        .map_err(|error| ModelError::folder(&file, format!("cannot be written: {error}")))?;
    let mut open = fs::File::create(&unfinished).map_err(ModelError::io(&unfinished))?;
    open.write_all((text + "\n").as_bytes())
        .and_then(|()| open.sync_all())
        .map_err(ModelError::io(&unfinished))?;
    fs::rename(&unfinished, &file).map_err(ModelError::io(&file))
}

/// Reads the object in `folder/name`.
pub fn read(folder: &Path, name: &str) -> Result<Map<String, Value>> {
    let file = folder.join(name);
    let text = fs::read_to_string(&file).map_err(ModelError::io(&file))?;
    serde_json::from_str(&text).map_err(|error| ModelError::folder(&file, format!("no JSON object: {error}")))
}
