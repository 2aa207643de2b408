//! Global replacements, as a regular expression makes them: from left to right, matches never overlap.

/// Replaces single characters.
pub(crate) fn replace_each(line: &[char], replace: impl Fn(char) -> Option<[char; 3]>) -> Vec<char> {
    let mut result = Vec::with_capacity(line.len() * 2);
    for &character in line {
        match replace(character) {
            Some(replacement) => result.extend(replacement),
            None => result.push(character),
        }
    }
    result
}

/// Replaces two characters.
pub(crate) fn replace_pairs(line: &[char], replace: impl Fn(char, char) -> Option<[char; 4]>) -> Vec<char> {
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
