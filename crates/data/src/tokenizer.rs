//! BPE of two kinds, in the `tokenizer.json` that every library of Hugging Face's opens, and the tokenizers of pretrained
//! encoders.
//!
//! Byte level: any text is representable, there is no normalisation, and every byte has a token. Text that does not
//! begin with a space comes back to the byte. Subword: what `subword-nmt` makes of words between spaces; text of known
//! characters comes back with one space between words.

mod bytes;
mod cache;
mod counts;
mod encoder;
mod folder;
mod merges;
mod pretrained;
mod subword;
mod train;
mod unknown;
mod word_level;
mod words;

use std::path::Path;

use sha2::{Digest, Sha256};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::split::SplitPattern;
use tokenizers::{ModelWrapper, SplitDelimiterBehavior, Tokenizer as Inner};

pub(crate) use self::counts::WordCounts;
pub(crate) use self::encoder::Encoder;
use self::pretrained::Pretrained;
pub use self::pretrained::{Encoded, TOKENIZER_FILES};
pub(crate) use self::pretrained::{PairEncoder, files, folder as folder_of};
pub(crate) use self::subword::Subword;
pub(crate) use self::word_level::Joiner;
pub(crate) use self::words::Words;
use crate::dataset::header::hex;
use crate::{DataError, Result};

/// Ends every sentence; id 0.
pub const END: &str = "</s>";
/// Stands for what has no token, which byte-level text never needs; id 1.
pub const UNKNOWN: &str = "<unk>";
/// Fills, and starts decoding in the Marian format; the highest id.
pub const PAD: &str = "<pad>";

/// Turns sentences into ids and back.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: Inner,
    vocabulary: usize,
    /// How text is split where it is as this crate's own tokenizers do; then words can be encoded one by one.
    words: Option<Words>,
    /// None: one of the Marian format.
    pretrained: Option<Pretrained>,
}

impl Tokenizer {
    /// Opens a `tokenizer.json`, or a folder with one: of the Marian format, or a pretrained encoder's, whose folder may
    /// have `vocab.txt` (BERT) or `vocab.json` and `merges.txt` (RoBERTa) instead.
    ///
    /// # Errors
    /// `ERR_DATA`: not a tokenizer, or its special tokens are neither where the Marian format has them nor an encoder's.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = folder_of(path);
        let json = if path.is_dir() { path.join("tokenizer.json") } else { path.to_owned() };
        refuse_sentence_piece(path)?;
        let refuse = |reason: String| DataError::Tokenizer {
            path: Some(json.clone()),
            reason,
            remedy: "give a tokenizer.json that prepare has written, or the folder of a pretrained encoder"
                .into(),
        };
        let bytes = match std::fs::read(&json) {
            Ok(bytes) => bytes,
            Err(error) => {
                let missing = error.kind() == std::io::ErrorKind::NotFound && path.is_dir();
                let opened = if missing { pretrained::open(folder, None)? } else { None };
                let (inner, pretrained) = opened.ok_or_else(|| DataError::io("read", &json)(error))?;
                return Ok(Self::encoder(inner, pretrained));
            }
        };
        let inner = Inner::from_bytes(bytes).map_err(|error| refuse(error.to_string()))?;
        let Some(flaw) = marian_flaw(&inner) else { return Self::new(inner).map_err(refuse) };
        let (inner, pretrained) =
            pretrained::open(folder, Some(inner))?.ok_or_else(|| refuse(neither(&flaw)))?;
        Ok(Self::encoder(inner, pretrained))
    }

    fn encoder(inner: Inner, pretrained: Pretrained) -> Self {
        // Ids may have gaps; a model has a row for each up to the greatest.
        let greatest = inner.get_vocab(true).into_values().max().unwrap_or_default();
        Self { inner, vocabulary: greatest as usize + 1, words: None, pretrained: Some(pretrained) }
    }

    fn new(mut inner: Inner) -> Result<Self, String> {
        // A sentence may hold the characters `</s>`; they are text there and not the end.
        inner.set_encode_special_tokens(true);
        if let Some(flaw) = marian_flaw(&inner) {
            return Err(flaw);
        }
        let (vocabulary, words) = (inner.get_vocab_size(true), words_of(&inner));
        Ok(Self { inner, vocabulary, words, pretrained: None })
    }

    /// Fails where it is not of the Marian format, in which a translator's are.
    pub(crate) fn refuse_encoder(&self, path: &Path) -> Result<()> {
        if !self.is_encoder() {
            return Ok(());
        }
        let special = format!("a translator's has `{END}` at 0, `{UNKNOWN}` at 1 and `{PAD}` last");
        Err(DataError::Tokenizer {
            path: Some(path.to_owned()),
            reason: format!("it is a pretrained encoder's: {special}"),
            remedy: "give a tokenizer.json that prepare has written".into(),
        })
    }

    /// Tokens, the special ones counted: ids are below it.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The id of [`END`], of an encoder's what parts and ends its texts.
    pub fn end(&self) -> i32 {
        self.pretrained.as_ref().map_or(0, |pretrained| pretrained.end)
    }

    /// The id of what fills, [`PAD`].
    pub fn pad(&self) -> i32 {
        self.pretrained.as_ref().map_or(self.vocabulary as i32 - 1, |pretrained| pretrained.pad)
    }

    /// What a token is written as; empty where there is none of this id.
    pub(crate) fn token(&self, id: i32) -> String {
        u32::try_from(id).ok().and_then(|id| self.inner.id_to_token(id)).unwrap_or_default()
    }

    /// The ids of `text`, with the closing `</s>`, or what an encoder's puts around it.
    ///
    /// # Errors
    /// `ERR_DATA` where the tokenizer cannot.
    pub fn encode(&self, text: &str) -> Result<Vec<i32>> {
        let encoding = self.inner.encode_fast(text, true).map_err(unusable)?;
        Ok(signed(encoding.get_ids()))
    }

    /// [`Tokenizer::encode`] of many texts, on all cores.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_batch(&self, texts: &[&str]) -> Result<Vec<Vec<i32>>> {
        let encodings = self.inner.encode_batch_fast(texts.to_vec(), true).map_err(unusable)?;
        Ok(encodings.iter().map(|encoding| signed(encoding.get_ids())).collect())
    }

    /// The text of `ids`, special tokens left out. Ids that end within a character give U+FFFD.
    ///
    /// # Errors
    /// `ERR_DATA`: an id that is negative or past the vocabulary.
    pub fn decode(&self, ids: &[i32]) -> Result<String> {
        let id = |id: &i32| u32::try_from(*id).ok().filter(|id| (*id as usize) < self.vocabulary).ok_or(*id);
        let ids = ids.iter().map(id).collect::<Result<Vec<_>, _>>().map_err(|id| DataError::Tokenizer {
            path: None,
            reason: format!("id {id} is not in a vocabulary of {}", self.vocabulary),
            remedy: "decode with the tokenizer that the model was trained with".into(),
        })?;
        // The crate's decoder of subwords asks which token is the last, and there has to be one.
        if !self.is_encoder() && ids.iter().all(|id| *id <= 1 || *id as usize + 1 == self.vocabulary) {
            return Ok(String::new());
        }
        self.inner.decode(&ids, true).map_err(unusable)
    }

    /// The `tokenizer.json` as text.
    ///
    /// # Errors
    /// `ERR_DATA` where it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        self.inner.to_string(true).map_err(unusable)
    }

    /// SHA-256 of `tokenizer.json`: datasets name the tokenizer of their ids by it.
    ///
    /// # Errors
    /// As [`Tokenizer::to_json`].
    pub fn fingerprint(&self) -> Result<String> {
        Ok(hex(Sha256::digest(self.to_json()?)))
    }
}

fn neither(flaw: &str) -> String {
    format!(
        "{flaw}; and no encoder's: it has no tokens that begin, part and fill, such as [CLS], [SEP] and [PAD]"
    )
}

/// What the Marian format does not allow of a tokenizer.
fn marian_flaw(inner: &Inner) -> Option<String> {
    if let Err(gap) = refuse_gaps(inner) {
        return Some(gap);
    }
    let vocabulary = inner.get_vocab_size(true);
    let special = [(END, 0), (UNKNOWN, 1), (PAD, vocabulary as u32 - 1)];
    special.into_iter().find_map(|(token, id)| match inner.token_to_id(token) {
        Some(found) if found == id => None,
        found => Some(format!("`{token}` must have id {id} of {vocabulary}, found {found:?}")),
    })
}

/// Ids count from 0 without gaps, since a model has a row for each and datasets choose the width of an id by their number.
fn refuse_gaps(inner: &Inner) -> Result<(), String> {
    let mut tokens: Vec<_> = inner.get_vocab(true).into_iter().map(|(token, id)| (id, token)).collect();
    tokens.sort_unstable();
    let remedy = format!("number the {} tokens from 0 without gaps", tokens.len());
    if let Some((id, token)) = tokens.last().filter(|(id, _)| *id as usize >= tokens.len()) {
        return Err(format!("`{token}` has id {id}; {remedy}"));
    }
    match tokens.array_windows().find(|[(before, _), (id, _)]| before == id) {
        Some([(_, first), (id, second)]) => {
            Err(format!("`{first}` and `{second}` both have id {id}; {remedy}"))
        }
        None => Ok(()),
    }
}

fn words_of(inner: &Inner) -> Option<Words> {
    let ModelWrapper::BPE(model) = inner.get_model() else { return None };
    let plain = inner.get_normalizer().is_none()
        && inner.get_truncation().is_none()
        && inner.get_padding().is_none()
        && inner.get_added_tokens_decoder().values().all(|token| token.special)
        && model.dropout.is_none()
        // What is done at a sentence's ends shows on an empty one.
        && inner.encode_fast("", true).is_ok_and(|empty| empty.get_ids() == [0]);
    match inner.get_pre_tokenizer()? {
        _ if !plain => None,
        PreTokenizerWrapper::ByteLevel(bytes) if bytes.add_prefix_space && bytes.use_regex => {
            Some(Words::ByteLevel)
        }
        PreTokenizerWrapper::Split(split)
            if split.pattern == SplitPattern::String(" ".into())
                && split.behavior == SplitDelimiterBehavior::Removed
                && !split.invert =>
        {
            Some(Words::Spaces)
        }
        _ => None,
    }
}

fn signed(ids: &[u32]) -> Vec<i32> {
    ids.iter().map(|id| *id as i32).collect()
}

fn unusable(error: tokenizers::Error) -> DataError {
    let remedy = "see that its files are whole and have a token for what is unknown".into();
    DataError::Tokenizer { path: None, reason: error.to_string(), remedy }
}

/// OPUS-MT's tokenizers lie beside their models as SentencePiece files, which nothing here reads.
fn refuse_sentence_piece(path: &Path) -> Result<()> {
    let is_model = path.extension().is_some_and(|extension| extension == "spm" || extension == "model");
    let spm = path.join("source.spm");
    let has_only_spm = spm.exists() && !path.join("tokenizer.json").exists();
    if !is_model && !has_only_spm {
        return Ok(());
    }
    Err(DataError::Tokenizer {
        path: Some(if has_only_spm { spm } else { path.to_owned() }),
        reason: "SentencePiece tokenizers cannot be read".into(),
        remedy: "give a tokenizer.json of byte-level BPE, or ids made elsewhere".into(),
    })
}
