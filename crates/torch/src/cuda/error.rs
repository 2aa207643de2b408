//! What can go wrong with an optimizer of CUDA tensors.

use sagetrain_kernels::cuda::CudaError;
use sagetrain_optim::OptimError;
use sagetrain_optim::cuda::DeviceError;
use tch::TchError;

use crate::error::TorchError;

/// Whose error it is.
#[derive(Debug, thiserror::Error)]
pub enum CudaStepError {
    /// libtorch's, or a tensor that does not fit.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The optimizer's.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl CudaStepError {
    /// The code this error has in JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Torch(error) => error.code(),
            Self::Device(error) => error.code(),
        }
    }
}

impl From<TchError> for CudaStepError {
    fn from(error: TchError) -> Self {
        Self::Torch(TorchError::torch("cuda_optimizer", error))
    }
}

impl From<OptimError> for CudaStepError {
    fn from(error: OptimError) -> Self {
        Self::Device(error.into())
    }
}

impl From<CudaError> for CudaStepError {
    fn from(error: CudaError) -> Self {
        Self::Device(error.into())
    }
}
