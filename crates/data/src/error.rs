//! What can go wrong between a file and a batch, with the fields a caller needs to say it in their own words.

use std::path::{Path, PathBuf};

/// The result of every fallible call of this crate.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

/// An error of the data crate; [`DataError::code`] gives its literal code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named by what the message says of them")]
pub enum DataError {
    /// An option is missing, out of range, or has no effect together with another.
    #[error("option `{option}`: {reason}; {remedy}")]
    Argument { option: &'static str, reason: String, remedy: String },

    /// Columns in memory do not fit together.
    #[error("column `{column}`: {reason}")]
    Shape { column: String, reason: String },

    /// A corpus file cannot be used: empty, mostly bad, of unequal files, a gzip bomb, no pairs left.
    #[error("{}{}: {reason}; {remedy}", path.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
    Corpus { path: PathBuf, line: Option<u64>, reason: String, remedy: String },

    /// A dataset file is refused: foreign, truncated, of another version, damaged.
    #[error("{} is refused: {problem}; {remedy}", path.display())]
    Dataset { path: PathBuf, problem: String, remedy: String },

    /// One sample is longer than a whole batch may be.
    #[error(
        "sample {sample} has {length} tokens in column `{column}`, more than maxTokens {budget}; \
         raise maxTokens or prepare the data with a smaller maxLength"
    )]
    SampleTooLong { sample: u64, column: String, length: u64, budget: u64 },

    /// A tokenizer cannot be trained, read or used.
    #[error("tokenizer{}: {reason}; {remedy}", path.as_ref().map(|p| format!(" {}", p.display())).unwrap_or_default())]
    Tokenizer { path: Option<PathBuf>, reason: String, remedy: String },

    /// A position that the loader's order does not have.
    #[error(
        "loader state {{ epoch: {epoch}, batch: {batch} }}: {reason}; resume with the data and options of the saved run"
    )]
    State { epoch: u64, batch: u64, reason: String },

    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },

    /// The caller asked to stop.
    #[error("preparation was stopped on request; asked for again, it goes on from there")]
    Aborted,

    /// A bug here: a thread ended that must not, a value that cannot be.
    #[error("internal error: {0}")]
    Internal(String),
}

impl DataError {
    /// The literal code that TypeScript's `SagetrainErrorCode` knows.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Argument { .. } => "ERR_ARGUMENT",
            Self::Shape { .. } => "ERR_SHAPE",
            Self::Corpus { .. } | Self::SampleTooLong { .. } | Self::Tokenizer { .. } => "ERR_DATA",
            Self::Dataset { .. } => "ERR_DATASET",
            Self::State { .. } => "ERR_STATE",
            Self::Io { .. } => "ERR_IO",
            Self::Aborted => "ERR_ABORTED",
            Self::Internal(_) => "ERR_INTERNAL",
        }
    }

    pub(crate) fn argument(
        option: &'static str,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Argument { option, reason: reason.into(), remedy: remedy.into() }
    }

    pub(crate) fn shape(column: &str, reason: impl Into<String>) -> Self {
        Self::Shape { column: column.to_owned(), reason: reason.into() }
    }

    /// A refusal whose remedy is to make the file again.
    pub(crate) fn dataset(path: &Path, problem: impl Into<String>) -> Self {
        let remedy =
            "name another file, or, where this one was prepared, delete it and prepare the data again"
                .to_owned();
        Self::Dataset { path: path.to_owned(), problem: problem.into(), remedy }
    }

    /// A tokenizer makes an id that its vocabulary has not.
    pub(crate) fn token_outside(id: i32, greatest: i32) -> Self {
        Self::Tokenizer {
            path: None,
            reason: format!("it makes id {id} of a sentence, and its tokens have ids 0 to {greatest}"),
            remedy: "see that its post-processor adds tokens by the ids that they have".into(),
        }
    }

    /// For `map_err`: what was being done to which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
