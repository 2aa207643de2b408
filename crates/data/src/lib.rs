//! From files to batches: readers, tokenizers, memory-mapped datasets, samplers and batchers.
//!
//! Needs no libtorch. Buffers are plain vectors; whoever trains turns them into tensors.

#![deny(unsafe_code)]
#![warn(missing_docs)]

mod batch;
mod column;
mod dataset;
mod error;
mod loader;
mod order;
mod random;
mod spiral;
pub mod text;
mod tokenizer;
pub mod translation;

pub use batch::{Batch, LoaderState};
pub use column::{Column, ColumnInfo, ColumnKind, Element, Row};
pub use dataset::{ColumnSpec, Dataset, DatasetWriter};
pub use error::{DataError, Result};
pub use loader::{Loader, LoaderOptions};
pub use order::Plan;
pub use spiral::{SpiralOptions, spiral};
pub use tokenizer::{END, PAD, Tokenizer, UNKNOWN};
