//! What can go wrong between the text and a launch.

/// `Result` of this module.
pub type Result<T> = std::result::Result<T, CudaError>;

/// What went wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum CudaError {
    /// No NVRTC where it was looked for.
    #[error(
        "NVRTC was not found (looked in {}): install the wheel nvidia-cuda-nvrtc 13, and name the folder that holds libnvrtc.so.13 in SAGETRAIN_NVRTC",
        .looked.join(", ")
    )]
    NoNvrtc {
        /// The places, in order, each with the linker's word on it.
        looked: Vec<String>,
    },
    /// No driver: no GPU to run on.
    #[error(
        "the CUDA driver was not found ({message}): install NVIDIA's driver, version 580 or later, or train on the CPU"
    )]
    NoDriver {
        /// The linker's word.
        message: String,
    },
    /// A library lacks a function: it is older than what this was written for.
    #[error("{library} has no function {name}: install a newer one")]
    NoFunction {
        /// The file.
        library: &'static str,
        /// The function.
        name: &'static str,
    },
    /// NVRTC refused.
    #[error("NVRTC: {call} of {program} for sm_{architecture} failed with {code}: {log}")]
    Compile {
        /// The function that failed.
        call: &'static str,
        /// The kernel.
        program: String,
        /// 90 for sm_90.
        architecture: u32,
        /// `nvrtcResult`.
        code: i32,
        /// The compiler's log.
        log: String,
    },
    /// A call to the driver failed.
    #[error("CUDA: {call} failed with {code} ({name})")]
    Driver {
        /// The function that failed.
        call: &'static str,
        /// `CUresult`.
        code: i32,
        /// Its name.
        name: String,
    },
    /// The device is not of an architecture that this NVRTC compiles for.
    #[error(
        "NVRTC {version} does not compile for sm_{architecture} (it does for {supported:?}): install a newer one"
    )]
    Architecture {
        /// 90 for sm_90.
        architecture: u32,
        /// Major and minor.
        version: String,
        /// What it knows.
        supported: Vec<u32>,
    },
    /// A table that does not fit its kernel.
    #[error("tensor {index}: {problem}")]
    Tensor {
        /// Position in the list.
        index: usize,
        /// What is wrong.
        problem: String,
    },
    /// Arguments that do not fit each other.
    #[error("{problem}")]
    Argument {
        /// What is wrong.
        problem: String,
    },
}
