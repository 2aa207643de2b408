//! What the tokenizers of `mteval-v13a.pl` and of Tercom do alike with Western text.

use super::replace::{replace_each, replace_pairs};

/// `([\{-\~\[-\` -\&\(-\+\:-\@\/])` → `␣\1␣`: every ASCII symbol but `'`, `,`, `-` and `.`.
pub(crate) fn detach_symbols(line: &[char]) -> Vec<char> {
    replace_each(line, |character| match character {
        '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/' => Some([' ', character, ' ']),
        _ => None,
    })
}

/// `([^0-9])([\.,])` → `\1␣\2␣`, then `([\.,])([^0-9])` → `␣\1␣\2`, then `([0-9])(-)` → `\1␣\2␣`.
pub(crate) fn detach_stops_and_dashes(line: &[char]) -> Vec<char> {
    let line = replace_pairs(line, |first, second| {
        (!first.is_ascii_digit() && is_stop(second)).then_some([first, ' ', second, ' '])
    });
    let line = replace_pairs(&line, |first, second| {
        (is_stop(first) && !second.is_ascii_digit()).then_some([' ', first, ' ', second])
    });
    replace_pairs(&line, |first, second| {
        (first.is_ascii_digit() && second == '-').then_some([first, ' ', second, ' '])
    })
}

fn is_stop(character: char) -> bool {
    matches!(character, '.' | ',')
}
