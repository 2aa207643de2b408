//! Pairs of sentences from one TSV file or two files side by side.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Reason;
use super::file::FileFacts;
use super::lines::{Lines, excerpt};
use crate::{DataError, Result};

/// Where a corpus lies: either `tsv` (source TAB target), or `source` and `target` with as many lines each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CorpusFiles {
    /// Source sentences, one a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    /// Their translations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<PathBuf>,
    /// Both in one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsv: Option<PathBuf>,
}

impl CorpusFiles {
    /// The files to read, one or two.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: neither `tsv` nor both of `source` and `target`, or all of them.
    pub fn paths(&self) -> Result<Vec<&Path>> {
        let bad = |option, reason: &str| {
            Err(DataError::argument(option, reason, "give `tsv`, or `source` and `target`"))
        };
        match (&self.tsv, &self.source, &self.target) {
            (Some(tsv), None, None) => Ok(vec![tsv]),
            (None, Some(source), Some(target)) => Ok(vec![source, target]),
            (Some(_), ..) => bad("tsv", "it is given together with source or target"),
            (None, None, Some(_)) => bad("source", "it is missing"),
            (None, Some(_), None) => bad("target", "it is missing"),
            (None, None, None) => bad("source", "no files are given"),
        }
    }
}

/// One line of a corpus: a pair of sentences, trimmed, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// From 1.
    pub line: u64,
    /// (source, target)
    pub content: Result<(String, String), Rejection>,
}

/// Why a line gives no pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Which of [`CorpusFiles::paths`].
    pub file: usize,
    /// What is wrong.
    pub reason: Reason,
    /// The start of the line.
    pub excerpt: String,
}

/// Reads a corpus pair by pair.
#[derive(Debug)]
pub struct Pairs {
    files: Vec<Lines>,
    line: u64,
}

impl Pairs {
    /// Opens the files and looks at their first bytes.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` as [`CorpusFiles::paths`]; `ERR_DATA`: an empty file, not a regular file; `ERR_IO`.
    pub fn open(files: &CorpusFiles) -> Result<Self> {
        let files = files.paths()?.into_iter().map(Lines::open).collect::<Result<_>>()?;
        Ok(Self { files, line: 0 })
    }

    /// What was seen of each file so far.
    pub fn facts(&self) -> Vec<FileFacts> {
        self.files.iter().map(|lines| lines.facts().clone()).collect()
    }

    /// Bytes taken from the disk so far, of all files together.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.files.iter().map(Lines::bytes_read).sum()
    }

    fn read(&mut self) -> Result<Option<Pair>> {
        self.line += 1;
        let line = self.line;
        let content = match self.files.as_mut_slice() {
            [source, target] => match (source.next()?, target.next()?) {
                (None, None) => return Ok(None),
                (Some(text), None) => Err(without_partner(0, text)),
                (None, Some(text)) => Err(without_partner(1, text)),
                (Some(source), Some(target)) => {
                    side(0, source).and_then(|source| Ok((source, side(1, target)?)))
                }
            },
            [tsv] => match tsv.next()? {
                None => return Ok(None),
                Some(text) => side(0, text).and_then(split),
            },
            _ => return Ok(None),
        };
        Ok(Some(Pair { line, content: content.and_then(|pair| sound(pair, self.files.len() - 1)) }))
    }
}

impl Iterator for Pairs {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

type Read = Result<String, (Reason, String)>;

fn side(file: usize, text: Read) -> Result<String, Rejection> {
    text.map_err(|(reason, excerpt)| Rejection { file, reason, excerpt })
}

fn without_partner(file: usize, text: Read) -> Rejection {
    let excerpt = text.map_or_else(|(_, excerpt)| excerpt, |text| excerpt(text.as_bytes()));
    Rejection { file, reason: Reason::MissingPartner, excerpt }
}

fn split(line: String) -> Result<(String, String), Rejection> {
    let reject = |reason| Err(Rejection { file: 0, reason, excerpt: excerpt(line.as_bytes()) });
    match line.split('\t').collect::<Vec<_>>().as_slice() {
        [source, target] => Ok(((*source).to_owned(), (*target).to_owned())),
        [only] if only.trim().is_empty() => reject(Reason::EmptyLine),
        [_] => reject(Reason::NoTab),
        _ => reject(Reason::ExtraTab),
    }
}

/// Trims both sides and refuses what no model should learn from. `last` is the target's file.
pub(crate) fn sound((source, target): (String, String), last: usize) -> Result<(String, String), Rejection> {
    let reject =
        |file, reason, text: &str| Err(Rejection { file, reason, excerpt: excerpt(text.as_bytes()) });
    let (source, target) = (source.trim(), target.trim());
    match (source.is_empty(), target.is_empty()) {
        (true, true) => return reject(0, Reason::EmptyLine, ""),
        (true, false) => return reject(0, Reason::EmptySource, target),
        (false, true) => return reject(last, Reason::EmptyTarget, source),
        (false, false) => {}
    }
    for (file, text) in [(0, source), (last, target)] {
        if has_control(text) {
            return reject(file, Reason::ControlCharacter, text);
        }
    }
    Ok((source.to_owned(), target.to_owned()))
}

/// Whether there is a character of Unicode's Cc: up to U+001F, and U+007F to U+009F, whose first byte in UTF-8 is C2.
fn has_control(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().any(|byte| *byte < 0x20 || *byte == 0x7f)
        || bytes.windows(2).any(|pair| pair[0] == 0xc2 && pair[1] < 0xa0)
}
