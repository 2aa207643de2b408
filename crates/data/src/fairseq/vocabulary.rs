//! One vocabulary out of fairseq's two dictionaries.

use std::collections::HashMap;

use super::dictionary::{Dictionary, END_ID};
use crate::tokenizer::Joiner;
use crate::{END, PAD, Result, Tokenizer, UNKNOWN};

/// The id of [`UNKNOWN`].
const UNKNOWN_ID: i32 = 1;

/// Words with their ids here: `</s>` 0, `<unk>` 1, the source's in its dictionary's order, then the target's that the source
/// lacks, `<pad>` last.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: Vec<String>,
    ids: HashMap<String, i32>,
}

impl Vocabulary {
    pub fn of(dictionaries: [&Dictionary; 2]) -> Self {
        let mut words = vec![END.to_owned(), UNKNOWN.to_owned()];
        let mut ids = HashMap::new();
        for symbol in dictionaries.into_iter().flat_map(|dictionary| &dictionary.symbols) {
            if ![END, UNKNOWN, PAD].contains(&symbol.as_str()) && !ids.contains_key(symbol) {
                ids.insert(symbol.clone(), words.len() as i32);
                words.push(symbol.clone());
            }
        }
        words.push(PAD.to_owned());
        Self { words, ids }
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Our id for each id of `dictionary`. Its beginning of a sentence and its padding, which only text that spells them has,
    /// become unknown words.
    pub fn remap(&self, dictionary: &Dictionary) -> Vec<i32> {
        let ours = |id: usize| match dictionary.symbol(id) {
            Some(symbol) => self.ids.get(symbol).copied().unwrap_or(UNKNOWN_ID),
            None if id == END_ID => 0,
            None => UNKNOWN_ID,
        };
        (0..dictionary.len()).map(ours).collect()
    }

    /// The tokenizer of text that is split into these words.
    pub fn tokenizer(&self) -> Result<Tokenizer> {
        let joiner = if self.words.iter().any(|word| word.starts_with('\u{2581}')) {
            Joiner::SentencePiece
        } else if self.words.iter().any(|word| word.ends_with("@@")) {
            Joiner::SubwordNmt
        } else {
            Joiner::None
        };
        Tokenizer::of_words(&self.words, joiner)
    }
}
