//! Tercom's tokenizer (`Normalizer.java`), as sacreBLEU's `tokenizer_ter.py` states it.

use super::Ter;
use crate::tokenizer::replace::replace_each;
use crate::tokenizer::western::{detach_stops_and_dashes, detach_symbols};
use crate::white_space::{is_space, split_words};

/// The words between which edits are counted.
pub(super) fn words(sentence: &str, options: &Ter) -> Vec<String> {
    let sentence = sentence.trim_end_matches(is_space);
    let sentence = if options.case_sensitive { sentence.to_owned() } else { sentence.to_lowercase() };
    let mut line: Vec<char> = sentence.chars().collect();
    if options.normalized {
        line = normalize(&sentence, options.asian_support);
    }
    if options.no_punct {
        line.retain(|&one| !is_punctuation(one));
        line.retain(|&one| !(options.asian_support && is_asian_punctuation(one)));
    }
    let line: String = line.into_iter().collect();
    split_words(&line).map(str::to_owned).collect()
}

fn normalize(sentence: &str, asian: bool) -> Vec<char> {
    let line = sentence.replace("\n-", "").replace('\n', " ");
    let line = line.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    let line = detach_symbols(&format!(" {line} ").chars().collect::<Vec<_>>());
    let line = detach_possessives(line);
    let line = detach_stops_and_dashes(&line);
    if !asian {
        return line;
    }
    // The reference's rules for kana only apply at the very beginning of a line, where there is always a space.
    replace_each(&line, |one| (is_ideograph(one) || is_asian_punctuation(one)).then_some([' ', one, ' ']))
}

/// `'s␣` → `␣'s␣`.
fn detach_possessives(line: Vec<char>) -> Vec<char> {
    line.into_iter().collect::<String>().replace("'s ", " 's ").chars().collect()
}

fn is_punctuation(character: char) -> bool {
    matches!(character, '.' | ',' | '?' | ':' | ';' | '!' | '"' | '(' | ')')
}

/// Asian and full-width punctuation.
fn is_asian_punctuation(character: char) -> bool {
    matches!(character, '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}')
        || matches!(character, '\u{ff61}'..='\u{ff65}' | '\u{30fb}')
        || matches!(character, '\u{ff0e}' | '\u{ff0c}' | '\u{ff1f}' | '\u{ff1a}' | '\u{ff1b}')
        || matches!(character, '\u{ff01}' | '\u{ff02}' | '\u{ff08}' | '\u{ff09}')
}

/// Ideographs, strokes, radicals, compatibility forms and enclosed letters. That the last block ends at U+3F22 and not at
/// U+32FF is as in the reference.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{31c0}'..='\u{31ef}')
        || matches!(character, '\u{2e80}'..='\u{2eff}' | '\u{3300}'..='\u{33ff}')
        || matches!(character, '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{3200}'..='\u{3f22}')
}
