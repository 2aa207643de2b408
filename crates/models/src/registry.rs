//! Every model there is, one line each: its spec's constructor, and the `model_type`s its folders have.

use std::path::Path;

use crate::bert::Bert;
use crate::bert_spec::Architecture;
use crate::error::{ModelError, Result};
use crate::json_file::{self, CONFIG};
use crate::mlp::Mlp;
use crate::model::Model;
use crate::spec::ModelSpec;
use crate::transformer::Transformer;
use crate::{bert_folder, marian, mlp_folder};

type Load = fn(&Path) -> Result<Box<dyn Model>>;

const FOLDERS: [(&str, Load); 8] = [
    ("marian", |folder| Ok(Box::new(marian::load(folder)?))),
    ("pegasus", |folder| Ok(Box::new(marian::load(folder)?))),
    ("sagetrain-transformer", |folder| Ok(Box::new(marian::load(folder)?))),
    ("sagetrain-mlp", |folder| Ok(Box::new(mlp_folder::load(folder)?))),
    ("bert", |folder| Ok(Box::new(bert_folder::load(folder, Architecture::Bert)?))),
    ("roberta", |folder| Ok(Box::new(bert_folder::load(folder, Architecture::Roberta)?))),
    ("sagetrain-bert", |folder| Ok(Box::new(bert_folder::load_own(folder)?))),
    ("sagetrain-roberta", |folder| Ok(Box::new(bert_folder::load_own(folder)?))),
];

/// A model with initial values drawn from `seed`. Errors: `ERR_TORCH` where memory does not suffice.
pub fn create(spec: &ModelSpec, seed: u64) -> Result<Box<dyn Model>> {
    match spec {
        ModelSpec::Transformer(spec) => Ok(Box::new(Transformer::create(spec.clone(), seed)?)),
        ModelSpec::Mlp(spec) => Ok(Box::new(Mlp::create(spec.clone(), seed)?)),
        ModelSpec::Bert(spec) => Ok(Box::new(Bert::create(spec.clone(), seed)?)),
    }
}

/// Reads a Hugging Face folder.
///
/// # Errors
/// `ERR_IO` where a file cannot be read; `ERR_MODEL` where the folder is damaged, holds a kind of model that cannot be
/// had here, or its weights do not fit its config (all misfits are listed).
pub fn load(folder: &Path) -> Result<Box<dyn Model>> {
    let config = json_file::read(folder, CONFIG)?;
    let kind = config.get("model_type").and_then(|kind| kind.as_str()).unwrap_or("");
    let known = FOLDERS.map(|(name, _)| name);
    let found = FOLDERS.iter().find(|(name, _)| *name == kind);
    let unknown = || {
        let problem = format!("model_type is \"{kind}\", one of {known:?} is expected");
        Err(ModelError::folder(&folder.join(CONFIG), problem))
    };
    found.map_or_else(unknown, |(_, load)| load(folder))
}
