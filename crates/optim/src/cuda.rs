//! A step whose arrays lie on a CUDA device, as seen from the host: what lies where, what is launched with which numbers, and what t
//! is. No device is touched here; `sagetrain-torch` lends memory, a stream and the launches.
//!
//! A step is [`DeviceOptimizer::prepare`], the launches it names, and [`DeviceOptimizer::finish`]. States have the CPU's names, order and
//! numbers, so what one has saved the other loads. How often the host must wait depends on `nonFinite`:
//!
//! - `unchecked`: never.
//! - `error`: never. From the first gradient on that is not finite the device writes nothing, whatever comes after; the host learns of
//!   it when it reads the verdict ([`DeviceOptimizer::check`]), and t is set back to the last step that was taken.
//! - `skip`, hence dynamic loss scaling too: every step, for the 24 bytes of the [`Verdict`](sagetrain_kernels::cuda::Verdict): bias
//!   correction and schedule of the next step depend on whether this one was taken.

mod batch;
mod device;
mod error;
mod image;
mod load;
mod step;
mod tables;

pub use device::DeviceOptimizer;
pub use error::{DeviceError, Result};
pub use image::{StateImage, StatePlace};
pub use step::{DeviceStep, Norm};
pub use tables::{Addresses, Tables};
