//! Parallel text: a pair of UTF-8 files or one TSV, each optionally gzipped, read line by line; and Moses' text steps.

mod file;
mod lines;
pub mod moses;
mod pairs;
mod reason;

pub use file::FileFacts;
pub use lines::LONGEST_LINE;
pub use pairs::{CorpusFiles, Pair, Pairs, Rejection};
pub use reason::Reason;

pub(crate) use file::{TextFile, corpus, open};
pub(crate) use lines::{Flaw, Lines, excerpt};
pub(crate) use pairs::sound;
