//! Published corpora, prepared as the field does: which files, where they are published, what becomes of their lines, and
//! the options that go with them.

mod archive;
mod assemble;
mod convert;
mod format;
mod input;
mod iwslt14;
mod plan;
mod wmt16;

use std::path::Path;

use serde_json::Value;

use self::plan::Plan;
use super::Watch;
use crate::text::CorpusFiles;
use crate::{DataError, Result};

/// A published corpus and how the field prepares it.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    name: &'static str,
    about: &'static str,
    /// Chooses by what the folder holds.
    plan: fn(&Path) -> &'static Plan,
}

/// What a recipe made of the published files: plain text, one sentence a line, source and target side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeCorpora {
    /// The training part, from which the options may hold out validation.
    pub train: CorpusFiles,
    /// Validation, where it is a file of its own.
    pub valid: Option<CorpusFiles>,
    /// The test.
    pub test: Option<CorpusFiles>,
    /// Whether they had been made before.
    pub reused: bool,
}

const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "iwslt14-de-en",
        about: "IWSLT 2014 German to English, as fairseq's prepare-iwslt14.sh",
        plan: |_| &iwslt14::PLAN,
    },
    Recipe {
        name: "wmt16-en-de",
        about: "WMT 2016 English to German, newstest2013 and newstest2014, as google/seq2seq's wmt16_en_de.sh",
        plan: wmt16::plan,
    },
];

impl Recipe {
    /// All there are.
    pub fn all() -> &'static [Self] {
        &RECIPES
    }

    /// The one of this name.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: there is none.
    pub fn named(name: &str) -> Result<Self> {
        RECIPES.into_iter().find(|recipe| recipe.name == name).ok_or_else(|| {
            let names: Vec<_> = RECIPES.iter().map(Self::name).collect();
            let remedy = format!("give one of {}", names.join(", "));
            DataError::argument("recipe", format!("there is no recipe {name:?}"), remedy)
        })
    }

    /// E.g. `iwslt14-de-en`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// One line for people.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// The options that the field prepares the corpora in `data` with, by the names of
    /// [`PrepareOptions`](super::PrepareOptions).
    pub fn options(&self, data: &Path) -> Value {
        ((self.plan)(data).options)()
    }

    /// Writes the corpora as plain text below `output`, or finds that it has been done: the folder there is named by the
    /// bytes of what lies in `data`, the published archives or what they hold.
    ///
    /// # Errors
    /// `ERR_DATA`: a file is missing, cut off or damaged, or sides have unequal numbers of lines. `ERR_IO`, `ERR_ABORTED`.
    pub fn assemble(&self, data: &Path, output: &Path, watch: &dyn Watch) -> Result<RecipeCorpora> {
        assemble::assemble(self.name, (self.plan)(data), data, output, watch)
    }
}
