//! The blocks in which a part is kept while it is prepared: where they lie, and how many samples are in each.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::held_out::Part;
use super::watch::{look, share};
use super::{Watch, block};
use crate::Result;
use crate::parallel::ordered;

/// Where the block `index` of a part lies; `kind` is `text` or `ids`.
pub(crate) fn block_path(work: &Path, part: Part, index: usize, kind: &str) -> PathBuf {
    work.join("blocks").join(format!("{}-{index:06}.{kind}", part.name()))
}

/// Where it is kept what is known of a part once all of it has been read.
pub(crate) fn survey_path(work: &Path, part: Part) -> PathBuf {
    work.join("blocks").join(format!("{}.survey", part.name()))
}

/// How many samples the blocks of a part hold.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Blocks {
    /// Samples before each block, and after the last.
    before: Vec<u64>,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { before: vec![0] }
    }
}

impl Blocks {
    /// Adds a block of so many samples.
    pub(crate) fn push(&mut self, samples: u64) {
        self.before.push(self.samples() + samples);
    }

    pub(crate) fn len(&self) -> usize {
        self.before.len() - 1
    }

    /// Samples in all blocks.
    pub(crate) fn samples(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// Samples in the blocks before this one.
    pub(crate) fn before(&self, index: usize) -> u64 {
        self.before[index]
    }

    /// Samples in the blocks up to this one.
    pub(crate) fn through(&self, index: usize) -> u64 {
        self.before[index + 1]
    }

    /// Whether all blocks of text are still what they were: they may have been lost with the power after the survey was
    /// kept. `samples` says how many a block is said to hold.
    pub(crate) fn are_whole<T: DeserializeOwned>(
        &self,
        (work, part): (&Path, Part),
        threads: usize,
        watch: &dyn Watch,
        samples: impl Fn(&T) -> u64 + Sync,
    ) -> Result<bool> {
        let check = || {
            |index: usize| {
                let block = block::read::<T>(&block_path(work, part, index, "text"))?;
                let expected = self.through(index) - self.before(index);
                Ok((index, block.is_some_and(|block| samples(&block.about) == expected)))
            }
        };
        let mut whole = true;
        ordered(threads, (0..self.len()).map(Ok), check, |(index, found)| {
            whole &= found;
            look(watch, "survey", self.through(index), share(self.through(index), self.samples()))
        })?;
        Ok(whole)
    }
}
