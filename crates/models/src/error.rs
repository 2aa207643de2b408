//! What can go wrong with a model: its spec, its inputs, its folder, or the library underneath.

use std::path::{Path, PathBuf};

use sagetrain_torch::TorchError;
use thiserror::Error;

/// Why a model could not be described, built, run, read or written.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A field of a model spec has a value that cannot be.
    #[error("{path}: {problem}")]
    Spec {
        /// Where in the spec, for example `model.heads`.
        path: String,
        /// What was found and what is expected.
        problem: String,
    },
    /// A model spec holds a key that no model of this type knows.
    #[error("{path}: unknown key{}", suggestion(.nearest))]
    UnknownKey {
        /// The key with its path, for example `model.hidenSize`.
        path: String,
        /// The known key nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A batch lacks a column, or the column has the wrong kind, shape or values.
    #[error("column \"{column}\": {problem}")]
    Input {
        /// The column's name.
        column: String,
        /// What was found and what is expected.
        problem: String,
    },
    /// Incremental decoding was called out of order or with rows that do not fit.
    #[error("decoding: {problem}")]
    Decoding {
        /// What was found and what is expected.
        problem: String,
    },
    /// A parameter name that the model does not have.
    #[error("no parameter is named \"{name}\"{}", suggestion(.nearest))]
    NoParameter {
        /// The name asked for.
        name: String,
        /// The parameter nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A model folder is damaged, or holds a model that cannot be represented.
    #[error("{}: {problem}", .file.display())]
    Folder {
        /// The file that is at fault.
        file: PathBuf,
        /// What was found and what is expected.
        problem: String,
    },
    /// A model cannot be saved in the format that was asked for.
    #[error("format \"{format}\": {problem}")]
    Format {
        /// The format's name.
        format: String,
        /// What does not fit.
        problem: String,
    },
    /// The operating system refused to read or write a file.
    #[error("{}: {source}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A tensor operation failed.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

/// The outcome of everything in this crate that can fail.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;

impl ModelError {
    /// The literal error code that crosses into JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Spec { .. } | Self::UnknownKey { .. } => "ERR_CONFIG",
            Self::Input { .. } => "ERR_SHAPE",
            Self::Decoding { .. } | Self::NoParameter { .. } | Self::Format { .. } => "ERR_ARGUMENT",
            Self::Folder { .. } => "ERR_MODEL",
            Self::Io { .. } => "ERR_IO",
            Self::Torch(error) => error.code(),
        }
    }

    pub(crate) fn spec(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Spec { path: path.into(), problem: problem.into() }
    }

    pub(crate) fn input(column: &str, problem: impl Into<String>) -> Self {
        Self::Input { column: column.to_owned(), problem: problem.into() }
    }

    pub(crate) fn decoding(problem: impl Into<String>) -> Self {
        Self::Decoding { problem: problem.into() }
    }

    pub(crate) fn folder(file: &Path, problem: impl Into<String>) -> Self {
        Self::Folder { file: file.to_owned(), problem: problem.into() }
    }

    pub(crate) fn io(file: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Io { file, source }
    }
}

impl From<tch::TchError> for ModelError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}
