//! What `prepare` is asked for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::preparation::HeldOut;
use crate::text::CorpusFiles;

/// What to prepare from which files. The training corpus is `tsv`, or `source` and `target`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PrepareOptions {
    /// Instead of files: a published corpus, prepared as the field does. [`PrepareOptions::from_json`] lays its options
    /// under those that are given.
    pub recipe: Option<String>,
    /// The folder with the recipe's published files.
    pub data: Option<PathBuf>,
    /// Source sentences for training, one a line; UTF-8, may be gzipped.
    pub source: Option<PathBuf>,
    /// Their translations, line by line.
    pub target: Option<PathBuf>,
    /// Both in one file, source TAB target.
    pub tsv: Option<PathBuf>,
    /// Sentences to choose by. Without them some are held out of the training corpus.
    pub valid: Option<CorpusFiles>,
    /// Sentences to report on.
    pub test: Option<CorpusFiles>,
    /// What the two sides are written in; for `normalize` and `tokenization`.
    pub languages: Option<Languages>,
    /// First, in every part: make punctuation alike, as Moses' `normalize-punctuation.perl`.
    pub normalize: bool,
    /// Then, in every part: put spaces between words and punctuation.
    pub tokenization: Tokenization,
    /// The files have gone through `tokenization` already; it is told to whoever translates and not done again.
    pub tokenized: bool,
    /// Moses' `-a`: hyphens within words become ` @-@ `.
    pub aggressive_hyphens: bool,
    /// Words of a side, at least; a line with fewer is left out of the training corpus and what is held out of it.
    pub min_words: Option<usize>,
    /// Words of a side, at most; likewise.
    pub max_words: Option<usize>,
    /// Words of one side over those of the other, at most, either way; likewise (Moses' `clean-corpus-n -ratio`).
    pub max_ratio: Option<f64>,
    /// Characters of a word, at most; likewise. `|` parts words here (Moses' `clean-corpus-n`, where it is 1,000).
    pub max_word_length: Option<usize>,
    /// Then, in every part: lower case, character by character as Moses' `lowercase.perl`.
    pub lowercase: bool,
    /// Lines to hold out of the training corpus, among those that are left.
    pub held_out: HeldOut,
    /// The tokenizer.
    pub vocabulary: Vocabulary,
    /// Tokens of a side, `</s>` counted; a longer line is rejected in every part. Default 256.
    pub max_length: usize,
    /// Samples of a training shard, at most. Default none: the training part is one file.
    pub shard_samples: Option<u64>,
    /// Threads; they change nothing but the time. Default all that the machine has.
    pub threads: Option<usize>,
    /// The folder in which the prepared folder is made; it is made too where it is missing.
    pub output: PathBuf,
}

/// How a side is split into words before cleaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tokenization {
    /// Not at all.
    #[default]
    None,
    /// As Moses' `tokenizer.perl`.
    Moses,
}

/// The two languages, as ISO 639-1 codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Languages {
    /// E.g. `de`.
    pub source: String,
    /// E.g. `en`.
    pub target: String,
}

/// Where the tokenizer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Vocabulary {
    /// How words become tokens. Default byte level.
    pub r#type: VocabularyType,
    /// Byte level: tokens to learn from the training part, at least 259. Default 8,000.
    pub size: Option<usize>,
    /// Subword: merges to learn from both sides of the training part. Default 10,000.
    pub merges: Option<usize>,
    /// Whether both sides share one vocabulary. Default true.
    pub joint: bool,
    /// A `tokenizer.json`, or its folder, to use as it is instead; without `joint` the folder has `target/` too.
    pub tokenizer: Option<PathBuf>,
}

/// How words become tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VocabularyType {
    /// BPE over bytes: any text comes back.
    #[default]
    ByteLevel,
    /// BPE over characters with a marked end of word, as `subword-nmt`: a character never seen is `<unk>`.
    Subword,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            recipe: None,
            data: None,
            source: None,
            target: None,
            tsv: None,
            valid: None,
            test: None,
            languages: None,
            normalize: false,
            tokenization: Tokenization::None,
            tokenized: false,
            aggressive_hyphens: false,
            min_words: None,
            max_words: None,
            max_ratio: None,
            max_word_length: None,
            lowercase: false,
            held_out: HeldOut::default(),
            vocabulary: Vocabulary::default(),
            max_length: 256,
            shard_samples: None,
            threads: None,
            output: PathBuf::new(),
        }
    }
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self { r#type: VocabularyType::ByteLevel, size: None, merges: None, joint: true, tokenizer: None }
    }
}

/// Tokens to learn where nobody says.
const DEFAULT_SIZE: usize = 8_000;
/// Merges to learn where nobody says.
const DEFAULT_MERGES: usize = 10_000;

impl Vocabulary {
    pub(crate) fn size(&self) -> usize {
        self.size.unwrap_or(DEFAULT_SIZE)
    }

    pub(crate) fn merges(&self) -> usize {
        self.merges.unwrap_or(DEFAULT_MERGES)
    }
}

impl PrepareOptions {
    /// The training files.
    pub fn train(&self) -> CorpusFiles {
        CorpusFiles { source: self.source.clone(), target: self.target.clone(), tsv: self.tsv.clone() }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(crate::parallel::default_threads)
    }
}
