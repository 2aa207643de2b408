//! From labelled text to what a classifier or a regression is trained on: a dataset a part, encoded with the tokenizer of a
//! pretrained encoder, and a report of every line that was left out.
//!
//! Columns of a dataset: `tokens`, ids of one text or two with their special tokens; `types`, the type of each token, where
//! the model has types; `label`, one class a sample, or `target`, one number a sample. Parts without labels have neither.

mod draws;
mod encode;
mod fingerprint;
pub mod glue;
mod ids_block;
mod join;
mod labels;
mod options;
mod plan;
mod prepare;
mod prepared;
mod report;
mod rows;
mod sample;
mod survey;
mod text_block;
mod validate;

use crate::preparation::Watch;
pub use crate::preparation::{Example, FileReport, HeldOut, PartReport, Rejected, ReportHead};
pub use options::{Column, Columns, Files, Header, Kind, PrepareOptions};
pub use prepare::{prepare, prepare_watched};
pub use prepared::{Prepared, PreparedPart, TargetRange};
pub use report::Report;

/// The column of ids: one text or two with their special tokens.
pub const TOKENS: &str = "tokens";
/// The column of the type of each token.
pub const TYPES: &str = "types";
/// The column of classes, one a sample.
pub const LABEL: &str = "label";
/// The column of numbers, one a sample.
pub const TARGET: &str = "target";
