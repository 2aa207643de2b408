//! Words as byte-level BPE cuts them before it merges: GPT-2's expression
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, matched by hand.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Number,
    Space,
    Other,
}

fn class(character: char) -> Class {
    if character.is_ascii() {
        return match character {
            'a'..='z' | 'A'..='Z' => Class::Letter,
            '0'..='9' => Class::Number,
            ' ' | '\t'..='\r' => Class::Space,
            _ => Class::Other,
        };
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter => Class::Letter,
        GeneralCategoryGroup::Number => Class::Number,
        _ if character.is_whitespace() => Class::Space,
        _ => Class::Other,
    }
}

/// The words of `text`; together they are the text.
pub(super) fn split_words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (word, after) = rest.split_at(first_word(rest));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// Bytes of the first word.
fn first_word(text: &str) -> usize {
    if let Some(contraction) = CONTRACTIONS.iter().find(|contraction| text.starts_with(*contraction)) {
        return contraction.len();
    }
    let space = usize::from(text.starts_with(' '));
    match text[space..].chars().next().map(class) {
        None => space,
        Some(Class::Space) => spaces(text),
        Some(kind) => space + run(&text[space..], kind),
    }
}

fn run(text: &str, kind: Class) -> usize {
    text.char_indices().find(|&(_, one)| class(one) != kind).map_or(text.len(), |(end, _)| end)
}

/// All white space at the end of a text, else all but the last character of it, which belongs to the word that follows; a single
/// one stands alone.
fn spaces(text: &str) -> usize {
    let end = run(text, Class::Space);
    let last = text[..end].chars().next_back().map_or(0, char::len_utf8);
    if end == text.len() || end == last { end } else { end - last }
}
