//! Every model there is, one line each: its spec's constructor, and the `model_type`s its folders have.

use std::path::Path;

use crate::bert::Bert;
use crate::bert_spec::Architecture;
use crate::error::{ModelError, Result};
use crate::fine_tune::LoadReport;
use crate::json_file::{self, CONFIG};
use crate::mlp::Mlp;
use crate::model::Model;
use crate::spec::ModelSpec;
use crate::transformer::Transformer;
use crate::{bert_folder, marian, mlp_folder};

/// A model, and what of its folder it has no use for.
type Loaded = (Box<dyn Model>, LoadReport);

type Load = fn(&Path) -> Result<Loaded>;

const FOLDERS: [(&str, Load); 8] = [
    ("marian", |folder| whole(marian::load(folder)?)),
    ("pegasus", |folder| whole(marian::load(folder)?)),
    ("sagetrain-transformer", |folder| whole(marian::load(folder)?)),
    ("sagetrain-mlp", |folder| whole(mlp_folder::load(folder)?)),
    ("bert", |folder| encoder(folder, Architecture::Bert)),
    ("roberta", |folder| encoder(folder, Architecture::Roberta)),
    ("sagetrain-bert", |folder| whole(bert_folder::load_own(folder)?)),
    ("sagetrain-roberta", |folder| whole(bert_folder::load_own(folder)?)),
];

/// A folder of which everything was of use, since anything else is refused.
fn whole(model: impl Model + 'static) -> Result<Loaded> {
    Ok((Box::new(model), LoadReport::default()))
}

fn encoder(folder: &Path, architecture: Architecture) -> Result<Loaded> {
    let (model, report) = bert_folder::load(folder, architecture)?;
    Ok((Box::new(model), report))
}

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
    load_reporting(folder).map(|(model, _)| model)
}

/// The same, with what of the folder the model has no use for: weights of other heads, and settings that nothing is known about.
///
/// # Errors
/// As [`load`].
pub fn load_reporting(folder: &Path) -> Result<Loaded> {
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
