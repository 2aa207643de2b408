//! What `prepare` is asked for.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::preparation::HeldOut;
use crate::{DataError, Result};

/// What to prepare from which files: either `recipe` and `data`, or `train` and `columns`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PrepareOptions {
    /// A task of GLUE, read from its published files as the field does: see [`glue::TASKS`](super::glue::TASKS).
    pub recipe: Option<String>,
    /// The folder with the recipe's published files: that of all tasks, or the task's own.
    pub data: Option<PathBuf>,
    /// Labelled text to train on: TSV, CSV or JSON lines, by the files' names (`.tsv`, `.txt`, `.csv`, `.jsonl`); UTF-8, may be
    /// gzipped (`.gz`).
    pub train: Option<Files>,
    /// Labelled text to choose by. Without it some is held out of the training part.
    pub valid: Option<Files>,
    /// Text to report on, or to predict where it has no labels.
    pub test: Option<Files>,
    /// Where texts and labels stand in a line.
    pub columns: Option<Columns>,
    /// Whether the first line of a TSV or CSV names its columns. Default: where `columns` has a name.
    pub header: Header,
    /// What a label is. Default a class.
    pub kind: Option<Kind>,
    /// The classes in the order of their ids. Default: those of the training part, sorted; as numbers where all are integers.
    pub labels: Option<Vec<String>>,
    /// Lines to hold out of the training part.
    pub held_out: HeldOut,
    /// Samples of the training part, at most, drawn by `limit_seed` among those that are not held out; they keep their
    /// order.
    pub limit: Option<u64>,
    /// Default 0.
    pub limit_seed: Option<u64>,
    /// The folder of the pretrained encoder, for its tokenizer; or a `tokenizer.json` in it.
    pub tokenizer: PathBuf,
    /// Tokens of a sample, the special ones counted; longer texts are cut, the longer of two first. Default 512, or as many
    /// as the encoder takes; of a model that was fine-tuned here what it was trained with.
    pub max_length: Option<usize>,
    /// Threads; they change nothing but the time. Default all that the machine has.
    pub threads: Option<usize>,
    /// The folder in which the prepared folder is made; it is made too where it is missing.
    pub output: PathBuf,
}

/// One file or several, read one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Files {
    /// The only one.
    One(PathBuf),
    /// In this order.
    Many(Vec<PathBuf>),
}

impl Files {
    /// All of them.
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Many(paths) => paths,
        }
    }
}

impl From<&Path> for Files {
    fn from(path: &Path) -> Self {
        Self::One(path.to_owned())
    }
}

/// Where the parts of a sample stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Columns {
    /// The text, or the first of two.
    pub text: Column,
    /// The second text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Column>,
    /// The class or the number. A test part whose first line does not have it is not labelled.
    pub label: Column,
}

impl Columns {
    pub(crate) fn each(&self) -> impl Iterator<Item = &Column> {
        [Some(&self.text), self.pair.as_ref(), Some(&self.label)].into_iter().flatten()
    }
}

/// A column by its place or its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// From 0.
    Number(usize),
    /// As the header, or the key in JSON lines, has it.
    Name(String),
}

impl From<usize> for Column {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// Whether the first line of a file names its columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Header {
    /// Where a column is named.
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It is a sample.
    No,
}

impl TryFrom<Value> for Header {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Bool(true) => Ok(Self::Yes),
            Value::Bool(false) => Ok(Self::No),
            Value::String(auto) if auto == "auto" => Ok(Self::Auto),
            other => Err(format!("header is true, false or \"auto\", not {other}")),
        }
    }
}

impl From<Header> for Value {
    fn from(header: Header) -> Self {
        match header {
            Header::Auto => "auto".into(),
            Header::Yes => true.into(),
            Header::No => false.into(),
        }
    }
}

/// What a label is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// One of several classes.
    #[default]
    Classification,
    /// A number.
    Regression,
}

impl PrepareOptions {
    /// Reads options.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: a key or a value that is not understood.
    pub fn from_json(given: Value) -> Result<Self> {
        serde_json::from_value(given)
            .map_err(|error| DataError::argument("prepare", error.to_string(), "correct it"))
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(crate::parallel::default_threads)
    }
}
