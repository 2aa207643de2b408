//! The files that transformers reads beside `tokenizer.json`.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::{END, PAD, Tokenizer, UNKNOWN};
use crate::dataset::replace;
use crate::{DataError, Result};

impl Tokenizer {
    /// Writes `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json` into `folder`, so that
    /// `AutoTokenizer.from_pretrained(folder)` gives the same ids. `max_length` is the longest sentence in tokens.
    ///
    /// # Errors
    /// `ERR_IO`.
    pub fn save(&self, folder: &Path, max_length: usize) -> Result<()> {
        let token = |content: &str| {
            json!({ "content": content, "lstrip": false, "normalized": false, "rstrip": false,
                    "single_word": false, "special": true })
        };
        let config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "added_tokens_decoder": {
                "0": token(END), "1": token(UNKNOWN), (self.pad().to_string()): token(PAD),
            },
            "eos_token": END, "unk_token": UNKNOWN, "pad_token": PAD,
            "clean_up_tokenization_spaces": false,
            "model_max_length": max_length,
        });
        let map = json!({ "eos_token": END, "unk_token": UNKNOWN, "pad_token": PAD });
        write(&folder.join("tokenizer.json"), self.to_json()?.as_bytes())?;
        write(&folder.join("tokenizer_config.json"), format!("{config:#}\n").as_bytes())?;
        write(&folder.join("special_tokens_map.json"), format!("{map:#}\n").as_bytes())
    }
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.is_dir() {
        return Err(DataError::Dataset {
            path: path.to_owned(),
            problem: "it is a folder".into(),
            remedy: "move it away".into(),
        });
    }
    replace::file(path, |file| file.write_all(bytes))
}
