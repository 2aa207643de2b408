//! Whose tokens there are, and which of the model's three tables they share.

use serde::Serialize;

use crate::error::Result;
use crate::fields::Fields;

/// How many tokens source and target have. In each vocabulary `</s>` is 0, `<unk>` 1, `<pad>` the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Vocabulary {
    /// One for both.
    Joint {
        /// Its tokens.
        vocabulary_size: usize,
    },
    /// One each.
    Two {
        /// Tokens of the source.
        source_vocabulary_size: usize,
        /// Tokens of the target.
        target_vocabulary_size: usize,
    },
}

/// Which tables are one: source embedding, target embedding, output projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Embeddings {
    /// All three (Press and Wolf, 2017); fairseq's `--share-all-embeddings`, for one vocabulary.
    Shared,
    /// Target embedding and output projection; fairseq's `--share-decoder-input-output-embed`.
    DecoderShared,
    /// None.
    Separate,
}

// `</s>`, `<unk>`, `<pad>` and something to say.
const SIZES: std::ops::RangeInclusive<u64> = 4..=16_777_216;

impl Vocabulary {
    /// Reads `vocabularySize`, or `sourceVocabularySize` and `targetVocabularySize`.
    pub fn read(fields: &Fields) -> Result<Self> {
        let joint = fields.integer("vocabularySize", SIZES)?;
        let source = fields.integer("sourceVocabularySize", SIZES)?;
        let target = fields.integer("targetVocabularySize", SIZES)?;
        match (joint, source, target) {
            (Some(vocabulary_size), None, None) => Ok(Self::Joint { vocabulary_size }),
            (None, Some(source_vocabulary_size), Some(target_vocabulary_size)) => {
                Ok(Self::Two { source_vocabulary_size, target_vocabulary_size })
            }
            (None, None, None) => Err(fields.missing("vocabularySize")),
            (None, Some(_), None) => Err(fields.missing("targetVocabularySize")),
            (None, None, Some(_)) => Err(fields.missing("sourceVocabularySize")),
            _ => {
                let problem = "a joint vocabulary or sourceVocabularySize and targetVocabularySize is expected, not both";
                Err(fields.error("vocabularySize", problem))
            }
        }
    }

    /// Tokens of the source.
    pub fn source(&self) -> usize {
        match *self {
            Self::Joint { vocabulary_size } => vocabulary_size,
            Self::Two { source_vocabulary_size, .. } => source_vocabulary_size,
        }
    }

    /// Tokens of the target.
    pub fn target(&self) -> usize {
        match *self {
            Self::Joint { vocabulary_size } => vocabulary_size,
            Self::Two { target_vocabulary_size, .. } => target_vocabulary_size,
        }
    }
}
