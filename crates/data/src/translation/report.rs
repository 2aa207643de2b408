//! `prepare-report.json`: every line that was left out, by file and reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::text::{FileFacts, Reason};

/// The whole report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// 1.
    pub schema: u32,
    /// One for each corpus that was read.
    pub parts: Vec<PartReport>,
    /// Held-out lines of the training corpus, by part.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_out: BTreeMap<String, Vec<[u64; 2]>>,
    /// Every so-many-th line that was left went to validation, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_every: Option<u64>,
    /// The seed of the held-out lines, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_seed: Option<u64>,
    /// Sentences of a part whose source is a training source too, by part.
    #[serde(default)]
    pub sources_also_in_train: BTreeMap<String, u64>,
    /// What a user should know.
    pub warnings: Vec<String>,
}

/// What became of one corpus.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartReport {
    /// `train`, `valid` or `test`.
    pub part: String,
    /// What was seen of each file.
    pub files: Vec<FileReport>,
    /// Lines of the longest file.
    pub lines: u64,
    /// Pairs in the dataset, held-out lines not counted.
    pub kept: u64,
    /// Lines with a flaw.
    pub bad: u64,
    /// Sound lines that an option leaves out.
    pub filtered: u64,
    /// Each file's lines that were left out, by reason.
    pub rejected: Vec<Rejected>,
}

/// A file and its contents' checksum.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileReport {
    /// What reading it showed.
    #[serde(flatten)]
    pub facts: FileFacts,
    /// Of the file as it lies on the disk.
    pub sha256: String,
}

/// The lines of one file that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// The file.
    pub file: PathBuf,
    /// For programs.
    pub reason: Reason,
    /// For people.
    pub what: String,
    /// Lines.
    pub count: u64,
    /// All of them, as runs `[first, last]`, counted from 1.
    pub lines: Vec<[u64; 2]>,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// A line as it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// From 1.
    pub line: u64,
    /// At most 120 characters.
    pub text: String,
}
