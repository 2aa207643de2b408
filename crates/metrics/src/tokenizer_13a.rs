//! The tokenizer of WMT's `mteval-v13a.pl`, as sacreBLEU's `tokenizer_13a.py` and `tokenizer_re.py` state it.

/// Splits `sentence` into the tokens over which BLEU counts n-grams. Case is kept.
pub fn tokenize_13a(sentence: &str) -> Vec<String> {
    let line: Vec<char> = format!(" {} ", unescape(sentence.trim_end_matches(is_space))).chars().collect();
    let line = detach_symbols(&line);
    let line = detach_stop_after_non_digit(&line);
    let line = detach_stop_before_non_digit(&line);
    let line: String = detach_dash_after_digit(&line).into_iter().collect();
    split_words(&line).map(str::to_owned).collect()
}

/// What Python's `str.split` and `str.rstrip` take for white space: Unicode's, and the four ASCII separators.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Words between runs of white space.
pub(crate) fn split_words(line: &str) -> impl Iterator<Item = &str> {
    line.split(is_space).filter(|word| !word.is_empty())
}

fn unescape(sentence: &str) -> String {
    let line = sentence.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if !line.contains('&') {
        return line;
    }
    line.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
}

/// `([\{-\~\[-\` -\&\(-\+\:-\@\/])` → `␣\1␣`: every ASCII symbol but `'`, `,`, `-` and `.`.
fn detach_symbols(line: &[char]) -> Vec<char> {
    let mut result = Vec::with_capacity(line.len() * 2);
    for &character in line {
        match character {
            '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/' => {
                result.extend([' ', character, ' '])
            }
            other => result.push(other),
        }
    }
    result
}

/// `([^0-9])([\.,])` → `\1␣\2␣`.
fn detach_stop_after_non_digit(line: &[char]) -> Vec<char> {
    replace_pairs(line, |first, second| {
        (!first.is_ascii_digit() && is_stop(second)).then_some([first, ' ', second, ' '])
    })
}

/// `([\.,])([^0-9])` → `␣\1␣\2`.
fn detach_stop_before_non_digit(line: &[char]) -> Vec<char> {
    replace_pairs(line, |first, second| {
        (is_stop(first) && !second.is_ascii_digit()).then_some([' ', first, ' ', second])
    })
}

/// `([0-9])(-)` → `\1␣\2␣`.
fn detach_dash_after_digit(line: &[char]) -> Vec<char> {
    replace_pairs(line, |first, second| {
        (first.is_ascii_digit() && second == '-').then_some([first, ' ', second, ' '])
    })
}

fn is_stop(character: char) -> bool {
    matches!(character, '.' | ',')
}

/// A regular expression's global replacement of two characters: from left to right, matches never overlap.
fn replace_pairs(line: &[char], replace: impl Fn(char, char) -> Option<[char; 4]>) -> Vec<char> {
    let mut result = Vec::with_capacity(line.len() * 2);
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        match tail.first().and_then(|&second| replace(*first, second)) {
            Some(replacement) => {
                result.extend(replacement);
                rest = &tail[1..];
            }
            None => {
                result.push(*first);
                rest = tail;
            }
        }
    }
    result
}
