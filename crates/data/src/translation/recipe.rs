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

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Map, Value, json};

use self::plan::Plan;
use super::{PrepareOptions, Watch};
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
    pub fn assemble(
        &self,
        data: &Path,
        output: &Path,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<RecipeCorpora> {
        assemble::assemble(self.name, (self.plan)(data), data, output, threads, watch)
    }
}

/// The options with the recipe's corpora for files, or as they are where they have no recipe.
pub(super) fn with_recipe<'a>(
    options: &'a PrepareOptions,
    watch: &dyn Watch,
) -> Result<Cow<'a, PrepareOptions>> {
    let refused = |option, reason: &str, remedy: &str| Err(DataError::argument(option, reason, remedy));
    let (recipe, data) = match (&options.recipe, &options.data) {
        (None, None) => return Ok(Cow::Borrowed(options)),
        (None, Some(_)) => return refused("data", "it has no effect without a recipe", "name a recipe"),
        (Some(_), None) => {
            return refused("data", "it is missing", "name the folder with the recipe's published files");
        }
        (Some(recipe), Some(data)) => (Recipe::named(recipe)?, data),
    };
    let files = [("source", &options.source), ("target", &options.target), ("tsv", &options.tsv)];
    if let Some((option, _)) = files.into_iter().find(|(_, file)| file.is_some()) {
        return refused(option, "it has no effect with a recipe", "leave one of them out");
    }
    for (option, files) in [("valid", &options.valid), ("test", &options.test)] {
        if files.is_some() {
            return refused(option, "it has no effect with a recipe", "leave one of them out");
        }
    }
    let corpora = recipe.assemble(data, &options.output, options.threads(), watch)?;
    let CorpusFiles { source, target, tsv } = corpora.train;
    let (valid, test) = (corpora.valid, corpora.test);
    Ok(Cow::Owned(PrepareOptions { source, target, tsv, valid, test, ..options.clone() }))
}

impl PrepareOptions {
    /// Reads options; those of a recipe lie under what is given. Of `vocabulary` each key does, unless another type or a
    /// tokenizer is given; other objects are taken whole.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: a key or a value that is not understood, an unknown recipe.
    pub fn from_json(given: Value) -> Result<Self> {
        let recipe = given.get("recipe").and_then(Value::as_str).map(Recipe::named).transpose()?;
        let data = given.get("data").and_then(Value::as_str).unwrap_or_default();
        let mut laid = recipe.map(|recipe| recipe.options(Path::new(data))).unwrap_or_else(|| json!({}));
        match (&mut laid, given) {
            (Value::Object(base), Value::Object(given)) => lay(base, given),
            (laid, given) => *laid = given,
        }
        serde_json::from_value(laid)
            .map_err(|error| DataError::argument("prepare", error.to_string(), "correct it"))
    }
}

fn lay(base: &mut Map<String, Value>, given: Map<String, Value>) {
    for (key, value) in given {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(given))
                if key == "vocabulary" && !given.contains_key("type") && !given.contains_key("tokenizer") =>
            {
                base.extend(given);
            }
            (_, value) => _ = base.insert(key, value),
        }
    }
}
