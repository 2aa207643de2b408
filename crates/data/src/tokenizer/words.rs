//! Where a text is split before pairs are joined, exactly as the `tokenizers` crate's pre-tokenizers split it, at a
//! fraction of the time: GPT-2's pattern is written out by hand, with the character classes of the same Unicode tables.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// How a tokenizer splits a text into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// GPT-2's pattern, `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, after a space has
    /// been put before a text that has none.
    ByteLevel,
    /// The same pattern on a text as it is.
    Bytes,
    /// At spaces, which belong to no word.
    Spaces,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Number,
    Space,
    Other,
}

/// The kind of every character: 1.1 MB, of which a text touches a few pages.
static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let mut kinds = vec![Kind::Other; 0x11_0000];
    for (pattern, kind) in [(r"\p{L}", Kind::Letter), (r"\p{N}", Kind::Number), (r"\s", Kind::Space)] {
        let parsed = regex_syntax::parse(pattern);
        if let Ok(HirKind::Class(Class::Unicode(class))) = parsed.as_ref().map(|hir| hir.kind()) {
            for range in class.ranges() {
                kinds[range.start() as usize..=range.end() as usize].fill(kind);
            }
        }
    }
    kinds
});

impl Words {
    /// Hands each word of `text` to `take`, in order.
    pub(crate) fn each<'a>(self, text: &'a str, buffer: &'a mut String, take: impl FnMut(&'a str)) {
        match self {
            Self::Spaces => text.split(' ').filter(|word| !word.is_empty()).for_each(take),
            Self::Bytes => pattern(text, take),
            Self::ByteLevel if text.is_empty() || text.starts_with(' ') => pattern(text, take),
            Self::ByteLevel => {
                buffer.clear();
                buffer.push(' ');
                buffer.push_str(text);
                pattern(buffer, take);
            }
        }
    }
}

fn pattern<'a>(text: &'a str, mut take: impl FnMut(&'a str)) {
    let kinds = KINDS.as_slice();
    let mut at = 0;
    while at < text.len() {
        let end = next_end(text, at, kinds);
        take(&text[at..end]);
        at = end;
    }
}

/// Where the word that begins at `at` ends.
fn next_end(text: &str, at: usize, kinds: &[Kind]) -> usize {
    let rest = &text[at..];
    if let Some(length) = contraction(rest) {
        return at + length;
    }
    let kind = |c: char| kinds[c as usize];
    let mut chars = rest.char_indices();
    let first = chars.next().map_or(' ', |(_, c)| c);
    // ` ?` goes before a run of letters, numbers or other characters.
    let (start, run) = match (first, chars.next()) {
        (' ', Some((next, c))) if kind(c) != Kind::Space => (next, kind(c)),
        _ => (0, kind(first)),
    };
    let length = rest[start..].find(|c| kind(c) != run).map_or(rest.len(), |length| start + length);
    if run != Kind::Space || length == rest.len() {
        return at + length;
    }
    // `\s+(?!\S)`: the last white space before a word is left to it, unless it is the only one.
    let last = rest[..length].char_indices().next_back().map_or(0, |(place, _)| place);
    if last > 0 { at + last } else { at + length }
}

fn contraction(rest: &str) -> Option<usize> {
    let tail = rest.strip_prefix('\'')?;
    ["s", "t", "re", "ve", "m", "ll", "d"].iter().find(|end| tail.starts_with(*end)).map(|end| 1 + end.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let (mut found, mut buffer) = (Vec::new(), String::new());
        Words::ByteLevel.each(text, &mut buffer, |word| found.push(word.to_owned()));
        found
    }

    /// The crate's words: the mapping of bytes taken back by their alphabet's order.
    fn reference(text: &str) -> Vec<String> {
        let mut split = PreTokenizedString::from(text);
        let done = ByteLevel::new(true, false, true).pre_tokenize(&mut split);
        assert!(done.is_ok());
        let words = split.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
        words.into_iter().map(|(word, _, _)| word.to_owned()).collect()
    }

    fn mapped(words: &[String]) -> Vec<String> {
        words.iter().map(|word| super::super::bytes::mapped(word)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn any_text_is_split_as_the_crate_splits_it(text in "[ \\t\u{a0}\u{2028}'a-csdtremvlDé日1²Ⅷ.,\u{301}\u{200b}-]{0,24}|\\PC{0,40}") {
            prop_assert_eq!(mapped(&words(&text)), reference(&text), "{:?}", text);
        }
    }

    #[test]
    fn spaces_split_at_spaces_alone() {
        let mut found = Vec::new();
        Words::Spaces.each(" a  b\u{a0}c\td ", &mut String::new(), |word| found.push(word.to_owned()));
        assert_eq!(found, ["a", "b\u{a0}c\td"]);
    }
}
