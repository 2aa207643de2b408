//! Refusing what cannot be meant, by the option's name.

use super::{PrepareOptions, Tokenization, VocabularyType};
use crate::{DataError, Result};

fn bad<T>(option: &'static str, reason: &str, remedy: &str) -> Result<T> {
    Err(DataError::argument(option, reason, remedy))
}

fn without_effect<T>(option: &'static str, with: &str) -> Result<T> {
    bad(option, &format!("it has no effect {with}"), "leave one of them out")
}

impl PrepareOptions {
    pub(crate) fn validate(&self) -> Result<()> {
        self.train().paths()?;
        for files in [&self.valid, &self.test].into_iter().flatten() {
            files.paths()?;
        }
        if self.output.as_os_str().is_empty() {
            return bad("output", "it is missing", "name a folder to prepare in");
        }
        if self.max_length < 2 {
            return bad(
                "maxLength",
                "a sentence has at least one token and the closing </s>",
                "give at least 2",
            );
        }
        self.validate_numbers()?;
        self.validate_words()?;
        self.validate_vocabulary()?;
        self.held_out.validate(self.valid.is_some(), self.test.is_some())
    }

    fn validate_numbers(&self) -> Result<()> {
        let numbers = [
            ("minWords", self.min_words.map(|words| words as u64)),
            ("maxWords", self.max_words.map(|words| words as u64)),
            ("maxWordLength", self.max_word_length.map(|characters| characters as u64)),
            ("shardSamples", self.shard_samples),
            ("threads", self.threads.map(|threads| threads as u64)),
        ];
        match numbers.iter().find(|(_, number)| *number == Some(0)) {
            Some((option, _)) => bad(option, "it is 0", "give at least 1"),
            None => Ok(()),
        }
    }

    fn validate_words(&self) -> Result<()> {
        if let (Some(least), Some(most)) = (self.min_words, self.max_words)
            && least > most
        {
            let reason = format!("{least} is more than maxWords, {most}");
            return Err(DataError::argument("minWords", reason, "no line has both"));
        }
        if self.max_ratio.is_some_and(|ratio| ratio.is_nan() || ratio < 1.0) {
            return bad(
                "maxRatio",
                "it is below 1",
                "sides of the same length have ratio 1; Moses' usual is 1.5",
            );
        }
        let moses = self.tokenization == Tokenization::Moses;
        match &self.languages {
            None if self.normalize || moses => {
                bad("languages", "it is missing", "give { source, target }, such as de and en")
            }
            Some(_) if !self.normalize && !moses => {
                without_effect("languages", "without normalize or tokenization")
            }
            _ if self.aggressive_hyphens && !moses => {
                without_effect("aggressiveHyphens", "without tokenization `moses`")
            }
            _ if self.tokenized && !moses => without_effect("tokenized", "without tokenization `moses`"),
            _ if self.tokenized && self.normalize => bad(
                "normalize",
                "it comes before tokenization, which the files have gone through",
                "leave it out",
            ),
            _ => Ok(()),
        }
    }

    fn validate_vocabulary(&self) -> Result<()> {
        let given = &self.vocabulary;
        let subword = given.r#type == VocabularyType::Subword;
        match given {
            _ if given.tokenizer.is_some() && given.size.is_some() => {
                without_effect("vocabulary.size", "with vocabulary.tokenizer")
            }
            _ if given.tokenizer.is_some() && given.merges.is_some() => {
                without_effect("vocabulary.merges", "with vocabulary.tokenizer")
            }
            _ if given.tokenizer.is_some() && subword => {
                without_effect("vocabulary.type", "with vocabulary.tokenizer, which says so itself")
            }
            _ if subword && given.size.is_some() => {
                without_effect("vocabulary.size", "with type `subword`, whose size follows from merges")
            }
            _ if !subword && given.merges.is_some() => {
                without_effect("vocabulary.merges", "with type `byteLevel`, whose merges follow from size")
            }
            _ => Ok(()),
        }
    }
}
