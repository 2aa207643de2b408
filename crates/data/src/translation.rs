//! From parallel text to what a translator is trained on: a tokenizer, a dataset a part, and a report of every line
//! that was left out.

mod cache;
mod encode;
mod fingerprint;
mod held_out;
mod options;
mod prepare;
mod prepared;
mod report;
mod summary;
mod survey;
mod tally;
mod watch;

pub use options::{HeldOut, PrepareOptions, Vocabulary};
pub use prepare::{prepare, prepare_watched};
pub use prepared::{Prepared, PreparedPart};
pub use report::{Example, FileReport, PartReport, Rejected, Report};
pub use watch::Watch;

pub(crate) use prepared::write_json;

/// Makes `output/name` as [`prepare`] makes its folder: whole or not at all, once. True: it was there.
pub(crate) fn publish_folder(
    output: &std::path::Path,
    name: &str,
    build: impl FnOnce(&std::path::Path) -> crate::Result<()>,
) -> crate::Result<bool> {
    cache::publish(output, name, &(), build)
}
