//! Parallel text: a pair of UTF-8 files or one TSV, each optionally gzipped, read line by line; and Moses' text steps.

mod lines;
pub mod moses;
mod pairs;
mod reason;

pub use lines::{FileFacts, LONGEST_LINE};
pub use pairs::{CorpusFiles, Pair, Pairs, Rejection};
pub use reason::Reason;

pub(crate) use lines::{corpus, open};
pub(crate) use pairs::sound;
