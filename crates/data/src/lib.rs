//! From files to batches: readers, tokenizers, memory-mapped datasets, samplers and batchers.
//!
//! Needs no libtorch. Buffers are plain vectors; whoever trains turns them into tensors.
//!
//! ```
//! use std::sync::Arc;
//! use sagetrain_data::{Column, Dataset, Loader, LoaderOptions};
//!
//! let rows = Column::ragged([vec![5, 6, 0], vec![7, 0], vec![8, 9, 9, 0]]);
//! let dataset = Arc::new(Dataset::from_columns(vec![("source".into(), rows)])?);
//! let options = LoaderOptions { max_tokens: Some(8), seed: 1, epochs: Some(1), ..Default::default() };
//! for batch in Loader::new(dataset, options)? {
//!     let batch = batch?;
//!     println!("{} samples, {} tokens; resume at {:?}", batch.samples, batch.tokens, batch.next);
//! }
//! # Ok::<(), sagetrain_data::DataError>(())
//! ```

#![deny(unsafe_code)]
#![warn(missing_docs)]

mod batch;
mod bpe_dropout;
pub mod classification;
mod column;
mod dataset;
mod error;
pub mod fairseq;
mod loader;
mod order;
mod parallel;
pub mod preparation;
mod random;
mod spiral;
pub mod text;
mod tokenizer;
pub mod translation;

pub use batch::{Batch, LoaderState};
pub use bpe_dropout::{BpeDropoutColumn, BpeDropoutOptions};
pub use column::{Column, ColumnInfo, ColumnKind, Element, Row};
pub use dataset::{ColumnSpec, Dataset, DatasetWriter};
pub use error::{DataError, Result};
pub use loader::{Loader, LoaderOptions};
pub use order::Plan;
pub use spiral::{SpiralOptions, spiral};
pub use tokenizer::{END, Encoded, PAD, TOKENIZER_FILES, Tokenizer, UNKNOWN};
