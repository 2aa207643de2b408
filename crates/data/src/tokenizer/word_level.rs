//! A vocabulary of whole words, or of subwords that text already is split into, as a `tokenizer.json` that every library of
//! Hugging Face's opens.

use serde_json::{Map, Value, json};
use tokenizers::Tokenizer as Inner;

use super::{END, PAD, Tokenizer, UNKNOWN, unusable};
use crate::{DataError, Result};

/// How subwords become words again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joiner {
    /// They are words.
    None,
    /// `@@` at the end of a subword: the next one belongs to it.
    SubwordNmt,
    /// `▁` at the beginning of a subword: it begins a word.
    SentencePiece,
}

impl Tokenizer {
    /// A tokenizer that splits text at white space and gives every word its place in `words`: [`END`] first, [`UNKNOWN`] second,
    /// [`PAD`] last. Decoding joins subwords.
    ///
    /// # Errors
    /// `ERR_DATA`: the special tokens are elsewhere.
    pub(crate) fn of_words(words: &[String], joiner: Joiner) -> Result<Self> {
        let vocabulary: Map<String, Value> =
            words.iter().enumerate().map(|(id, word)| (word.clone(), json!(id))).collect();
        let special = [(0, END), (1, UNKNOWN), (words.len() - 1, PAD)].map(|(id, content)| {
            json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true })
        });
        let file = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": special,
            "normalizer": null,
            "pre_tokenizer": { "type": "WhitespaceSplit" },
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "SpecialToken": { "id": END, "type_id": 0 } }],
                "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
                "special_tokens": { END: { "id": END, "ids": [0], "tokens": [END] } },
            },
            "decoder": decoder(joiner),
            "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": UNKNOWN },
        });
        let inner = Inner::from_bytes(file.to_string()).map_err(unusable)?;
        Self::new(inner).map_err(DataError::Internal)
    }
}

/// Puts a space between tokens, then takes those away that are within words.
fn decoder(joiner: Joiner) -> Value {
    // No token begins with this prefix, so every token but the first gets a space before it.
    let spaced = json!({ "type": "WordPiece", "prefix": "\u{0}", "cleanup": false });
    let replace =
        |pattern: Value, content: &str| json!({ "type": "Replace", "pattern": pattern, "content": content });
    let steps = match joiner {
        Joiner::None => vec![spaced],
        Joiner::SubwordNmt => {
            vec![spaced, json!({ "type": "Fuse" }), replace(json!({ "Regex": "@@( |$)" }), "")]
        }
        Joiner::SentencePiece => vec![
            json!({ "type": "Fuse" }),
            replace(json!({ "String": "\u{2581}" }), " "),
            json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }),
        ],
    };
    json!({ "type": "Sequence", "decoders": steps })
}
