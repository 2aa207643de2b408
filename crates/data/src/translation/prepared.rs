//! A prepared folder: what lies in it, and whether it still does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::PrepareOptions;
use super::text_steps::{TEXT_STEPS, TextSteps};
use super::tokenizers::{TARGET, tokenizer_files};
use crate::preparation::folder::{
    REPORT, check_datasets, check_fingerprint, check_tokenizer, read_manifest, refused,
};
use crate::{DataError, Result};

/// What a preparation has made, or found made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// Holds everything below.
    pub folder: PathBuf,
    /// Of inputs and options; the folder's name ends in its beginning.
    pub fingerprint: String,
    /// True where an earlier preparation is used.
    pub reused: bool,
    /// `tokenizer.json` of the source, and of the target where they share it, with transformers' files beside it.
    pub tokenizer: PathBuf,
    /// `tokenizer.json` of the target: the same file, or one of its own.
    pub target_tokenizer: PathBuf,
    /// `text.json`: what sentences go through before they become tokens.
    pub text: PathBuf,
    /// `prepare-report.json`.
    pub report: PathBuf,
    /// Tokens of the source's tokenizer.
    pub vocabulary: usize,
    /// Tokens of the target's.
    pub target_vocabulary: usize,
    /// The dataset to train on; the folder of its shards where there are some.
    pub train: PathBuf,
    /// The dataset to choose by.
    pub valid: Option<PathBuf>,
    /// The dataset to report on.
    pub test: Option<PathBuf>,
    /// Sizes by part.
    pub parts: BTreeMap<String, PreparedPart>,
    /// What a user should know, also in the report.
    pub warnings: Vec<String>,
}

/// The size of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreparedPart {
    /// Name of the dataset file, or of the folder of its shards.
    pub file: String,
    /// Files it is in.
    pub shards: u64,
    /// Pairs of sentences.
    pub samples: u64,
    /// Tokens of all sources, each `</s>` counted.
    pub source_tokens: u64,
    /// Tokens of all targets, each `</s>` counted.
    pub target_tokens: u64,
    /// The dataset's own fingerprint.
    pub fingerprint: String,
}

/// `prepared.json`: written last, so a folder with it is whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) schema: u32,
    pub(crate) fingerprint: String,
    /// Whether both sides share a tokenizer.
    pub(crate) joint: bool,
    /// Tokens of source and target.
    pub(crate) vocabulary: [usize; 2],
    /// The tokenizers' own fingerprints.
    pub(crate) tokenizers: [String; 2],
    pub(crate) parts: BTreeMap<String, PreparedPart>,
    pub(crate) warnings: Vec<String>,
    pub(crate) options: PrepareOptions,
}

/// Opens a prepared folder and checks it against its manifest.
pub(crate) fn open(folder: &Path, fingerprint: &str, reused: bool) -> Result<Prepared> {
    check(folder, fingerprint)
        .map(|manifest| manifest.describe(folder, reused))
        .map_err(|error| refused(folder, error))
}

fn check(folder: &Path, fingerprint: &str) -> Result<Manifest> {
    let manifest: Manifest = read_manifest(folder)?;
    check_fingerprint(folder, &manifest.fingerprint, fingerprint)?;
    for (path, fingerprint) in tokenizer_files(folder, manifest.joint).iter().zip(&manifest.tokenizers) {
        check_tokenizer(path, fingerprint)?;
    }
    if TextSteps::open(folder)? != TextSteps::of(&manifest.options) {
        return Err(DataError::dataset(&folder.join(TEXT_STEPS), "it does not say what was done here"));
    }
    let datasets = manifest.parts.values().map(|part| (part.file.as_str(), part.fingerprint.as_str()));
    check_datasets(folder, datasets)?;
    Ok(manifest)
}

impl Manifest {
    fn describe(self, folder: &Path, reused: bool) -> Prepared {
        let dataset = |part: &str| self.parts.get(part).map(|part| folder.join(&part.file));
        Prepared {
            folder: folder.to_owned(),
            fingerprint: self.fingerprint,
            reused,
            tokenizer: folder.join("tokenizer.json"),
            target_tokenizer: if self.joint { folder.to_owned() } else { folder.join(TARGET) }
                .join("tokenizer.json"),
            text: folder.join(TEXT_STEPS),
            report: folder.join(REPORT),
            vocabulary: self.vocabulary[0],
            target_vocabulary: self.vocabulary[1],
            train: dataset("train").unwrap_or_default(),
            valid: dataset("valid"),
            test: dataset("test"),
            parts: self.parts,
            warnings: self.warnings,
        }
    }
}
