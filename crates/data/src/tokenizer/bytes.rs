//! GPT-2's letters for bytes, as the `tokenizers` crate writes byte-level tokens.

use std::sync::LazyLock;

static LETTERS: LazyLock<[char; 256]> = LazyLock::new(|| {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut letters = ['\0'; 256];
    let mut others = (0x100..).filter_map(char::from_u32);
    for byte in 0..=255u8 {
        let letter = if printable(byte) { Some(char::from(byte)) } else { others.next() };
        letters[usize::from(byte)] = letter.unwrap_or_default();
    }
    letters
});

/// The letter of each byte.
pub(crate) fn letters() -> &'static [char; 256] {
    &LETTERS
}

/// A word as its tokens write it.
pub(crate) fn mapped(word: &str) -> String {
    word.bytes().map(|byte| LETTERS[usize::from(byte)]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokenizers::pre_tokenizers::byte_level::ByteLevel;

    #[test]
    fn letters_are_the_crates_own() {
        let ours: HashSet<char> = super::letters().iter().copied().collect();
        assert_eq!(ours, ByteLevel::alphabet().into_iter().collect());
        assert_eq!(super::mapped(" é"), "ĠÃ©");
    }
}
