//! One error type for everything that libtorch, the CUDA driver or a wrong argument can cause.

use sagetrain_kernels::cuda::CudaError;
use tch::{Kind, TchError};

/// What went wrong in an operation, with its literal code in [`TorchError::code`].
#[derive(Debug, thiserror::Error)]
pub enum TorchError {
    /// A tensor's shape does not fit.
    #[error("{op}: {name} has shape {found:?}, expected {expected}")]
    Shape { op: &'static str, name: &'static str, found: Vec<i64>, expected: String },
    /// A tensor's kind does not fit.
    #[error("{op}: {name} is {found:?}, expected {expected}; convert it with to_kind first")]
    Dtype { op: &'static str, name: &'static str, found: Kind, expected: &'static str },
    /// Another argument is out of its range.
    #[error("{op}: {name} is {found}, expected {expected}")]
    Argument { op: &'static str, name: &'static str, found: String, expected: String },
    /// libtorch refused or failed.
    #[error("{op}: libtorch says: {message}")]
    Torch { op: &'static str, message: String },
    /// The CUDA driver or NVRTC refused or failed.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}

impl TorchError {
    /// The literal code that crosses to JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shape { .. } => "ERR_SHAPE",
            Self::Dtype { .. } => "ERR_DTYPE",
            Self::Argument { .. } => "ERR_ARGUMENT",
            Self::Torch { .. } => "ERR_TORCH",
            Self::Cuda(_) => "ERR_CUDA",
        }
    }

    /// Wraps libtorch's message, without the C++ backtrace, with the operation it came from.
    pub fn torch(op: &'static str, error: TchError) -> Self {
        let text = match error {
            TchError::Torch(text) => text,
            other => other.to_string(),
        };
        Self::Torch { op, message: without_backtrace(&text) }
    }
}

impl From<TchError> for TorchError {
    fn from(error: TchError) -> Self {
        Self::torch("tensor", error)
    }
}

fn without_backtrace(text: &str) -> String {
    text.split("\nException raised from").next().unwrap_or(text).trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_loses_its_backtrace() {
        let error = TorchError::from(TchError::Torch(
            "mat1 and mat2\nException raised from meta at x.cpp:1\nframe #0".into(),
        ));
        assert_eq!(error.to_string(), "tensor: libtorch says: mat1 and mat2");
        assert_eq!(error.code(), "ERR_TORCH");
    }
}
