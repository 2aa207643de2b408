//! One text or two as ids, cut to a length as transformers does it.

use tokenizers::{Tokenizer as Inner, TruncationDirection};

use super::Pretrained;
use super::family::Family;
use crate::tokenizer::cache::WordCache;
use crate::tokenizer::encoder::encode_word;
use crate::tokenizer::words::Words;
use crate::tokenizer::{Tokenizer, signed, unusable};
use crate::{DataError, Result};

/// One text or two as a model takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Tokens, the special ones among them.
    pub ids: Vec<i32>,
    /// The type of each token: 0 of the first text, 1 of the second. Empty where the model has no types.
    pub types: Vec<i32>,
    /// Whether tokens were left out to keep to the length.
    pub truncated: bool,
}

impl Tokenizer {
    /// One text or two as `AutoTokenizer(first, second, truncation=True, max_length=max_length)` gives them. A special
    /// token that is spelt out in a text is that token, as there, unless the folder says `split_special_tokens`.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: a `max_length` without room for the special tokens, or it is no encoder's tokenizer. `ERR_DATA` where
    /// the tokenizer cannot.
    pub fn encode_pair(&self, first: &str, second: Option<&str>, max_length: usize) -> Result<Encoded> {
        let mut ids = [Vec::new(), Vec::new()];
        plain(&self.inner, first, &mut ids[0])?;
        second.map_or(Ok(()), |second| plain(&self.inner, second, &mut ids[1]))?;
        self.framed(&ids, second.is_some(), max_length)
    }

    fn framed(&self, [first, second]: &[Vec<i32>; 2], pair: bool, max_length: usize) -> Result<Encoded> {
        let Some(Pretrained { frames, types, side, .. }) = &self.pretrained else {
            let reason = "it is not a pretrained encoder's";
            return Err(DataError::argument("tokenizer", reason, "encode single sentences with it"));
        };
        let frame = &frames[usize::from(pair)];
        let special = frame.len();
        let Some(room) = max_length.checked_sub(special) else {
            let reason = format!("{special} special tokens do not fit into {max_length}");
            return Err(DataError::argument("maxLength", reason, "give more"));
        };
        let kept = longest_first(first.len(), second.len(), room);
        let texts = [cut(first, kept.0, *side), cut(second, kept.1, *side)];
        let (ids, kinds) = frame.fill(&texts[..1 + usize::from(pair)]);
        let types = if *types { kinds } else { Vec::new() };
        Ok(Encoded { ids, types, truncated: kept != (first.len(), second.len()) })
    }
}

/// What is left of two lengths in `room`: the longer gives first, then both are halves, the odd token the longer's, the
/// second's where they are as long.
fn longest_first(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let short = first.min(second).min(room / 2);
    if first <= second { (short, room - short) } else { (room - short, short) }
}

/// So many tokens of a text, `side` being what is left out.
fn cut(text: &[i32], length: usize, side: TruncationDirection) -> &[i32] {
    match side {
        TruncationDirection::Left => &text[text.len() - length..],
        TruncationDirection::Right => &text[..length],
    }
}

fn plain(inner: &Inner, text: &str, into: &mut Vec<i32>) -> Result<()> {
    into.extend(signed(inner.encode_fast(text, false).map_err(unusable)?.get_ids()));
    Ok(())
}

/// Encodes as [`Tokenizer::encode_pair`] does, for one thread: words come back again and again.
#[derive(Debug)]
pub(crate) struct PairEncoder<'a> {
    tokenizer: &'a Tokenizer,
    /// How texts are split into what can be encoded alone; None where they cannot.
    split: Option<Words>,
    /// Added tokens that are looked for before texts are split, and their first characters.
    added: (Vec<String>, Vec<char>),
    cache: WordCache,
    ids: [Vec<i32>; 2],
}

impl<'a> PairEncoder<'a> {
    /// `encoders` there are at the same time; the more of them, the fewer words each remembers.
    pub(crate) fn new(tokenizer: &'a Tokenizer, encoders: usize) -> Self {
        let added = tokenizer.inner.get_added_tokens_decoder();
        let split = match tokenizer.pretrained.as_ref().map(|pretrained| pretrained.family) {
            // These are looked for in what is left of a text once it has been made alike.
            _ if added.values().any(|token| token.normalized) => None,
            // Words of BERT end at spaces, and what is done to characters does not go beyond them.
            Some(Family::Bert { .. }) => Some(Words::Spaces),
            Some(Family::Roberta { prefix_space: true }) => Some(Words::ByteLevel),
            Some(Family::Roberta { prefix_space: false }) => Some(Words::Bytes),
            _ => None,
        };
        // Special ones may be texts like others.
        let split_special = tokenizer.inner.get_encode_special_tokens();
        let sought = added.into_values().filter(|token| !(split_special && token.special));
        let added: Vec<String> = sought.map(|token| token.content).collect();
        let starts = added.iter().filter_map(|content| content.chars().next()).collect();
        let cache = WordCache::new(encoders);
        Self { tokenizer, split, added: (added, starts), cache, ids: Default::default() }
    }

    pub(crate) fn encode(&mut self, first: &str, second: Option<&str>, max_length: usize) -> Result<Encoded> {
        let mut ids = std::mem::take(&mut self.ids);
        ids.iter_mut().for_each(Vec::clear);
        self.words(first, &mut ids[0])?;
        second.map_or(Ok(()), |second| self.words(second, &mut ids[1]))?;
        let encoded = self.tokenizer.framed(&ids, second.is_some(), max_length);
        self.ids = ids;
        encoded
    }

    fn words(&mut self, text: &str, into: &mut Vec<i32>) -> Result<()> {
        let (added, starts) = &self.added;
        let spelt = || text.contains(&starts[..]) && added.iter().any(|token| text.contains(token.as_str()));
        let inner = &self.tokenizer.inner;
        let Some(split) = self.split.filter(|_| !spelt()) else { return plain(inner, text, into) };
        let (mut outcome, mut buffer) = (Ok(()), String::new());
        split.each(text, &mut buffer, |word| {
            let made = self.cache.append(word, into, |into| match split {
                Words::Spaces => plain(inner, word, into),
                _ => encode_word(self.tokenizer, split, word, into),
            });
            if let Err(error) = made {
                outcome = Err(error);
            }
        });
        outcome
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longer_gives_first_and_the_odd_token_is_the_longer_ones() {
        assert_eq!(longest_first(3, 4, 7), (3, 4));
        assert_eq!(longest_first(3, 9, 7), (3, 4));
        assert_eq!(longest_first(9, 2, 7), (5, 2));
        assert_eq!(longest_first(9, 9, 7), (3, 4));
        assert_eq!(longest_first(9, 8, 7), (4, 3));
        assert_eq!(longest_first(9, 0, 4), (4, 0));
        assert_eq!(longest_first(9, 9, 0), (0, 0));
    }

    /// Folders with a vocabulary of single characters, and one of bytes.
    fn tokenizers() -> Vec<Tokenizer> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        let mut opened = Vec::new();
        let letters = ('a'..='z').chain("éß日.,'1".chars());
        let pieces = letters.flat_map(|letter| [format!("{letter}"), format!("##{letter}")]);
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "##at"].map(str::to_owned);
        let lines: Vec<_> = special.into_iter().chain(pieces).collect();
        write("vocab.txt", lines.join("\n"));
        let tails = r#"{"split_special_tokens":true,"truncation_side":"left"}"#;
        for flags in ["{}", r#"{"do_lower_case":false}"#, r#"{"tokenize_chinese_chars":false}"#, tails] {
            write("tokenizer_config.json", flags.to_owned());
            opened.push(Tokenizer::open(folder.path()).unwrap());
        }
        std::fs::remove_file(folder.path().join("vocab.txt")).unwrap();
        let bytes = crate::tokenizer::bytes::letters().iter().map(char::to_string);
        let special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"].map(str::to_owned);
        let words = special.into_iter().chain(bytes).chain(["th", "Ġth"].map(str::to_owned));
        let words: serde_json::Map<_, _> = words.zip(0..).map(|(word, id)| (word, id.into())).collect();
        write("vocab.json", serde_json::Value::Object(words).to_string());
        write("merges.txt", "#version: 0.2\nt h\nĠ th\n".into());
        for flags in ["{}", r#"{"add_prefix_space":true}"#, tails] {
            write("tokenizer_config.json", flags.to_owned());
            opened.push(Tokenizer::open(folder.path()).unwrap());
        }
        opened
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

        #[test]
        fn words_that_are_remembered_are_the_same(
            texts in proptest::collection::vec(
                "[ \\t\u{a0}\u{2028}'a-ct-vDÉéß日1²Σ.,\u{301}\u{200b}\u{0}-]{0,24}|(the |at|\\[SEP\\]|<s>| <mask> ){0,4}|\\PC{0,40}", 1..8)
        ) {
            for tokenizer in tokenizers() {
                let mut encoder = PairEncoder::new(&tokenizer, 1);
                for (text, other) in texts.iter().zip(texts.iter().rev()) {
                    for (second, length) in [(None, 512), (Some(other.as_str()), 12)] {
                        let expected = tokenizer.encode_pair(text, second, length).unwrap();
                        prop_assert_eq!(encoder.encode(text, second, length).unwrap(), expected, "{:?}", text);
                    }
                }
            }
        }
    }
}
