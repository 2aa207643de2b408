//! model.safetensors.index.json: which shard holds which tensor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{ModelError, Result};
use crate::tensors_file::FILE;

const INDEX: &str = "model.safetensors.index.json";

/// An index that has been read.
pub struct Index {
    /// Where it lies.
    pub path: PathBuf,
    /// The shards' names.
    pub files: BTreeSet<String>,
    weight_map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Content {
    weight_map: BTreeMap<String, String>,
}

/// The index of a folder without `model.safetensors`.
///
/// # Errors
/// `ERR_IO` where there is none either; `ERR_MODEL` where it is damaged, or shards that it names are missing (all are listed).
pub fn index(folder: &Path) -> Result<Index> {
    let path = folder.join(INDEX);
    if !path.exists() {
        return Err(nothing(folder));
    }
    let text = std::fs::read_to_string(&path).map_err(ModelError::io(&path))?;
    let content: Content = serde_json::from_str(&text)
        .map_err(|error| ModelError::folder(&path, format!("no index of shards: {error}")))?;
    let files: BTreeSet<String> = content.weight_map.values().cloned().collect();
    let outside = |name: &&String| Path::new(name).file_name() != Some(name.as_ref());
    if let Some(name) = files.iter().find(outside) {
        return Err(ModelError::folder(&path, format!("\"{name}\" is no name of a file of this folder")));
    }
    let missing: Vec<&String> = files.iter().filter(|name| !folder.join(name).is_file()).collect();
    if !missing.is_empty() {
        return Err(ModelError::folder(&path, format!("shards are missing: {missing:?}; fetch them")));
    }
    Ok(Index { path, files, weight_map: content.weight_map })
}

fn nothing(folder: &Path) -> ModelError {
    let pickled =
        folder.join("pytorch_model.bin").exists() || folder.join("pytorch_model.bin.index.json").exists();
    let problem = match pickled {
        true => {
            "is missing, and pytorch_model.bin is a pickle, which is never read here: open the folder with transformers once \
                 and save_pretrained it"
        }
        false => "is missing, and so is model.safetensors.index.json",
    };
    ModelError::folder(&folder.join(FILE), problem)
}

impl Index {
    /// Refuses an index that says of a tensor to be where it is not; `found` tells in which file it is.
    pub fn check<'a>(&self, found: impl Fn(&str) -> Option<&'a Path>) -> Result<()> {
        let elsewhere = |(name, file): (&String, &String)| {
            let there = found(name).and_then(Path::file_name) == Some(file.as_ref());
            (!there).then(|| format!("{name} is not in {file}"))
        };
        let problems: Vec<String> = self.weight_map.iter().filter_map(elsewhere).collect();
        if problems.is_empty() {
            return Ok(());
        }
        let problem = format!("does not fit its shards:\n  {}", problems.join("\n  "));
        Err(ModelError::folder(&self.path, problem))
    }
}
