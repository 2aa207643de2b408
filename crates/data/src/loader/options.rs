//! What a loader is asked for.

use serde::{Deserialize, Serialize};

use crate::{BpeDropoutOptions, DataError, LoaderState, Result};

/// How to cut and order batches. Exactly one of `max_tokens` and `batch_size` is required.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LoaderOptions {
    /// Samples × longest row of a batch, at most (fairseq's `--max-tokens`). Rows are packed: nothing is padded.
    pub max_tokens: Option<usize>,
    /// Samples of a batch.
    pub batch_size: Option<usize>,
    /// With `max_tokens`: samples of a batch, at most.
    pub max_samples: Option<usize>,
    /// With (seed, epoch) the order is given. Default 0.
    pub seed: u64,
    /// Another order each epoch; with `max_tokens` samples of like length share a batch. Default true.
    pub shuffle: bool,
    /// Without `shuffle`: from the shortest to the longest, which searches fastest; `Batch::indices` says who is who.
    pub sort_by_length: bool,
    /// With `batch_size`: leave out the last batch of an epoch where it is smaller.
    pub drop_last: bool,
    /// Batches gathered ahead by a thread; 0 gathers in `next`; at most 1,024. Default 4.
    pub prefetch: usize,
    /// Splits words anew each epoch. Batches are cut by the stored lengths: one may exceed `max_tokens` by what its rows grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bpe_dropout: Option<BpeDropoutOptions>,
    /// Epochs after which the loader ends, counted from epoch 0; None never ends. Default None.
    pub epochs: Option<u64>,
    /// Samples that are sorted by length together when shuffled with `max_tokens`. Default 262,144.
    pub pool: usize,
    /// Where to begin. Default the first batch of epoch 0.
    pub state: LoaderState,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        Self {
            max_tokens: None,
            batch_size: None,
            max_samples: None,
            seed: 0,
            shuffle: true,
            sort_by_length: false,
            drop_last: false,
            prefetch: 4,
            bpe_dropout: None,
            epochs: None,
            pool: 262_144,
            state: LoaderState::default(),
        }
    }
}

/// Batches gathered ahead, at most: far more than any step waits for, and few enough to be kept.
const MOST_PREFETCH: usize = 1024;

impl LoaderOptions {
    /// One pass in the dataset's order, for evaluation.
    pub fn sequential(max_tokens: usize) -> Self {
        Self { max_tokens: Some(max_tokens), shuffle: false, epochs: Some(1), ..Self::default() }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let numbers = [
            ("maxTokens", self.max_tokens),
            ("batchSize", self.batch_size),
            ("maxSamples", self.max_samples),
            ("pool", Some(self.pool)),
        ];
        if let Some((option, _)) = numbers.iter().find(|(_, value)| *value == Some(0)) {
            return Err(DataError::argument(option, "it is 0", "give at least 1"));
        }
        if self.prefetch > MOST_PREFETCH {
            let reason = format!("it is {}, at most {MOST_PREFETCH} are kept", self.prefetch);
            return Err(DataError::argument("prefetch", reason, "4 is plenty"));
        }
        match (self.max_tokens, self.batch_size) {
            (None, None) => {
                Err(DataError::argument("maxTokens", "missing, and batchSize too", "give one of them"))
            }
            (Some(_), Some(_)) => {
                Err(DataError::argument("batchSize", "maxTokens is given too", "give one of them"))
            }
            _ => self.refuse_without_effect(),
        }
    }

    fn refuse_without_effect(&self) -> Result<()> {
        let without = |option, other: &str| {
            Err(DataError::argument(option, format!("it has no effect {other}"), "leave it out"))
        };
        if self.max_samples.is_some() && self.max_tokens.is_none() {
            return without("maxSamples", "without maxTokens");
        }
        if self.drop_last && self.max_tokens.is_some() {
            return without("dropLast", "with maxTokens, whose batches are all cut by length");
        }
        if self.sort_by_length && self.shuffle {
            return without("sortByLength", "with shuffle");
        }
        Ok(())
    }
}
