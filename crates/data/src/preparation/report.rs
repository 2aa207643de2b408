//! What is said of every line that was left out, by file and reason.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::text::{FileFacts, Reason};

/// What became of one corpus.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartReport {
    /// `train`, `valid`, `test` and so on.
    pub part: String,
    /// What was seen of each file.
    pub files: Vec<FileReport>,
    /// Lines of the longest file.
    pub lines: u64,
    /// Samples in the dataset, held-out lines not counted.
    pub kept: u64,
    /// Lines with a flaw.
    pub bad: u64,
    /// Sound lines that an option leaves out.
    pub filtered: u64,
    /// Each file's lines that were left out, by reason.
    pub rejected: Vec<Rejected>,
}

impl PartReport {
    /// Of the files of a part, with the lines that were left out of it; `kept` samples of it are in a dataset.
    pub(crate) fn of(part: &str, files: &[FileReport], lines: u64, kept: u64, tally: &Tally) -> Self {
        Self {
            part: part.to_owned(),
            files: files.to_vec(),
            lines,
            kept,
            bad: tally.bad(),
            filtered: tally.filtered(),
            rejected: tally.report(files),
        }
    }
}

/// What a user should know of how files are written.
pub(crate) fn file_warnings(files: &[FileReport]) -> Vec<String> {
    let mut warnings = Vec::new();
    for FileReport { facts, .. } in files {
        let path = facts.path.display();
        if facts.byte_order_mark {
            warnings.push(format!("{path}: its byte order mark is not part of the text"));
        }
        if facts.carriage_returns > 0 {
            let count = facts.carriage_returns;
            warnings.push(format!("{path}: {count} lines end in CR LF; the CR is not part of the text"));
        }
    }
    warnings
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
