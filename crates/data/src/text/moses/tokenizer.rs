//! Moses' tokenizer.

use super::apostrophes::Apostrophes;
use super::classes::{Class, is_space};
use super::entities::escape;
use super::known_language;
use super::prefixes::Prefixes;
use crate::Result;

/// Languages whose scripts are letters here and nowhere else.
const OTHER_LETTERS: [&str; 4] = ["zh", "ja", "ko", "cjk"];

/// Parts words from punctuation as Moses' `tokenizer.perl` and sacremoses' `MosesTokenizer` do.
#[derive(Debug, Clone)]
pub struct MosesTokenizer {
    prefixes: Prefixes,
    apostrophes: Apostrophes,
    aggressive_hyphens: bool,
    escape: bool,
}

impl MosesTokenizer {
    /// For a language by its code. With `aggressive_hyphens` (Moses' `-a`) a hyphen within a word becomes `@-@`.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: no language code, or a language whose rules or list of prefixes are not here.
    pub fn new(language: &str, aggressive_hyphens: bool) -> Result<Self> {
        known_language(language, &OTHER_LETTERS)?;
        Ok(Self::build(language, aggressive_hyphens, Prefixes::of(language)?))
    }

    /// The same with another list of non-breaking prefixes: one word a line, `#` begins a comment, `#NUMERIC_ONLY#` after
    /// a word keeps its period before a digit alone.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: no language code, or a language whose rules are not here.
    pub fn with_prefixes(language: &str, aggressive_hyphens: bool, prefixes: &str) -> Result<Self> {
        known_language(language, &OTHER_LETTERS)?;
        Ok(Self::build(language, aggressive_hyphens, Prefixes::read(prefixes)))
    }

    fn build(language: &str, aggressive_hyphens: bool, prefixes: Prefixes) -> Self {
        let apostrophes = Apostrophes::of(language);
        Self { prefixes, apostrophes, aggressive_hyphens, escape: true }
    }

    /// Whether `& | < > ' " [ ]` are written as entities. Default true, as in Moses.
    pub fn escape(mut self, escape: bool) -> Self {
        self.escape = escape;
        self
    }

    /// The tokens of a line with one space between.
    pub fn tokenize(&self, text: &str) -> String {
        let mut text = pad(&clean(text));
        // Each step walks over the line once, and only where it holds what the step is about.
        if self.aggressive_hyphens && text.contains('-') {
            text = part_hyphens(&text);
        }
        if text.contains("..") {
            text = part_dots(&text);
        }
        if text.contains(',') {
            text = part_commas(&text);
        }
        if text.contains('\'') {
            text = self.apostrophes.split(&text);
        }
        text = self.part_periods(&text);
        if let Some(rest) = text.strip_suffix(".'") {
            text = format!("{} . '", rest.trim_end()).trim_start().to_owned();
        }
        if text.contains("DOTMULTI") {
            text = marked_dots(&text);
        }
        if self.escape { escape(&text) } else { text }
    }

    /// Parts a period from its word unless an abbreviation or what follows says that it does not end a sentence.
    /// Leaves one space between tokens.
    fn part_periods(&self, text: &str) -> String {
        let mut output = String::with_capacity(text.len() + 8);
        let mut tokens = text.split(' ').filter(|token| !token.is_empty()).peekable();
        while let Some(token) = tokens.next() {
            if !output.is_empty() {
                output.push(' ');
            }
            match token.strip_suffix('.') {
                Some(word) if self.ends(word, tokens.peek().copied()) => {
                    output.push_str(word);
                    output.push_str(" .");
                }
                _ => output.push_str(token),
            }
        }
        output
    }

    /// Whether the period after `word` ends a sentence.
    fn ends(&self, word: &str, next: Option<&str>) -> bool {
        // Several dots are a token of their own by now.
        if word.is_empty() || word.ends_with('.') {
            return false;
        }
        let abbreviation = word.contains('.') && word.chars().any(|character| Class::ALPHA.has(character));
        let continues =
            || next.and_then(|next| next.chars().next()).is_some_and(|first| Class::LOWER.has(first));
        !(abbreviation || self.prefixes.keep(word, next) || continues())
    }
}

/// Runs of white space become a space, control characters nothing; the ends are trimmed.
fn clean(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut in_space = false;
    for character in text.chars() {
        let space = is_space(character);
        if !space && character >= ' ' {
            output.push(character);
        } else if space && !in_space && !output.is_empty() {
            output.push(' ');
        }
        in_space = space;
    }
    output.truncate(output.trim_end_matches(' ').len());
    output
}

/// Puts spaces around what belongs to no word. What may belong to one, the later steps look at.
fn pad(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + text.len() / 4);
    for character in text.chars() {
        if Class::ALNUM.has(character) || matches!(character, ' ' | '.' | '\'' | '`' | ',' | '-') {
            output.push(character);
        } else {
            output.extend([' ', character, ' ']);
        }
    }
    output
}

/// A hyphen between letters or digits becomes `@-@`.
fn part_hyphens(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + 16);
    let mut done = 0;
    for (at, _) in text.match_indices('-') {
        let before = text[..at].chars().next_back();
        let after = text[at + 1..].chars().next();
        if [before, after].into_iter().all(|side| side.is_some_and(|side| Class::ALNUM.has(side))) {
            output.push_str(&text[done..at]);
            output.push_str(" @-@ ");
            done = at + 1;
        }
    }
    output.push_str(&text[done..]);
    output
}

/// Two dots and more in a row become a token.
fn part_dots(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find("..") {
        let end = rest[at..].find(|character| character != '.').map_or(rest.len(), |length| at + length);
        output.push_str(&rest[..at]);
        output.push(' ');
        output.push_str(&rest[at..end]);
        if end < rest.len() {
            output.push(' ');
        }
        rest = &rest[end..];
    }
    output.push_str(rest);
    output
}

/// Parts commas from what surrounds them, except within a number. Three walks, since each sees what the former did.
fn part_commas(text: &str) -> String {
    let text = commas(text, |before, _| before.is_some_and(|before| !Class::NUMBER.has(before)), false);
    let mut text = commas(&text, |_, after| after.is_some_and(|after| !Class::NUMBER.has(after)), true);
    if text
        .strip_suffix(',')
        .and_then(|rest| rest.chars().next_back())
        .is_some_and(|last| Class::NUMBER.has(last))
    {
        text.insert(text.len() - 1, ' ');
    }
    text
}

/// Parts the commas for which `which` (character before, character behind) holds. A neighbour of one comma is not looked
/// at again for the next: the one behind where it was `used`, the comma itself otherwise.
fn commas(text: &str, which: impl Fn(Option<char>, Option<char>) -> bool, used: bool) -> String {
    let mut output = String::with_capacity(text.len() + 16);
    let (mut done, mut seek) = (0, 0);
    while let Some(found) = text[seek..].find(',') {
        let comma = seek + found;
        seek = comma + 1;
        let (before, after) = (text[done..comma].chars().next_back(), text[seek..].chars().next());
        if !which(before, after) {
            continue;
        }
        output.push_str(&text[done..comma]);
        output.push_str(" , ");
        done = seek;
        if let (true, Some(after)) = (used, after) {
            output.push(after);
            done += after.len_utf8();
            seek = done;
        }
    }
    output.push_str(&text[done..]);
    output
}

/// sacremoses marks dots with words while it works, so a text that holds such a word gets dots for it.
fn marked_dots(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find("DOTMULTI").map(|at| at + 3) {
        let before = rest[..end].trim_end_matches("DOT");
        output.push_str(before);
        output.extend(std::iter::repeat_n('.', (end - before.len()) / 3));
        rest = &rest[end + "MULTI".len()..];
    }
    output.push_str(rest);
    output
}
