//! Which samples a batch holds: a pure function of (seed, epoch), so a position is two numbers.
//!
//! With a token budget: permute, sort each pool by length, cut, shuffle the batches. A batch is cut as fairseq cuts it
//! (`fairseq/data/data_utils_fast.pyx`, `batch_by_size_vec`): its samples times its longest row stay within the budget.
//! Sorting by that longest row, then by the last column's, fills batches best: on the embedded corpus they hold 6 to
//! 12 % more than sorted by source and target as fairseq does.

use crate::random::{Random, Stream};
use crate::{ColumnKind, DataError, Dataset, LoaderOptions, Result};

/// The batches of one epoch, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    samples: Vec<u32>,
    /// Where each batch ends in `samples`.
    ends: Vec<usize>,
}

impl Plan {
    /// Batches.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without batches.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The samples of batch `index`, or None past the end.
    pub fn batch(&self, index: usize) -> Option<Vec<u64>> {
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? };
        Some(
            self.samples
                .get(start..*self.ends.get(index)?)?
                .iter()
                .map(|sample| u64::from(*sample))
                .collect(),
        )
    }

    /// Every batch's samples.
    pub fn batches(&self) -> impl Iterator<Item = Vec<u64>> + '_ {
        (0..self.len()).filter_map(|index| self.batch(index))
    }
}

/// How to cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Tokens { budget: u64, samples: usize },
    Samples { size: usize, drop_last: bool },
}

/// Everything that decides the order of a dataset, with the lengths of its samples.
#[derive(Debug)]
pub(crate) struct Order {
    samples: u32,
    seed: u64,
    shuffle: bool,
    sorted: bool,
    pool: usize,
    cut: Cut,
    /// Longest row of each sample; empty where no length is asked for.
    longest: Vec<u32>,
    /// Row of the last ragged column of each sample, which breaks ties.
    last: Vec<u32>,
}

impl Order {
    pub(crate) fn new(dataset: &Dataset, options: &LoaderOptions) -> Result<Self> {
        let samples = u32::try_from(dataset.len()).map_err(|_| {
            DataError::shape("*", format!("{} samples, at most {} fit", dataset.len(), u32::MAX))
        })?;
        let cut = match (options.max_tokens, options.batch_size) {
            (Some(budget), _) => {
                Cut::Tokens { budget: budget as u64, samples: options.max_samples.unwrap_or(usize::MAX) }
            }
            (None, size) => Cut::Samples { size: size.unwrap_or(1), drop_last: options.drop_last },
        };
        let sorted = matches!(cut, Cut::Tokens { .. }) && options.shuffle || options.sort_by_length;
        let (mut longest, mut last) = (Vec::new(), Vec::new());
        if sorted || matches!(cut, Cut::Tokens { .. }) {
            (longest, last) = lengths(dataset, options.max_tokens)?;
        }
        let (seed, shuffle, pool) = (options.seed, options.shuffle, options.pool);
        Ok(Self { samples, seed, shuffle, sorted, pool, cut, longest, last })
    }

    /// The batches of `epoch`. Costs one sort of the samples.
    pub(crate) fn plan(&self, epoch: u64) -> Plan {
        let mut samples: Vec<u32> = (0..self.samples).collect();
        if self.shuffle {
            Random::new(self.seed, Stream::Samples, epoch).shuffle(&mut samples);
        }
        let mut ends = Vec::new();
        let pool = if self.sorted && self.shuffle { self.pool } else { samples.len() };
        let mut start = 0;
        for pool in samples.chunks_mut(pool.max(1)) {
            if self.sorted {
                pool.sort_by_key(|sample| (self.longest[*sample as usize], self.last[*sample as usize]));
            }
            self.cut(pool, start, &mut ends);
            start += pool.len();
        }
        let plan = Plan { samples, ends };
        if self.sorted && self.shuffle { plan.shuffled(self.seed, epoch) } else { plan }
    }

    fn cut(&self, pool: &[u32], start: usize, ends: &mut Vec<usize>) {
        match self.cut {
            Cut::Tokens { budget, samples } => {
                let (mut first, mut longest) = (0, 0);
                for (index, sample) in pool.iter().enumerate() {
                    let length = u64::from(self.longest[*sample as usize]).max(longest);
                    let count = index - first + 1;
                    if count > 1 && (length.saturating_mul(count as u64) > budget || count > samples) {
                        ends.push(start + index);
                        (first, longest) = (index, u64::from(self.longest[*sample as usize]));
                    } else {
                        longest = length;
                    }
                }
                if !pool.is_empty() {
                    ends.push(start + pool.len());
                }
            }
            Cut::Samples { size, drop_last } => {
                let whole = pool.chunks(size).filter(|batch| !drop_last || batch.len() == size);
                ends.extend(whole.enumerate().map(|(index, batch)| start + index * size + batch.len()));
            }
        }
    }
}

impl Plan {
    fn shuffled(&self, seed: u64, epoch: u64) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        Random::new(seed, Stream::Batches, epoch).shuffle(&mut order);
        let (mut samples, mut ends) =
            (Vec::with_capacity(self.samples.len()), Vec::with_capacity(self.len()));
        for index in order {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            samples.extend_from_slice(&self.samples[start..self.ends[index]]);
            ends.push(samples.len());
        }
        Self { samples, ends }
    }
}

/// Longest row and last ragged row of each sample. A row over `budget` is an error that names it.
fn lengths(dataset: &Dataset, budget: Option<usize>) -> Result<(Vec<u32>, Vec<u32>)> {
    let mut longest = vec![0; dataset.len()];
    let mut last = None;
    for (index, column) in dataset.columns().iter().enumerate() {
        if !matches!(column.kind, ColumnKind::Ragged { .. }) {
            continue;
        }
        let lengths = dataset.lengths(index)?;
        for (sample, length) in lengths.iter().enumerate() {
            if let Some(budget) = budget.filter(|budget| *length as usize > *budget) {
                let (sample, length, budget) = (sample as u64, u64::from(*length), budget as u64);
                return Err(DataError::SampleTooLong { sample, column: column.name.clone(), length, budget });
            }
            // An empty row counts as one token, or any number of them would fit a batch.
            longest[sample] = longest[sample].max(*length).max(1);
        }
        last = Some(lengths);
    }
    last.map(|last| (longest, last)).ok_or_else(|| {
        let option = if budget.is_some() { "maxTokens" } else { "sortByLength" };
        DataError::argument(option, "the dataset has no ragged column to count tokens in", "use batchSize")
    })
}
