//! One error for everything a session can report, with the literal code TypeScript sees.

use std::path::PathBuf;

/// What a session, an evaluation or a checkpoint can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainerError {
    /// An option is out of range or has no effect.
    #[error("{key}: {message}")]
    Option {
        /// Dotted path of the option.
        key: &'static str,
        /// What is wrong with the value, and the remedy.
        message: String,
    },
    /// The batch lacks what the model reads, or holds ids it does not know.
    #[error("batch: {message}")]
    Batch {
        /// Column, row and value.
        message: String,
    },
    /// The call needs a session, or a session of another kind.
    #[error("{message}")]
    State {
        /// What is missing, and the remedy.
        message: String,
    },
    /// A checkpoint is absent, incomplete, altered or of an unknown format.
    #[error("checkpoint {path}: {message}", path = path.display())]
    Checkpoint {
        /// The folder or file.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// The file system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The model scores a source's continuations with NaN.
    #[error(
        "source {sentence}: the model's scores hold NaN, so nothing can be searched; go back to weights that are finite, such as an earlier checkpoint's"
    )]
    NonFinite {
        /// Position of the source, from 0.
        sentence: u64,
    },
    /// The gradient is not finite because of the smoothness term.
    #[error(
        "smoothness: a perturbation of the embeddings became NaN, though what the model says without it is finite: the gradient that it ascends is not; lower smoothness.noise, smoothness.stepSize or the rate ({found})"
    )]
    Perturbation {
        /// What the optimizer found.
        found: Box<TrainerError>,
    },
    /// A source is longer than the model can read.
    #[error(
        "source {sentence}: {tokens} tokens with its </s>, but the model holds {longest} (maxPositions); split it into sentences, or leave it out"
    )]
    TooLong {
        /// Position of the source, from 0.
        sentence: u64,
        /// Its tokens.
        tokens: usize,
        /// The model's positions.
        longest: usize,
    },
    /// What a source's output has to begin with is what no output can begin with.
    #[error("source {sentence}: {message}")]
    Prefix {
        /// Position of the source, from 0.
        sentence: u64,
        /// Why, and the remedy.
        message: String,
    },
    /// The caller withdrew the request.
    #[error("aborted")]
    Aborted,
    /// The engine thread is gone: the session was disposed.
    #[error("this session is disposed; create another")]
    Disposed,
    /// A panic was caught in this session earlier; its tensors may be half-written.
    #[error(
        "this session met an internal fault and accepts no more work: {message}; resume from its last checkpoint"
    )]
    Poisoned {
        /// The first panic's message.
        message: String,
    },
    /// A device that is not there.
    #[error("device \"{name}\": {message}")]
    Device {
        /// As it was asked for.
        name: String,
        /// What is missing, and the remedy.
        message: String,
    },
    /// From an optimizer on a GPU.
    #[error(transparent)]
    Cuda(#[from] sagetrain_torch::cuda::CudaStepError),
    /// From the optimizer.
    #[error(transparent)]
    Optim(#[from] sagetrain_optim::OptimError),
    /// From the models.
    #[error(transparent)]
    Model(#[from] sagetrain_models::ModelError),
    /// From the data sets.
    #[error(transparent)]
    Data(#[from] sagetrain_data::DataError),
    /// From the fused operations.
    #[error(transparent)]
    Torch(#[from] sagetrain_torch::TorchError),
    /// From the scores.
    #[error(transparent)]
    Metrics(#[from] sagetrain_metrics::MetricsError),
    /// From libtorch through tch.
    #[error("libtorch: {0}")]
    Tch(#[from] tch::TchError),
}

impl TrainerError {
    /// The stable code of TypeScript's `SagetrainError`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Option { .. } => "ERR_CONFIG",
            Self::Batch { .. } | Self::TooLong { .. } | Self::Prefix { .. } => "ERR_DATA",
            Self::State { .. } => "ERR_STATE",
            Self::Checkpoint { .. } => "ERR_CHECKPOINT",
            Self::Io { .. } => "ERR_IO",
            Self::NonFinite { .. } | Self::Perturbation { .. } => "ERR_NON_FINITE",
            Self::Aborted => "ERR_ABORTED",
            Self::Disposed => "ERR_DISPOSED",
            Self::Poisoned { .. } => "ERR_POISONED",
            Self::Device { .. } => "ERR_DEVICE",
            Self::Cuda(error) => error.code(),
            Self::Optim(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Data(error) => error.code(),
            Self::Torch(error) => error.code(),
            Self::Metrics(error) => error.code(),
            Self::Tch(_) => "ERR_TORCH",
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn checkpoint(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self::Checkpoint { path: path.into(), message: message.into() }
    }
}
