//! What is said of every line that was left out, by file and reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::HeldOut;
use super::folder::{REPORT, write_json};
use super::held_out::Held;
use super::inputs::InputFile;
use super::tally::{Tally, push_run};
use crate::DataError;
use crate::text::{FileFacts, Reason};

/// How every report begins: what was read, and what of the training part was held out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportHead {
    /// 1.
    pub schema: u32,
    /// One for each part that was read.
    pub parts: Vec<PartReport>,
    /// Held-out lines of the training part, by part, counted from 1 through its files; of labelled text rows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_out: BTreeMap<String, Vec<[u64; 2]>>,
    /// Every so-many-th line that was left went to validation, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_every: Option<u64>,
    /// The seed of the held-out lines, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_seed: Option<u64>,
}

impl ReportHead {
    /// Of parts of which nothing is held out.
    pub(crate) fn of(parts: Vec<PartReport>) -> Self {
        Self { schema: 1, parts, ..Self::default() }
    }

    /// With what was held out, as `asked`.
    pub(crate) fn holding_out<'a>(mut self, held: impl Iterator<Item = &'a Held>, asked: &HeldOut) -> Self {
        for (line, part) in held.flat_map(|held| &held.lines) {
            push_run(self.held_out.entry(part.name().to_owned()).or_default(), *line);
        }
        self.held_out_every = asked.every;
        self.held_out_seed = (!self.held_out.is_empty()).then_some(asked.seed);
        self
    }
}

/// Writes the report of what cannot be used into `output`, beside the folder that is not made, and names it in the remedy
/// of the error.
pub(crate) fn said_in_report(error: DataError, output: &Path, report: &impl Serialize) -> DataError {
    let DataError::Corpus { path, line, reason, remedy } = error else { return error };
    let file = output.join(REPORT);
    let remedy = match write_json(&file, report) {
        Ok(()) => format!("{remedy}; every line is listed in {}", file.display()),
        Err(_) => remedy,
    };
    DataError::Corpus { path, line, reason, remedy }
}

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

impl FileReport {
    /// Of the files of a part, in their order.
    pub(crate) fn all(facts: Vec<FileFacts>, inputs: &[InputFile]) -> Vec<Self> {
        let one = |(facts, input): (FileFacts, &InputFile)| Self { facts, sha256: input.sha256.clone() };
        facts.into_iter().zip(inputs).map(one).collect()
    }
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
