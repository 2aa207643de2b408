//! Parallel text: a pair of UTF-8 files or one TSV, each optionally gzipped, read line by line.

mod lines;
mod pairs;
mod reason;

pub use lines::{FileFacts, LONGEST_LINE};
pub use pairs::{CorpusFiles, Pair, Pairs, Rejection};
pub use reason::Reason;

pub(crate) use lines::open;
pub(crate) use pairs::sound;
