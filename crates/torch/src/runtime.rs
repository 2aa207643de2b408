//! What libtorch says about itself and the machine, for the log, `doctor` and reports.

use crate::error::TorchError;
use crate::ffi;

/// Versions, configuration and memory as seen from the calling thread.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// libtorch's version, such as `2.13.0`.
    pub libtorch_version: String,
    /// `at::show_config()`.
    pub build_config: String,
    /// `at::get_parallel_info()`.
    pub parallel_info: String,
    /// Which of libtorch's kernels are used: `AVX512`, `AVX2` or `DEFAULT`.
    pub cpu_capability: String,
    /// Which of this crate's own are used: `avx512_bf16`, `avx512`, `avx2` or `baseline`; `SAGETRAIN_CPU` may ask for less than the best.
    pub kernels: String,
    /// Whether the processor multiplies bfloat16 matrices faster than float32 ones.
    pub has_bfloat16: bool,
    /// Whether this crate's own loops run on several threads.
    pub has_openmp: bool,
    /// Intra-op threads of the calling thread.
    pub threads: usize,
    /// GPUs that libtorch can use.
    pub cuda_devices: usize,
    /// The most resident memory that the process has had, in bytes.
    pub peak_resident_bytes: u64,
}

/// Asks libtorch about itself. Errors: `ERR_TORCH`.
pub fn runtime() -> Result<Runtime, TorchError> {
    let info = ffi::runtime()?;
    Ok(Runtime {
        libtorch_version: ffi::text(info.libtorch_version),
        build_config: ffi::text(info.build_config),
        parallel_info: ffi::text(info.parallel_info),
        cpu_capability: ffi::text(info.cpu_capability),
        kernels: ffi::text(info.kernels),
        has_bfloat16: info.has_bfloat16 != 0,
        has_openmp: info.has_openmp != 0,
        threads: info.threads.max(1) as usize,
        cuda_devices: info.cuda_devices.max(0) as usize,
        peak_resident_bytes: info.peak_resident_bytes,
    })
}
