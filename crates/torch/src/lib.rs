//! What tch lacks of libtorch, behind a safe and fallible API: fused operations of the training step, threads, memory, runtime.
//!
//! Every operation works on packed tokens (`[tokens, width]`, no padding) and is differentiable. Randomness is counter-based
//! ([`Dropout`]); libtorch's global generator is never drawn from. Errors are values: no C++ exception crosses.

mod attention;
mod cache;
mod check;
mod composed;
pub mod cuda;
mod decode;
mod dropout;
mod embed;
mod embed_norm;
mod error;
mod executor;
mod ffi;
mod layer_norm;
mod linear;
mod loss;
mod memory;
mod normal;
mod packed_linear;
mod philox;
mod precision;
mod residual;
mod runtime;
mod table;
mod threads;

pub use attention::{AttentionLayout, attention, cross_attention, self_attention};
pub use cache::{cache_memory, release_memory};
pub use composed::{set_composed, upload};
pub use decode::{Best, Entry, MemoryLayout, Weights, attend_history, attend_memory, best_log_probabilities};
pub use dropout::{Dropout, dropout};
pub use embed::embed;
pub use embed_norm::{LearntTables, Lookups, embed_norm};
pub use error::TorchError;
pub use executor::ParallelFor;
pub use layer_norm::layer_norm;
pub use linear::{Activation, linear};
pub use loss::{LossSums, projected_cross_entropy};
pub use memory::{TensorAllocate, TensorMemory, f32_slice, f32_slice_mut, f32_values};
pub use normal::normal_like;
pub use packed_linear::PackedLinear;
pub use philox::Philox;
pub use precision::Precision;
pub use residual::{residual_add, residual_norm};
pub use runtime::{Runtime, runtime};
pub use table::Table;
pub use threads::{set_threads, threads};
