//! What `prepare` is asked for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::text::CorpusFiles;
use crate::{DataError, Result};

/// What to prepare from which files. The training corpus is `tsv`, or `source` and `target`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PrepareOptions {
    /// Source sentences for training, one a line; UTF-8, may be gzipped.
    pub source: Option<PathBuf>,
    /// Their translations, line by line.
    pub target: Option<PathBuf>,
    /// Both in one file, source TAB target.
    pub tsv: Option<PathBuf>,
    /// Sentences to choose by. Without them some are held out of the training corpus.
    pub valid: Option<CorpusFiles>,
    /// Sentences to report on.
    pub test: Option<CorpusFiles>,
    /// Lines to hold out of the training corpus.
    pub held_out: HeldOut,
    /// The tokenizer.
    pub vocabulary: Vocabulary,
    /// Tokens of a side, `</s>` counted; a longer line is rejected in every part. Default 256.
    pub max_length: usize,
    /// Words of a side; a longer line is left out of the training part. Default none.
    pub max_words: Option<usize>,
    /// The folder in which the prepared folder is made; it is made too where it is missing.
    pub output: PathBuf,
}

/// How many training lines become another part. Which ones depends on the seed and the line numbers alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HeldOut {
    /// Lines for validation. Default one in twenty, at most 1,000, where there are no validation files; 0 for none.
    pub valid: Option<u64>,
    /// Lines for the test. Default none.
    pub test: Option<u64>,
    /// Default 0.
    pub seed: u64,
}

/// Where the tokenizer comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Vocabulary {
    /// Tokens to learn from the training part, at least 259. Default 8,000.
    pub size: Option<usize>,
    /// A `tokenizer.json`, or its folder, to use as it is instead.
    pub tokenizer: Option<PathBuf>,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            source: None,
            target: None,
            tsv: None,
            valid: None,
            test: None,
            held_out: HeldOut::default(),
            vocabulary: Vocabulary::default(),
            max_length: 256,
            max_words: None,
            output: PathBuf::new(),
        }
    }
}

/// Tokens to learn where nobody says.
const DEFAULT_SIZE: usize = 8_000;

impl Vocabulary {
    pub(crate) fn size(&self) -> usize {
        self.size.unwrap_or(DEFAULT_SIZE)
    }
}

impl PrepareOptions {
    /// The training files.
    pub fn train(&self) -> CorpusFiles {
        CorpusFiles { source: self.source.clone(), target: self.target.clone(), tsv: self.tsv.clone() }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let bad = |option, reason: &str, remedy: &str| Err(DataError::argument(option, reason, remedy));
        self.train().paths()?;
        for files in [&self.valid, &self.test].into_iter().flatten() {
            files.paths()?;
        }
        if self.output.as_os_str().is_empty() {
            return bad("output", "it is missing", "name a folder to prepare in");
        }
        if self.max_length < 2 {
            return bad(
                "maxLength",
                "a sentence has at least one token and the closing </s>",
                "give at least 2",
            );
        }
        if self.max_words == Some(0) {
            return bad("maxWords", "it is 0", "give at least 1");
        }
        if self.vocabulary.size.is_some() && self.vocabulary.tokenizer.is_some() {
            return bad(
                "vocabulary.size",
                "it has no effect with vocabulary.tokenizer",
                "leave one of them out",
            );
        }
        if self.valid.is_some() && self.held_out.valid.is_some() {
            return bad("heldOut.valid", "it has no effect with validation files", "leave one of them out");
        }
        if self.test.is_some() && self.held_out.test.is_some() {
            return bad("heldOut.test", "it has no effect with test files", "leave one of them out");
        }
        Ok(())
    }
}
