//! `text.json`: what sentences go through before they become tokens, kept beside the tokenizer so that whoever translates
//! does the same to a source and undoes it in a translation.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Languages, PrepareOptions, Tokenization};
use crate::preparation::write_json;
use crate::text::moses::{MosesDetokenizer, MosesNormalizer, MosesTokenizer};
use crate::{DataError, Result};

/// The file's name in a prepared folder and in a model's.
pub const TEXT_STEPS: &str = "text.json";
const SCHEMA: u32 = 1;
/// More is no such file.
const MOST_BYTES: u64 = 1 << 16;

/// The steps in the order in which they are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextSteps {
    schema: u32,
    languages: Option<Languages>,
    normalize: bool,
    tokenization: Tokenization,
    aggressive_hyphens: bool,
    lowercase: bool,
}

impl Default for TextSteps {
    /// None at all.
    fn default() -> Self {
        Self::of(&PrepareOptions::default())
    }
}

impl TextSteps {
    /// Those of a preparation.
    pub fn of(options: &PrepareOptions) -> Self {
        Self {
            schema: SCHEMA,
            languages: options.languages.clone(),
            normalize: options.normalize,
            tokenization: options.tokenization,
            aggressive_hyphens: options.aggressive_hyphens,
            lowercase: options.lowercase,
        }
    }

    /// Those that the files of a preparation have not gone through.
    pub(crate) fn not_yet_taken(options: &PrepareOptions) -> Self {
        let taken = options.tokenized;
        let tokenization = if taken { Tokenization::None } else { options.tokenization };
        Self { tokenization, ..Self::of(options) }
    }

    /// Reads `text.json` of a folder; a folder without one has no steps.
    ///
    /// # Errors
    /// `ERR_DATA`: the file is not understood. `ERR_IO`.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(TEXT_STEPS);
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(DataError::io("read", &path)(error)),
            Ok(facts) if facts.len() > MOST_BYTES => return Err(unknown(&path, "it is too large")),
            Ok(_) => {}
        }
        let bytes = std::fs::read(&path).map_err(DataError::io("read", &path))?;
        let steps: Self =
            serde_json::from_slice(&bytes).map_err(|error| unknown(&path, &error.to_string()))?;
        match steps.schema {
            SCHEMA => Ok(steps),
            other => Err(unknown(&path, &format!("it has schema {other}, {SCHEMA} is known"))),
        }
    }

    /// Writes it into a folder, durable and whole.
    ///
    /// # Errors
    /// `ERR_IO`.
    pub fn save(&self, folder: &Path) -> Result<()> {
        write_json(&folder.join(TEXT_STEPS), self)
    }

    /// What is done to source sentences.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: a language without rules.
    pub fn source(&self) -> Result<SideSteps> {
        SideSteps::new(self, self.languages.as_ref().map(|languages| languages.source.as_str()))
    }

    /// What is done to target sentences.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: a language without rules.
    pub fn target(&self) -> Result<SideSteps> {
        SideSteps::new(self, self.languages.as_ref().map(|languages| languages.target.as_str()))
    }
}

fn unknown(path: &Path, reason: &str) -> DataError {
    crate::text::corpus(path, None, &format!("it is not understood: {reason}"), "prepare the data again")
}

/// The steps of one side.
#[derive(Debug, Clone)]
pub struct SideSteps {
    normalizer: Option<MosesNormalizer>,
    moses: Option<(MosesTokenizer, MosesDetokenizer)>,
    lowercase: bool,
}

impl SideSteps {
    fn new(steps: &TextSteps, language: Option<&str>) -> Result<Self> {
        let language = language.unwrap_or_default();
        let moses = steps.tokenization == Tokenization::Moses;
        let moses = moses.then(|| {
            let tokenizer = MosesTokenizer::new(language, steps.aggressive_hyphens)?;
            Ok::<_, DataError>((tokenizer, MosesDetokenizer::new(language)?))
        });
        let normalizer = steps.normalize.then(|| MosesNormalizer::new(language));
        Ok(Self {
            normalizer: normalizer.transpose()?,
            moses: moses.transpose()?,
            lowercase: steps.lowercase,
        })
    }

    /// Whether words are rewritten before lower case.
    pub(crate) fn rewrites(&self) -> bool {
        self.normalizer.is_some() || self.moses.is_some()
    }

    /// The sentence with its words split, before lower case.
    pub(crate) fn rewritten(&self, mut text: String) -> String {
        if let Some(normalizer) = &self.normalizer {
            text = normalizer.normalize(&text);
        }
        if let Some((tokenizer, _)) = &self.moses {
            text = tokenizer.tokenize(&text);
        }
        text
    }

    /// The sentence as the tokenizer is given it.
    pub fn process(&self, text: &str) -> String {
        let text = self.rewritten(text.to_owned());
        if self.lowercase { lower(&text) } else { text }
    }

    /// The sentence as people read it: words put together again. Lower case stays.
    pub fn restore(&self, text: &str) -> String {
        match &self.moses {
            Some((_, detokenizer)) => detokenizer.detokenize(&text.split_whitespace().collect::<Vec<_>>()),
            None => text.to_owned(),
        }
    }
}

/// Character by character: unlike `str::to_lowercase`, a final Σ is σ, as Perl's `lc` has it.
pub(crate) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
