//! Optimizer steps on CUDA tensors, on libtorch's memory and current stream. libtorch_cuda is loaded by whoever starts the process.

mod devices;
mod error;
pub(crate) mod mask;
mod optimizer;
mod stream;
mod tensors;

pub use devices::{NoDevice, devices, has_bfloat16, kernels};
pub use error::CudaStepError;
pub use optimizer::CudaOptimizer;
pub(crate) use stream::number;
pub use stream::{current_stream, on_pool_stream};
