//! Tokenizers of pretrained encoders, opened from their folders as transformers' `AutoTokenizer` opens them: ids, types
//! and truncation are the same.

mod config;
mod family;
mod frame;
mod pairs;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tokenizers::{Tokenizer as Inner, TruncationDirection};

use self::config::Config;
use self::family::Family;
use self::frame::Frame;
pub use self::pairs::Encoded;
pub(crate) use self::pairs::PairEncoder;
use super::Tokenizer;
use crate::{DataError, Result};

/// The files that a tokenizer is made of: those that are there belong to every copy of a model's folder.
pub const TOKENIZER_FILES: [&str; 7] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
];

/// What is known of a pretrained encoder's tokenizer besides its ids.
#[derive(Debug, Clone)]
pub(super) struct Pretrained {
    family: Family,
    pub(super) end: i32,
    pub(super) pad: i32,
    types: bool,
    longest: Option<usize>,
    most: Option<usize>,
    trained: Option<usize>,
    /// The end of a text that is left out where it is too long.
    side: TruncationDirection,
    /// Around one text and around two.
    frames: [Frame; 2],
}

/// Opens the tokenizer of a folder, whose `tokenizer.json`, if it has one, is `inner` already. None: it is no encoder's.
pub(super) fn open(folder: &Path, inner: Option<Inner>) -> Result<Option<(Inner, Pretrained)>> {
    let config = Config::read(folder)?;
    let family = Family::of(folder, &config, inner.is_some())?;
    let Some(mut inner) = family.build(folder, &config, inner)? else { return Ok(None) };
    let id = |key, usual: [&str; 2]| {
        let named = family.named(&config, key).map(|token| token.content);
        let known = |token: &str| i32::try_from(inner.token_to_id(token)?).ok();
        named.map_or_else(|| usual.into_iter().find_map(known), |named| known(&named))
    };
    let begin = id("cls_token", ["[CLS]", "<s>"]);
    let (end, pad) = (id("sep_token", ["[SEP]", "</s>"]), id("pad_token", ["[PAD]", "<pad>"]));
    let (Some(_), Some(end), Some(pad)) = (begin, end, pad) else { return Ok(None) };
    let side = config.truncation_side(folder, inner.get_truncation().map(|asked| asked.direction))?;
    // What is asked of a text is always said with the text; padding is the batch's.
    inner.with_padding(None);
    inner.with_truncation(None).map_err(super::unusable)?;
    inner.set_encode_special_tokens(config.flag("split_special_tokens").unwrap_or(false));
    let (Some(single), Some(pair)) = (Frame::of(&inner, 1)?, Frame::of(&inner, 2)?) else { return Ok(None) };
    if single.len() == 0 {
        return Ok(None);
    }
    let types = pair.has_types() && config.takes_types();
    let (longest, most, trained) = (config.longest(pad), config.most(pad), config.trained(pad));
    let frames = [single, pair];
    Ok(Some((inner, Pretrained { family, end, pad, types, longest, most, trained, side, frames })))
}

impl Tokenizer {
    /// Whether it is a pretrained encoder's, which takes one text or two.
    pub fn is_encoder(&self) -> bool {
        self.pretrained.is_some()
    }

    /// Whether its model tells the first text from the second by types, as BERT does and RoBERTa does not.
    pub fn has_types(&self) -> bool {
        self.pretrained.as_ref().is_some_and(|pretrained| pretrained.types)
    }

    /// Tokens that texts are cut to where nobody says how many, by `config.json` and `tokenizer_config.json`; None where
    /// neither says.
    pub fn longest(&self) -> Option<usize> {
        self.pretrained.as_ref().and_then(|pretrained| pretrained.longest)
    }

    /// The most tokens that its model takes at once: [`Tokenizer::longest`], or more where the model was fine-tuned here on
    /// texts that were cut shorter.
    pub fn most(&self) -> Option<usize> {
        self.pretrained.as_ref().and_then(|pretrained| pretrained.most)
    }

    /// Tokens that the texts were cut to on which its model was fine-tuned here; None where that was not done.
    pub(crate) fn trained(&self) -> Option<usize> {
        self.pretrained.as_ref().and_then(|pretrained| pretrained.trained)
    }

    /// Tokens that are put around one text or two.
    pub fn special_tokens(&self, pair: bool) -> usize {
        self.pretrained.as_ref().map_or(0, |pretrained| pretrained.frames[usize::from(pair)].len())
    }

    /// Writes the tokenizer's files into `to`: those that `from`, its folder, has, byte by byte; a `tokenizer.json` and a
    /// `tokenizer_config.json` where it has none. One that leaves the tokenizer's class to the model's `config.json` is
    /// given it, and all of `settings`. Returns their names.
    ///
    /// # Errors
    /// `ERR_IO`. `ERR_ARGUMENT`: it is not a pretrained encoder's.
    pub fn copy_files(
        &self,
        from: &Path,
        to: &Path,
        settings: &Map<String, Value>,
    ) -> Result<Vec<&'static str>> {
        let Some(pretrained) = &self.pretrained else {
            let reason = "it is not a pretrained encoder's";
            return Err(DataError::argument("tokenizer", reason, "save the tokenizer instead"));
        };
        let mut names = Vec::new();
        for name in TOKENIZER_FILES {
            let bytes = match std::fs::read(from.join(name)) {
                Ok(bytes) if name == "tokenizer_config.json" => pretrained.configured(bytes, settings),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => match name {
                    "tokenizer.json" => self.to_json()?.into_bytes(),
                    "tokenizer_config.json" => {
                        let config = pretrained.config().to_string().into_bytes();
                        pretrained.configured(config, settings)
                    }
                    _ => continue,
                },
                Err(error) => return Err(DataError::io("read", &from.join(name))(error)),
            };
            super::folder::write(&to.join(name), &bytes)?;
            names.push(name);
        }
        Ok(names)
    }
}

impl Pretrained {
    /// A `tokenizer_config.json` that names the tokenizer's class and has the settings; one that does is left as it is.
    fn configured(&self, bytes: Vec<u8>, settings: &Map<String, Value>) -> Vec<u8> {
        let Ok(Value::Object(mut config)) = serde_json::from_slice(&bytes) else { return bytes };
        let before = config.clone();
        config.entry("tokenizer_class").or_insert_with(|| self.family.config()["tokenizer_class"].clone());
        config.extend(settings.clone());
        if config == before { bytes } else { format!("{:#}\n", Value::Object(config)).into_bytes() }
    }

    /// What a `tokenizer_config.json` has to say at least.
    fn config(&self) -> Value {
        let mut config = self.family.config();
        if let Some(longest) = self.longest {
            config["model_max_length"] = longest.into();
        }
        if self.side == TruncationDirection::Left {
            config["truncation_side"] = self.side.as_ref().into();
        }
        config
    }
}

/// The files of a tokenizer that lie in its folder; `path` is that or a `tokenizer.json` in it.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let folder = folder(path);
    TOKENIZER_FILES.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
}

/// The folder of a tokenizer, which may be named by its `tokenizer.json`.
pub(crate) fn folder(path: &Path) -> &Path {
    if path.is_dir() { path } else { crate::dataset::replace::folder_of(path) }
}
