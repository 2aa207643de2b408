//! What can go wrong with a step on a device.

use crate::error::OptimError;
use sagetrain_kernels::cuda::CudaError;
use thiserror::Error;

/// Result of this module.
pub type Result<T> = std::result::Result<T, DeviceError>;

/// What went wrong.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// What the CPU's optimizer would refuse too, or what a device cannot do yet.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// A table that does not fit its kernel.
    #[error(transparent)]
    Cuda(#[from] CudaError),
    /// A gradient held NaN or an infinity, and the policy is `error`.
    #[error(
        "step {step}: a gradient is not finite; neither that step nor one after it was taken. \
         Run it on the CPU to learn which, or pass nonFinite: 'skip'"
    )]
    NonFinite {
        /// The first step that was not taken.
        step: u64,
    },
}

impl DeviceError {
    /// The code this error has in JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Optim(error) => error.code(),
            Self::Cuda(_) => "ERR_CUDA",
            Self::NonFinite { .. } => "ERR_NON_FINITE",
        }
    }
}
