//! A prepared folder: what lies in it, and whether it still does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::glue::{Submission, Task};
use super::{Kind, PrepareOptions};
use crate::preparation::folder::{
    REPORT, check_datasets, check_fingerprint, check_tokenizer, read_manifest, refused,
};
use crate::text::Reason;
use crate::{DataError, Result};

/// What a preparation has made, or found made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// Holds everything below, and the tokenizer's files.
    pub folder: PathBuf,
    /// Of inputs and options; the folder's name ends in its beginning.
    pub fingerprint: String,
    /// True where an earlier preparation is used.
    pub reused: bool,
    /// The names of the tokenizer's files in the folder; a fine-tuned model's folder has them too.
    pub tokenizer_files: Vec<String>,
    /// `prepare-report.json`.
    pub report: PathBuf,
    /// The recipe, where there is one.
    pub recipe: Option<String>,
    /// What a label is.
    pub kind: Kind,
    /// The classes in the order of their ids; none of a regression.
    pub labels: Vec<String>,
    /// Whether a sample has two texts.
    pub pair: bool,
    /// Whether there is a column `types`.
    pub types: bool,
    /// Tokens of the tokenizer.
    pub vocabulary: usize,
    /// Tokens of a sample, at most.
    pub max_length: usize,
    /// The dataset to train on.
    pub train: PathBuf,
    /// The dataset to choose by.
    pub valid: Option<PathBuf>,
    /// The dataset to report on, or to predict.
    pub test: Option<PathBuf>,
    /// MNLI's development set from other sources.
    pub valid_mismatched: Option<PathBuf>,
    /// MNLI's test set from other sources.
    pub test_mismatched: Option<PathBuf>,
    /// How predictions are handed in to the recipe's test server.
    pub submission: Option<Submission>,
    /// Sizes by part.
    pub parts: BTreeMap<String, PreparedPart>,
    /// What a user should know, also in the report.
    pub warnings: Vec<String>,
}

/// The size of one part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreparedPart {
    /// Name of the dataset file.
    pub file: String,
    /// Samples.
    pub samples: u64,
    /// Tokens of all samples, the special ones counted.
    pub tokens: u64,
    /// Tokens of a sample.
    pub mean_tokens: f64,
    /// Tokens of the longest.
    pub longest: u64,
    /// Samples that were cut to the greatest length.
    pub truncated: u64,
    /// Whether it has a column `label` or `target`.
    pub labelled: bool,
    /// Samples of each class, in the order of [`Prepared::labels`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<u64>,
    /// Of a regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetRange>,
    /// Rows that were left out of its own files, by reason; the report has their lines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<Reason, u64>,
    /// What the test server knows the samples by, in their order, as runs `[first, last]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indices: Vec<[u64; 2]>,
    /// The dataset's own fingerprint.
    pub fingerprint: String,
}

/// The numbers of a regression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRange {
    /// The smallest.
    pub least: f32,
    /// Of all.
    pub mean: f64,
    /// The greatest.
    pub greatest: f32,
}

impl TargetRange {
    pub(super) fn include(range: &mut Option<Self>, number: f32) {
        let known = range.get_or_insert(Self { least: number, mean: 0.0, greatest: number });
        (known.least, known.greatest) = (known.least.min(number), known.greatest.max(number));
    }
}

/// `prepared.json`: written last, so a folder with it is whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) schema: u32,
    pub(super) fingerprint: String,
    /// The tokenizer's own fingerprint.
    pub(super) tokenizer: String,
    pub(super) tokenizer_files: Vec<String>,
    pub(super) kind: Kind,
    pub(super) labels: Vec<String>,
    pub(super) pair: bool,
    pub(super) types: bool,
    pub(super) vocabulary: usize,
    pub(super) max_length: usize,
    pub(super) parts: BTreeMap<String, PreparedPart>,
    pub(super) warnings: Vec<String>,
    pub(super) options: PrepareOptions,
}

/// Opens a prepared folder and checks it against its manifest.
pub(super) fn open(folder: &Path, fingerprint: &str, reused: bool) -> Result<Prepared> {
    check(folder, fingerprint)
        .and_then(|manifest| manifest.describe(folder, reused))
        .map_err(|error| refused(folder, error))
}

fn check(folder: &Path, fingerprint: &str) -> Result<Manifest> {
    let manifest: Manifest = read_manifest(folder)?;
    check_fingerprint(folder, &manifest.fingerprint, fingerprint)?;
    if let Some(name) = manifest.tokenizer_files.iter().find(|name| !folder.join(name).is_file()) {
        return Err(DataError::dataset(&folder.join(name), "it is missing"));
    }
    check_tokenizer(&folder.join("tokenizer.json"), &manifest.tokenizer)?;
    let datasets = manifest.parts.values().map(|part| (part.file.as_str(), part.fingerprint.as_str()));
    check_datasets(folder, datasets)?;
    Ok(manifest)
}

impl Manifest {
    fn describe(self, folder: &Path, reused: bool) -> Result<Prepared> {
        let dataset = |part: &str| self.parts.get(part).map(|part| folder.join(&part.file));
        let task = self.options.recipe.as_deref().map(Task::named).transpose()?;
        Ok(Prepared {
            folder: folder.to_owned(),
            fingerprint: self.fingerprint,
            reused,
            tokenizer_files: self.tokenizer_files,
            report: folder.join(REPORT),
            recipe: self.options.recipe,
            kind: self.kind,
            labels: self.labels,
            pair: self.pair,
            types: self.types,
            vocabulary: self.vocabulary,
            max_length: self.max_length,
            train: dataset("train").unwrap_or_default(),
            valid: dataset("valid"),
            test: dataset("test"),
            valid_mismatched: dataset("validMismatched"),
            test_mismatched: dataset("testMismatched"),
            submission: task.map(Task::submission),
            parts: self.parts,
            warnings: self.warnings,
        })
    }
}
