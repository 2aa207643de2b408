//! The tokenizer of `mteval-v14.pl --international-tokenization`, as sacreBLEU's `tokenizer_intl.py` states it.

use unicode_properties::{GeneralCategoryGroup as Group, UnicodeGeneralCategory};

use super::replace::{replace_each, replace_pairs};
use crate::white_space::{is_space, split_words};

/// `(\P{N})(\p{P})` → `\1␣\2␣`, then `(\p{P})(\P{N})` → `␣\1␣\2`, then `(\p{S})` → `␣\1␣`.
pub(crate) fn tokenize(sentence: &str) -> Vec<String> {
    let line: Vec<char> = sentence.trim_end_matches(is_space).chars().collect();
    let is = |character: char, group: Group| character.general_category_group() == group;
    let line = replace_pairs(&line, |first, second| {
        (!is(first, Group::Number) && is(second, Group::Punctuation)).then_some([first, ' ', second, ' '])
    });
    let line = replace_pairs(&line, |first, second| {
        (is(first, Group::Punctuation) && !is(second, Group::Number)).then_some([' ', first, ' ', second])
    });
    let line = replace_each(&line, |one| is(one, Group::Symbol).then_some([' ', one, ' ']));
    let line: String = line.into_iter().collect();
    split_words(&line).map(str::to_owned).collect()
}
