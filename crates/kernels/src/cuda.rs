//! The same rules on CUDA: text that NVRTC compiles at first use, many tensors a launch, on a stream of the caller's.
//!
//! Each rule's text stands in `cuda/text/`, under the name of its Rust file, and rounds where that rounds: given the same
//! gradient factor, the bits are the CPU's. A step is
//!
//! 1. [`Kernels::squares`] and [`Kernels::judge`]: Σ g² of all gradients, then norm, clipping factor and the finite flag
//!    ([`Verdict`]), left on the device;
//! 2. [`Kernels::step`]: a launch a [`Variant`], whatever the number of tensors ([`Plan`]). It reads the verdict, and writes nothing
//!    where that says so.
//!
//! [`Kernels::mask`] makes dropout's masks, the same draws as on the CPU, in one launch each.
//!
//! Addresses and streams are plain numbers, as the CUDA driver has them; the memory is the caller's. Nothing here waits for the
//! device. Building needs no toolkit: NVRTC ([`Nvrtc`]) and the driver ([`Driver`]) are opened at run time, and where one is
//! missing the error says what to do.

mod cache;
mod constants;
mod driver;
mod error;
mod kernels;
mod layout;
mod mask;
mod norm;
mod nvrtc;
mod plan;
mod text;
mod variant;

pub use cache::Cache;
pub use constants::Constants;
pub use driver::{Architecture, Driver, Function};
pub use error::{CudaError, Result};
pub use kernels::{Folders, Kernels};
pub use layout::{Chunk, GROUPS, Launch, Tensor};
pub use mask::Mask;
pub use norm::{Judge, Part, Squares, Verdict, parts};
pub use nvrtc::{Nvrtc, OPTIONS, Object};
pub use plan::Plan;
pub use text::{HEADERS, Program};
pub use variant::{Family, Kept, Storage, Variant};
