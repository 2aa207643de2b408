//! What the JSON files of a pretrained model's folder say of its tokenizer.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};
use tokenizers::{AddedToken, TruncationDirection};

use crate::{DataError, Result};

/// The files, each empty where it is not there.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// `tokenizer_config.json`
    tokenizer: Map<String, Value>,
    /// `special_tokens_map.json`
    special: Map<String, Value>,
    /// `config.json`
    model: Map<String, Value>,
    /// Added tokens by id.
    added: BTreeMap<u64, AddedToken>,
}

/// The keys that name a token, in the order in which transformers adds them.
pub(super) const NAMED: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
/// The keys of lists of further ones.
const LISTS: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];

impl Config {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let tokenizer = object(folder, "tokenizer_config.json")?;
        let decoder = tokenizer.get("added_tokens_decoder").and_then(Value::as_object);
        // Where the first is there, it says all that the others do.
        let (special, added) = match decoder {
            Some(_) => (Map::new(), Map::new()),
            None => (object(folder, "special_tokens_map.json")?, object(folder, "added_tokens.json")?),
        };
        let numbered = decoder.into_iter().flatten();
        let numbered = numbered.filter_map(|(id, token)| Some((id.parse().ok()?, token_of(token)?)));
        let mut config =
            Self { added: numbered.collect(), special, model: object(folder, "config.json")?, tokenizer };
        for (content, id) in added {
            let special = config.names(&content);
            config.added.extend(id.as_u64().map(|id| (id, AddedToken::from(content, special))));
        }
        Ok(config)
    }

    /// `tokenizer_class` without `Fast`, or empty.
    pub(super) fn class(&self) -> &str {
        let class = self.tokenizer.get("tokenizer_class").and_then(Value::as_str).unwrap_or_default();
        class.strip_suffix("Fast").unwrap_or(class)
    }

    /// The class that `tokenizer_config.json` names, or the model's configuration where that names none, with the file.
    pub(super) fn named_class(&self) -> Option<(&str, &'static str)> {
        let files = [(&self.tokenizer, "tokenizer_config.json"), (&self.model, "config.json")];
        files.into_iter().find_map(|(said, file)| {
            let class = said.get("tokenizer_class")?.as_str()?;
            (!class.is_empty()).then_some((class, file))
        })
    }

    /// `model_type` of the model, or empty.
    pub(super) fn model(&self) -> &str {
        self.model.get("model_type").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.tokenizer.get(key).and_then(Value::as_bool)
    }

    /// The token of a key such as `cls_token`.
    pub(super) fn named(&self, key: &str) -> Option<AddedToken> {
        let token = token_of(self.special.get(key).or_else(|| self.tokenizer.get(key))?)?;
        let known = self.added.values().find(|known| known.content == token.content);
        Some(known.cloned().unwrap_or(token))
    }

    /// Tokens that are added to the vocabulary by their ids.
    pub(super) fn added(&self) -> impl Iterator<Item = AddedToken> {
        self.added.values().cloned()
    }

    /// Further special tokens.
    pub(super) fn listed(&self) -> impl Iterator<Item = AddedToken> {
        let lists =
            LISTS.iter().filter_map(|key| self.special.get(*key).or_else(|| self.tokenizer.get(*key)));
        lists.filter_map(Value::as_array).flatten().filter_map(token_of)
    }

    /// The end of a text that is left out where it is too long; `json` says it in `tokenizer.json`, which counts where
    /// `tokenizer_config.json` is silent.
    pub(super) fn truncation_side(
        &self,
        folder: &Path,
        json: Option<TruncationDirection>,
    ) -> Result<TruncationDirection> {
        let Some(said) = self.tokenizer.get("truncation_side") else { return Ok(json.unwrap_or_default()) };
        let sides = [TruncationDirection::Left, TruncationDirection::Right];
        let side = sides.into_iter().find(|side| said == side.as_ref());
        side.ok_or_else(|| DataError::Tokenizer {
            path: Some(folder.join("tokenizer_config.json")),
            reason: format!("its `truncation_side` is `{said}`"),
            remedy: "write `left` or `right`, or leave it out".into(),
        })
    }

    /// False where the model is said not to take types.
    pub(super) fn takes_types(&self) -> bool {
        let inputs = self.tokenizer.get("model_input_names").and_then(Value::as_array);
        inputs.is_none_or(|names| names.iter().any(|name| name == "token_type_ids"))
    }

    /// Tokens that texts are cut to where nobody says how many.
    pub(super) fn longest(&self, pad: i32) -> Option<usize> {
        let said = number(&self.tokenizer, "model_max_length");
        [self.positions(pad), said].into_iter().flatten().min()
    }

    /// Tokens that the model takes, at most. What a model that was fine-tuned here says beside its positions is where its
    /// training texts were cut.
    pub(super) fn most(&self, pad: i32) -> Option<usize> {
        if self.tokenizer.contains_key("sagetrain") { self.positions(pad) } else { self.longest(pad) }
    }

    /// Where the training texts of a model that was fine-tuned here were cut.
    pub(super) fn trained(&self, pad: i32) -> Option<usize> {
        let said = ["sagetrain", "model_max_length"].iter().all(|key| self.tokenizer.contains_key(*key));
        said.then(|| self.longest(pad)).flatten()
    }

    /// RoBERTa's begin behind the padding's.
    fn positions(&self, pad: i32) -> Option<usize> {
        let before = if self.model() == "roberta" { pad as usize + 1 } else { 0 };
        number(&self.model, "max_position_embeddings").map(|positions| positions.saturating_sub(before))
    }

    fn names(&self, content: &str) -> bool {
        let named = NAMED.iter().filter_map(|key| self.named(key));
        self.listed().chain(named).any(|token| token.content == content)
    }
}

fn number(map: &Map<String, Value>, key: &str) -> Option<usize> {
    map.get(key)?.as_u64()?.try_into().ok()
}

/// A token written as text or as an object.
fn token_of(value: &Value) -> Option<AddedToken> {
    let flag = |key| value.get(key).and_then(Value::as_bool);
    if let Some(content) = value.as_str() {
        return Some(AddedToken::from(content, true));
    }
    let special = flag("special").unwrap_or(true);
    let token = AddedToken::from(value.get("content")?.as_str()?, special);
    Some(
        token
            .single_word(flag("single_word").unwrap_or(false))
            .lstrip(flag("lstrip").unwrap_or(false))
            .rstrip(flag("rstrip").unwrap_or(false))
            .normalized(flag("normalized").unwrap_or(!special)),
    )
}

fn object(folder: &Path, name: &str) -> Result<Map<String, Value>> {
    let path = folder.join(name);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(DataError::io("read", &path)(error)),
    };
    serde_json::from_slice(&bytes).map_err(|error| DataError::Tokenizer {
        path: Some(path),
        reason: format!("it is not a JSON object: {error}"),
        remedy: "fetch the model's folder again".into(),
    })
}
