//! How BLEU splits lines into tokens.

mod international;
pub(crate) mod replace;
mod v13a;
pub(crate) mod western;

use serde::Deserialize;

pub use v13a::tokenize_13a;

use crate::white_space::{is_space, split_words};

/// sacreBLEU's tokenizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tokenizer {
    /// None: words between white space, for text that is tokenized.
    None,
    /// `mteval-v13a.pl`'s, which WMT uses.
    #[default]
    #[serde(rename = "13a")]
    V13a,
    /// `mteval-v14.pl`'s, by Unicode's punctuation and symbols.
    Intl,
    /// Every character, white space left out.
    Char,
}

impl Tokenizer {
    /// The tokens over which BLEU counts n-grams.
    pub fn tokens(self, sentence: &str) -> Vec<String> {
        match self {
            Tokenizer::None => split_words(sentence).map(str::to_owned).collect(),
            Tokenizer::V13a => tokenize_13a(sentence),
            Tokenizer::Intl => international::tokenize(sentence),
            Tokenizer::Char => sentence.chars().filter(|&one| !is_space(one)).map(String::from).collect(),
        }
    }

    pub(crate) fn signature(self) -> &'static str {
        match self {
            Tokenizer::None => "none",
            Tokenizer::V13a => "13a",
            Tokenizer::Intl => "intl",
            Tokenizer::Char => "char",
        }
    }
}
