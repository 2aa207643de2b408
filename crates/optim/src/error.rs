//! What can go wrong, with the fields a caller needs to say it.

use std::path::{Path, PathBuf};
use thiserror::Error;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, OptimError>;

/// Every failure of this crate. Nothing has changed when one is returned.
#[derive(Debug, Error)]
pub enum OptimError {
    /// A key of a spec or an option has a value that cannot be.
    #[error("{path}: {problem}")]
    Config {
        /// Dotted path of the key, e.g. `optimizer.sage.beta0`.
        path: String,
        /// What is wrong with the value, and what is possible instead.
        problem: String,
    },
    /// A scope or a group selects no parameter.
    #[error("{path}: {selector} selects none of {count} parameters; their names are like {}", names.join(", "))]
    ScopeEmpty {
        /// Dotted path of the key.
        path: String,
        /// The scope or the pattern.
        selector: String,
        /// How many parameters there are.
        count: usize,
        /// A few of their names.
        names: Vec<String>,
    },
    /// An argument of a call is out of range.
    #[error("{argument}: {problem}")]
    Argument {
        /// Name of the argument.
        argument: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An array has another length than the parameter it belongs to.
    #[error("{what} of '{name}' has {found} elements, its parameter has {expected} (shape {shape:?})")]
    Shape {
        /// `gradient`, `parameter` or the name of a state.
        what: String,
        /// Name of the parameter.
        name: String,
        /// Shape of the parameter.
        shape: Vec<usize>,
        /// Elements the shape makes.
        expected: usize,
        /// Elements found.
        found: usize,
    },
    /// A gradient holds NaN or an infinity, and the policy is `error`.
    #[error(
        "step {step}: the gradient of '{name}' is {value} at element {index}; no parameter was changed. \
         Find what made it, or pass nonFinite: 'skip'"
    )]
    NonFinite {
        /// The step that was not taken.
        step: u64,
        /// First parameter with such a gradient.
        name: String,
        /// Flat position of the first such element.
        index: usize,
        /// Its value as it came. A finite one overflows when divided.
        value: f64,
    },
    /// A saved state does not fit.
    #[error("optimizer state: {problem}")]
    Checkpoint {
        /// What does not fit, and what would.
        problem: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file, or the folder it is in.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Gradients stayed non-finite while the loss scale fell to nothing.
    #[error(
        "the loss scale would fall from {scale:e} to {next:e}, below {:e}, the smallest normal float32: the gradients are \
         not finite at any scale. Find what makes them so (the loss itself, a division, too high a rate), or train in bfloat16",
        f32::MIN_POSITIVE
    )]
    LossScale {
        /// The scale there is, unchanged.
        scale: f32,
        /// What backing off would make of it.
        next: f32,
    },
    /// Memory for the states could not be had.
    #[error("no memory for {elements} elements of optimizer state: {reason}")]
    Memory {
        /// Elements asked for.
        elements: usize,
        /// The allocator's words.
        reason: String,
    },
}

impl OptimError {
    /// The code this error has in JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "ERR_CONFIG",
            Self::ScopeEmpty { .. } => "ERR_SCOPE_EMPTY",
            Self::Argument { .. } => "ERR_ARGUMENT",
            Self::Shape { .. } => "ERR_SHAPE",
            Self::NonFinite { .. } => "ERR_NON_FINITE",
            Self::Checkpoint { .. } => "ERR_CHECKPOINT",
            Self::Io { .. } => "ERR_IO",
            Self::LossScale { .. } => "ERR_NON_FINITE",
            Self::Memory { .. } => "ERR_INTERNAL",
        }
    }

    pub(crate) fn config(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Config { path: path.into(), problem: problem.into() }
    }
    pub(crate) fn checkpoint(problem: impl Into<String>) -> Self {
        Self::Checkpoint { problem: problem.into() }
    }

    /// What is wrong with the content of a file.
    pub(crate) fn content(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Checkpoint { problem: format!("{}: {problem}", path.display()) }
    }

    /// For `map_err`, with the file's name.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }
}
