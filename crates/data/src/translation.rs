//! From parallel text to what a translator is trained on: tokenizers, a dataset a part, and a report of every line that
//! was left out.

mod block;
mod cache;
mod encode;
mod fingerprint;
mod held_out;
mod ids_block;
mod join;
mod options;
mod prepare;
mod prepared;
mod recipe;
mod report;
mod steps;
mod summary;
mod sums;
mod survey;
mod tally;
mod text_block;
mod text_steps;
mod tokenizers;
mod validate;
mod watch;

pub use options::{HeldOut, Languages, PrepareOptions, Tokenization, Vocabulary, VocabularyType};
pub use prepare::{prepare, prepare_watched};
pub use prepared::{Prepared, PreparedPart};
pub use recipe::{Recipe, RecipeCorpora};
pub use report::{Example, FileReport, PartReport, Rejected, Report};
pub use text_steps::{SideSteps, TEXT_STEPS, TextSteps};
pub use tokenizers::TARGET;
pub use watch::Watch;

pub(crate) use prepared::write_json;

/// Makes `output/name` as [`prepare`] makes its folder: whole or not at all, once. True: it was there.
pub(crate) fn publish_folder(
    output: &std::path::Path,
    name: &str,
    build: impl FnOnce(&std::path::Path) -> crate::Result<()>,
) -> crate::Result<bool> {
    cache::publish(output, name, name, &(), build)
}
