//! What is done to a pair of sentences before it is encoded: punctuation made alike, words split, lines of an odd shape
//! left out, lower case.

use super::PrepareOptions;
use super::text_steps::{SideSteps, TextSteps, lower};
use crate::Result;
use crate::text::{Reason, Rejection, sound};

/// The steps of one preparation, the same on every thread.
pub(crate) struct Steps {
    /// Of the source and of the target.
    sides: [SideSteps; 2],
    cleaning: Cleaning,
    lowercase: bool,
}

/// Limits on words; Moses' `clean-corpus-n.perl`.
struct Cleaning {
    least: usize,
    most: usize,
    ratio: f64,
    characters: usize,
}

impl Steps {
    pub(crate) fn new(options: &PrepareOptions) -> Result<Self> {
        let cleaning = Cleaning {
            least: options.min_words.unwrap_or(0),
            most: options.max_words.unwrap_or(usize::MAX),
            ratio: options.max_ratio.unwrap_or(f64::INFINITY),
            characters: options.max_word_length.unwrap_or(usize::MAX),
        };
        let steps = TextSteps::not_yet_taken(options);
        Ok(Self { sides: [steps.source()?, steps.target()?], cleaning, lowercase: options.lowercase })
    }

    /// The pair as it is encoded. `last` is the target's file; `clean` says whether odd shapes are left out.
    pub(crate) fn apply(
        &self,
        (source, target): (String, String),
        last: usize,
        clean: bool,
    ) -> Result<(String, String), Rejection> {
        let [for_source, for_target] = &self.sides;
        let mut pair = (for_source.rewritten(source), for_target.rewritten(target));
        if for_source.rewrites() || for_target.rewrites() {
            pair = sound(pair, last)?;
        }
        if clean && let Some((file, reason)) = self.cleaning.refuse(&pair, last) {
            let text = if file == 0 && reason != Reason::EmptyTarget { &pair.0 } else { &pair.1 };
            return Err(Rejection { file, reason, excerpt: text.chars().take(120).collect() });
        }
        if self.lowercase {
            pair = (lower(&pair.0), lower(&pair.1));
        }
        Ok(pair)
    }
}

impl Cleaning {
    /// The file and the reason that a pair is left out for.
    fn refuse(&self, pair: &(String, String), last: usize) -> Option<(usize, Reason)> {
        self.refuse_numbers(pair, last).or_else(|| self.refuse_long(pair, last))
    }

    /// Does what Moses' script does with `/[^\s\|]{1001}/`.
    fn refuse_long(&self, (source, target): &(String, String), last: usize) -> Option<(usize, Reason)> {
        let most = self.characters;
        let long = |word: &str| word.len() > most && word.chars().count() > most;
        let parts = |character: char| character.is_whitespace() || character == '|';
        let too_long = |side: &&String| side.len() > most && side.split(parts).any(long);
        let side = [source, target].iter().position(too_long)?;
        Some((if side == 0 { 0 } else { last }, Reason::WordTooLong))
    }

    fn refuse_numbers(&self, (source, target): &(String, String), last: usize) -> Option<(usize, Reason)> {
        if self.least == 0 && self.most == usize::MAX && self.ratio.is_infinite() {
            return None;
        }
        let words = [source, target].map(|side| side.split_whitespace().count());
        let file = |side: usize| if side == 0 { 0 } else { last };
        if let Some(side) = words.iter().position(|words| *words < self.least) {
            return Some((file(side), Reason::TooFewWords));
        }
        if let Some(side) = words.iter().position(|words| *words > self.most) {
            return Some((file(side), Reason::TooManyWords));
        }
        let [source, target] = words.map(|words| words as f64);
        let longer = usize::from(target > source);
        (source / target > self.ratio || target / source > self.ratio)
            .then_some((file(longer), Reason::LengthRatio))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(options: PrepareOptions, source: &str, target: &str) -> Result<(String, String), Reason> {
        let steps = Steps::new(&options).map_err(|_| Reason::NoTab)?;
        steps.apply((source.into(), target.into()), 1, true).map_err(|rejection| rejection.reason)
    }

    #[test]
    fn limits_are_inclusive_and_the_ratio_holds_both_ways() {
        let ratio = || PrepareOptions { max_ratio: Some(1.5), ..Default::default() };
        assert!(kept(ratio(), "a b c", "a b").is_ok() && kept(ratio(), "a b", "a b c").is_ok());
        assert_eq!(kept(ratio(), "a b c d", "a b"), Err(Reason::LengthRatio));
        assert_eq!(kept(ratio(), "a b", "a b c d"), Err(Reason::LengthRatio));
        let words = || PrepareOptions { min_words: Some(2), max_words: Some(3), ..Default::default() };
        assert!(kept(words(), "a b", "a b c").is_ok());
        assert_eq!(kept(words(), "a b", "a"), Err(Reason::TooFewWords));
        assert_eq!(kept(words(), "a b c d", "a b"), Err(Reason::TooManyWords));
    }

    #[test]
    fn long_words_are_left_out_as_moses_finds_them() {
        let long = || PrepareOptions { max_word_length: Some(3), ..Default::default() };
        assert!(kept(long(), "äöü abc", "abc|def abc").is_ok());
        assert_eq!(kept(long(), "a äöüß", "a"), Err(Reason::WordTooLong));
        assert_eq!(kept(long(), "a", "abc|defg"), Err(Reason::WordTooLong));
    }

    #[test]
    fn lower_case_goes_character_by_character() {
        let options = PrepareOptions { lowercase: true, ..Default::default() };
        let pair = kept(options, "ÄÖÜ ẞ İ", "ΟΔΟΣ");
        assert_eq!(pair, Ok(("äöü ß i\u{307}".into(), "οδοσ".into())));
    }
}
