//! From parallel text to what a translator is trained on: tokenizers, a dataset a part, and a report of every line that
//! was left out.

mod encode;
mod fingerprint;
mod ids_block;
mod join;
mod options;
mod prepare;
mod prepared;
mod recipe;
mod report;
mod steps;
mod summary;
mod survey;
mod text_block;
mod text_steps;
mod tokenizers;
mod validate;

use crate::preparation::Watch;
pub use crate::preparation::{Example, FileReport, HeldOut, PartReport, Rejected, ReportHead};
pub use options::{Languages, PrepareOptions, Tokenization, Vocabulary, VocabularyType};
pub use prepare::{prepare, prepare_watched};
pub use prepared::{Prepared, PreparedPart};
pub use recipe::{Recipe, RecipeCorpora};
pub use report::Report;
pub use text_steps::{SideSteps, TEXT_STEPS, TextSteps};
pub use tokenizers::TARGET;

/// Makes `output/name` as [`prepare`] makes its folder: whole or not at all, once. True: it was there.
pub(crate) fn publish_folder(
    output: &std::path::Path,
    name: &str,
    build: impl FnOnce(&std::path::Path) -> crate::Result<()>,
) -> crate::Result<bool> {
    crate::preparation::cache::publish(output, name, name, &(), build)
}
