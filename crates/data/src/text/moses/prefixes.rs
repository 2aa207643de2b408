//! Words before a period that does not end a sentence.

use std::collections::HashSet;

use crate::{DataError, Result};

const NUMERIC_ONLY: &str = "#NUMERIC_ONLY#";
/// Languages with a list in sacremoses that is not here; what has no list there takes the English one.
const LISTED_ELSEWHERE: [&str; 37] = [
    "as", "bn", "ca", "cs", "el", "es", "et", "fi", "fr", "ga", "gu", "hi", "hu", "is", "it", "kn", "lt",
    "lv", "ml", "mni", "mr", "nl", "or", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "ta", "tdt", "te",
    "yue", "zh", "cjk",
];

#[derive(Debug, Clone, Default)]
pub(super) struct Prefixes {
    always: HashSet<String>,
    before_digits: HashSet<String>,
}

impl Prefixes {
    pub(super) fn of(language: &str) -> Result<Self> {
        if LISTED_ELSEWHERE.contains(&language) {
            let reason =
                format!("there is no list of non-breaking prefixes for {language:?}, only for de and en");
            return Err(DataError::argument(
                "language",
                reason,
                "give a list to MosesTokenizer::with_prefixes",
            ));
        }
        Ok(Self::read(match language {
            "de" => include_str!("prefixes/de.txt"),
            _ => include_str!("prefixes/en.txt"),
        }))
    }

    /// One word a line; empty lines and lines that begin with # say nothing.
    pub(super) fn read(list: &str) -> Self {
        let mut prefixes = Self::default();
        for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.find(NUMERIC_ONLY) {
                Some(end) => prefixes.before_digits.insert(line[..end].trim_end().to_owned()),
                None => prefixes.always.insert(line.to_owned()),
            };
        }
        prefixes.always.retain(|word| !prefixes.before_digits.contains(word));
        prefixes
    }

    /// Whether the period after `word` belongs to it, whatever follows or because a digit follows.
    pub(super) fn keep(&self, word: &str, next: Option<&str>) -> bool {
        let digit = || next.is_some_and(|next| next.starts_with(|first: char| first.is_ascii_digit()));
        self.always.contains(word) || (self.before_digits.contains(word) && digit())
    }
}
