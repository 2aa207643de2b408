//! How a family of encoders turns text into words and words into tokens, and what it puts around them; transformers'
//! `BertTokenizer` and `RobertaTokenizer`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokenizers::models::bpe::BPE;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer as Inner, decoders};

use super::config::{Config, NAMED};
use crate::{DataError, Result};

/// Classes of transformers' that split as `BertTokenizer` does, and as `RobertaTokenizer` does; `golden/pretrained.py` has
/// compared them.
const LIKE_BERT: [&str; 8] = [
    "BertTokenizer",
    "ConvBertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "LayoutLMTokenizer",
    "LxmertTokenizer",
    "MobileBertTokenizer",
    "SqueezeBertTokenizer",
];
const LIKE_ROBERTA: [&str; 5] =
    ["RobertaTokenizer", "BartTokenizer", "LEDTokenizer", "LongformerTokenizer", "MvpTokenizer"];

/// What is not said in `tokenizer.json` but by a class of transformers'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// WordPiece over words between spaces and punctuation.
    Bert { lower_case: bool, strip_accents: Option<bool>, chinese: bool },
    /// BPE over bytes.
    Roberta { prefix_space: bool },
    /// All of it is in `tokenizer.json`.
    Other,
}

impl Family {
    /// The family of a folder with `tokenizer.json` or without.
    pub(super) fn of(folder: &Path, config: &Config, has_json: bool) -> Result<Self> {
        if !has_json {
            return Self::of_vocabulary(folder, config);
        }
        let said = if config.class().is_empty() { config.model() } else { config.class() };
        Ok(match said {
            "BertTokenizer" | "bert" => Self::bert(config),
            "RobertaTokenizer" | "roberta" => Self::roberta(config),
            _ => Self::Other,
        })
    }

    /// What a vocabulary is of is said by a class or, where none is named, by the model or the vocabulary's file.
    fn of_vocabulary(folder: &Path, config: &Config) -> Result<Self> {
        let has = |name: &str| folder.join(name).is_file();
        if let Some((class, file)) = config.named_class() {
            return match class.strip_suffix("Fast").unwrap_or(class) {
                class if LIKE_BERT.contains(&class) => Ok(Self::bert(config)),
                class if LIKE_ROBERTA.contains(&class) => Ok(Self::roberta(config)),
                _ if has("vocab.txt") || has("vocab.json") => Err(unknown_class(&folder.join(file), class)),
                _ => Ok(Self::Other),
            };
        }
        Ok(match config.model() {
            "bert" => Self::bert(config),
            "roberta" => Self::roberta(config),
            _ if has("vocab.txt") => Self::bert(config),
            _ if has("vocab.json") => Self::roberta(config),
            _ => Self::Other,
        })
    }

    fn bert(config: &Config) -> Self {
        Self::Bert {
            lower_case: config.flag("do_lower_case").unwrap_or(true),
            strip_accents: config.flag("strip_accents"),
            chinese: config.flag("tokenize_chinese_chars").unwrap_or(true),
        }
    }

    fn roberta(config: &Config) -> Self {
        Self::Roberta { prefix_space: config.flag("add_prefix_space").unwrap_or(false) }
    }

    /// The token of a key such as `cls_token`, where there is one.
    pub(super) fn named(self, config: &Config, key: &str) -> Option<AddedToken> {
        let default = match (self, key) {
            (Self::Bert { .. }, "cls_token") => "[CLS]",
            (Self::Bert { .. }, "sep_token") => "[SEP]",
            (Self::Bert { .. }, "pad_token") => "[PAD]",
            (Self::Bert { .. }, "unk_token") => "[UNK]",
            (Self::Bert { .. }, "mask_token") => "[MASK]",
            (Self::Roberta { .. }, "bos_token" | "cls_token") => "<s>",
            (Self::Roberta { .. }, "eos_token" | "sep_token") => "</s>",
            (Self::Roberta { .. }, "pad_token") => "<pad>",
            (Self::Roberta { .. }, "unk_token") => "<unk>",
            (Self::Roberta { .. }, "mask_token") => "<mask>",
            _ => return config.named(key),
        };
        config.named(key).or_else(|| Some(AddedToken::from(default, true)))
    }

    fn content(self, config: &Config, key: &str) -> String {
        self.named(config, key).map(|token| token.content).unwrap_or_default()
    }

    /// The tokenizer, of `tokenizer.json` or of a vocabulary. None: there is neither.
    pub(super) fn build(self, folder: &Path, config: &Config, json: Option<Inner>) -> Result<Option<Inner>> {
        let inner = match (json, self) {
            (Some(inner), _) => inner,
            (None, Self::Bert { .. }) => {
                let unknown = self.content(config, "unk_token");
                Inner::new(word_pieces(&folder.join("vocab.txt"), unknown)?)
            }
            (None, Self::Roberta { .. }) => {
                Inner::new(byte_pairs(&folder.join("vocab.json"), &folder.join("merges.txt"))?)
            }
            (None, Self::Other) => return Ok(None),
        };
        self.finish(inner, config).map(Some)
    }

    fn finish(self, mut inner: Inner, config: &Config) -> Result<Inner> {
        match self {
            Self::Other => return Ok(inner),
            Self::Bert { lower_case, strip_accents, chinese } => {
                inner.with_normalizer(Some(BertNormalizer::new(true, chinese, strip_accents, lower_case)));
                inner.with_pre_tokenizer(Some(BertPreTokenizer));
                inner.with_decoder(Some(decoders::wordpiece::WordPiece::default()));
            }
            Self::Roberta { prefix_space } => {
                inner.with_pre_tokenizer(Some(ByteLevel::new(prefix_space, true, true)));
                inner.with_decoder(Some(ByteLevel::default()));
            }
        }
        let named = NAMED.iter().filter_map(|key| self.named(config, key));
        let added: Vec<_> = config.added().chain(named).chain(config.listed()).collect();
        inner.add_tokens(&added);
        let [first, last] = ["cls_token", "sep_token"].map(|key| {
            let content = self.content(config, key);
            let id = inner.token_to_id(&content).unwrap_or_default();
            (content, id)
        });
        match self {
            Self::Roberta { prefix_space } => {
                let around = RobertaProcessing::new(last, first).add_prefix_space(prefix_space);
                inner.with_post_processor(Some(around));
            }
            _ => _ = inner.with_post_processor(Some(bert_template(first, last)?)),
        }
        Ok(inner)
    }

    /// What a `tokenizer_config.json` has to say of it.
    pub(super) fn config(self) -> Value {
        match self {
            Self::Bert { lower_case, strip_accents, chinese } => json!({
                "tokenizer_class": "BertTokenizer", "do_lower_case": lower_case,
                "strip_accents": strip_accents, "tokenize_chinese_chars": chinese,
            }),
            Self::Roberta { prefix_space } => {
                json!({ "tokenizer_class": "RobertaTokenizer", "add_prefix_space": prefix_space })
            }
            Self::Other => json!({ "tokenizer_class": "PreTrainedTokenizerFast" }),
        }
    }
}

/// `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]`, the second text and its end of type 1.
fn bert_template(begin: (String, u32), end: (String, u32)) -> Result<TemplateProcessing> {
    let (first, last) = (&begin.0, &end.0);
    TemplateProcessing::builder()
        .try_single(format!("{first}:0 $A:0 {last}:0"))
        .and_then(|builder| builder.try_pair(format!("{first}:0 $A:0 {last}:0 $B:1 {last}:1")))
        .map_err(DataError::Internal)?
        .special_tokens(vec![begin, end])
        .build()
        .map_err(|error| DataError::Internal(error.to_string()))
}

fn word_pieces(path: &Path, unknown: String) -> Result<WordPiece> {
    let bytes = std::fs::read(path).map_err(DataError::io("read", path))?;
    let vocabulary = WordPiece::read_bytes(&bytes).map_err(|error| refused(path, &error.to_string()))?;
    if !vocabulary.contains_key(&unknown) {
        return Err(refused(path, &format!("it has no line `{unknown}`, which stands for unknown words")));
    }
    let model = WordPiece::builder().vocab(vocabulary).unk_token(unknown).build();
    model.map_err(|error| refused(path, &error.to_string()))
}

fn byte_pairs(vocabulary: &Path, merges: &Path) -> Result<BPE> {
    for path in [vocabulary, merges] {
        std::fs::metadata(path).map_err(DataError::io("read", path))?;
    }
    let (Some(words), Some(pairs)) = (vocabulary.to_str(), merges.to_str()) else {
        return Err(refused(vocabulary, "its path is not UTF-8"));
    };
    BPE::from_file(words, pairs).build().map_err(|error| refused(vocabulary, &error.to_string()))
}

fn unknown_class(path: &Path, class: &str) -> DataError {
    DataError::Tokenizer {
        path: Some(path.to_owned()),
        reason: format!(
            "its `tokenizer_class` is `{class}`, and only tokenizers of BERT's and RoBERTa's kind are read from a vocabulary"
        ),
        remedy: "save the fast tokenizer with transformers, which writes a tokenizer.json".into(),
    }
}

fn refused(path: &Path, reason: &str) -> DataError {
    let path: Option<PathBuf> = Some(path.to_owned());
    let remedy = "fetch the model's folder again".into();
    DataError::Tokenizer { path, reason: reason.to_owned(), remedy }
}
