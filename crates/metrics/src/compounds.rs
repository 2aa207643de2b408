//! Hyphenated compounds as `compound_split_bleu.sh` of fairseq splits them, after `get_ende_bleu.sh` of tensor2tensor.

use std::borrow::Cow;

/// `s{(\S)-(\S)}{$1 ##AT##-##AT## $2}g`: from left to right, matches never overlap. As in Perl without locale, `\S` is all but
/// ASCII's white space.
pub fn split_compounds(line: &str) -> Cow<'_, str> {
    if !line.contains('-') {
        return line.into();
    }
    let is_word = |character: char| !matches!(character, ' ' | '\t'..='\r');
    let mut result = String::with_capacity(line.len() * 2);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        match after.strip_prefix('-').and_then(|tail| tail.chars().next()) {
            Some(second) if is_word(first) && is_word(second) => {
                result.extend([first, ' ']);
                result.push_str("##AT##-##AT## ");
                result.push(second);
                rest = &after[1 + second.len_utf8()..];
            }
            _ => {
                result.push(first);
                rest = after;
            }
        }
    }
    result.into()
}
