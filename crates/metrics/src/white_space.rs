//! White space as Python's strings and regular expressions know it.

/// What `str.split`, `str.rstrip` and `\s` take for white space: Unicode's, and the four ASCII separators.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Words between runs of white space.
pub(crate) fn split_words(line: &str) -> impl Iterator<Item = &str> {
    line.split(is_space).filter(|word| !word.is_empty())
}
