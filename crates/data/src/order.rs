//! Which samples a batch holds: a pure function of (seed, epoch), so a position is two numbers.
//!
//! With a token budget: permute, sort each pool by length, cut, shuffle the batches. A batch is bounded as fairseq's
//! (`fairseq/data/data_utils_fast.pyx`, `batch_by_size_vec`): its samples times its longest row stay within the budget; their number is not
//! rounded to a multiple of eight as there, and fairseq sorts without pools.
//! Sorting by that longest row, then by the last column's, fills batches best: on the embedded corpus they hold 6 to
//! 12 % more than sorted by source and target as fairseq does.
//!
//! A dataset of several shards is read shard by shard, so that it may be larger than memory: shards are permuted, each
//! is permuted, pooled and cut in itself, and its batches are shuffled among themselves.

use std::ops::Range;

use crate::random::{Random, Stream};
use crate::{ColumnKind, DataError, Dataset, LoaderOptions, Result};

/// The batches of one epoch, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    samples: Vec<u32>,
    /// Where each batch lies in `samples`.
    batches: Vec<Range<u32>>,
}

impl Plan {
    /// Batches.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// True without batches.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The samples of batch `index`, or None past the end.
    pub fn batch(&self, index: usize) -> Option<Vec<u64>> {
        Some(self.rows(index)?.iter().map(|sample| u64::from(*sample)).collect())
    }

    /// Every batch's samples.
    pub fn batches(&self) -> impl Iterator<Item = Vec<u64>> + '_ {
        (0..self.len()).filter_map(|index| self.batch(index))
    }

    /// The first sample of each batch from `index` on: which shards come next.
    pub(crate) fn firsts(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let batches = self.batches.iter().skip(index);
        batches.filter_map(|range| self.samples.get(range.start as usize).map(|sample| *sample as usize))
    }

    fn rows(&self, index: usize) -> Option<&[u32]> {
        let Range { start, end } = self.batches.get(index)?.clone();
        self.samples.get(start as usize..end as usize)
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
    shards: Vec<Range<usize>>,
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
        let whole = || std::iter::once(0..samples as usize).collect();
        let shards = if shuffle { dataset.shards() } else { whole() };
        Ok(Self { samples, shards, seed, shuffle, sorted, pool, cut, longest, last })
    }

    /// The batches of `epoch`. Costs one sort of the samples.
    pub(crate) fn plan(&self, epoch: u64) -> Plan {
        let mut plan = Plan { samples: (0..self.samples).collect(), batches: Vec::new() };
        if let [_only] = self.shards.as_slice() {
            let mut samples = Random::new(self.seed, Stream::Samples, epoch);
            let mut batches = Random::new(self.seed, Stream::Batches, epoch);
            self.plan_shard(&mut plan, 0..self.samples as usize, &mut samples, &mut batches);
            return plan;
        }
        let mut order: Vec<usize> = (0..self.shards.len()).collect();
        Random::new(self.seed, Stream::Shards, epoch).shuffle(&mut order);
        let mut samples = Random::new(self.seed, Stream::Samples, epoch);
        let mut batches = Random::new(self.seed, Stream::Batches, epoch);
        for shard in order {
            self.plan_shard(&mut plan, self.shards[shard].clone(), &mut samples, &mut batches);
        }
        plan
    }

    /// Adds the batches of one shard, whose samples lie in the plan at their own numbers.
    fn plan_shard(&self, plan: &mut Plan, shard: Range<usize>, samples: &mut Random, batches: &mut Random) {
        let Range { mut start, .. } = shard;
        let first = plan.batches.len();
        let here = &mut plan.samples[shard];
        if self.shuffle {
            samples.shuffle(here);
        }
        let pool = if self.sorted && self.shuffle { self.pool } else { here.len() };
        for pool in here.chunks_mut(pool.max(1)) {
            if self.sorted {
                self.sort(pool);
            }
            self.cut(pool, start as u32, &mut plan.batches);
            start += pool.len();
        }
        if self.sorted && self.shuffle {
            batches.shuffle(&mut plan.batches[first..]);
        }
    }

    /// By length; those of the same lengths stay in their order.
    fn sort(&self, pool: &mut [u32]) {
        let key = |(place, sample): (usize, &u32)| {
            let lengths =
                u64::from(self.longest[*sample as usize]) << 32 | u64::from(self.last[*sample as usize]);
            (lengths, place as u32, *sample)
        };
        let mut keyed: Vec<_> = pool.iter().enumerate().map(key).collect();
        keyed.sort_unstable();
        pool.iter_mut().zip(keyed).for_each(|(sample, (.., sorted))| *sample = sorted);
    }

    fn cut(&self, pool: &[u32], start: u32, batches: &mut Vec<Range<u32>>) {
        let mut push = |first: usize, end: usize| batches.push(start + first as u32..start + end as u32);
        match self.cut {
            Cut::Tokens { budget, samples } => {
                let (mut first, mut longest) = (0, 0);
                for (index, sample) in pool.iter().enumerate() {
                    let length = u64::from(self.longest[*sample as usize]).max(longest);
                    let count = index - first + 1;
                    if count > 1 && (length.saturating_mul(count as u64) > budget || count > samples) {
                        push(first, index);
                        (first, longest) = (index, u64::from(self.longest[*sample as usize]));
                    } else {
                        longest = length;
                    }
                }
                if !pool.is_empty() {
                    push(first, pool.len());
                }
            }
            Cut::Samples { size, drop_last } => {
                let whole = pool.chunks(size).filter(|batch| !drop_last || batch.len() == size);
                whole.enumerate().for_each(|(index, batch)| push(index * size, index * size + batch.len()));
            }
        }
    }
}

/// Longest row and last ragged row of each sample. A row over `budget` is an error that names it.
fn lengths(dataset: &Dataset, budget: Option<usize>) -> Result<(Vec<u32>, Vec<u32>)> {
    let ragged = |column: &&crate::ColumnInfo| matches!(column.kind, ColumnKind::Ragged { .. });
    if !dataset.columns().iter().any(|column| ragged(&column)) {
        let option = if budget.is_some() { "maxTokens" } else { "sortByLength" };
        let reason = "the dataset has no ragged column to count tokens in";
        return Err(DataError::argument(option, reason, "use batchSize"));
    }
    let (mut longest, mut last) = (vec![0; dataset.len()], vec![0; dataset.len()]);
    for (index, column) in dataset.columns().iter().enumerate().filter(|(_, column)| ragged(column)) {
        dataset.each_length(index, |sample, length| {
            if let Some(budget) = budget.filter(|budget| length as usize > *budget) {
                let (sample, length, budget) = (sample as u64, u64::from(length), budget as u64);
                return Err(DataError::SampleTooLong { sample, column: column.name.clone(), length, budget });
            }
            // An empty row counts as one token, or any number of them would fit a batch.
            longest[sample] = length.max(longest[sample]).max(1);
            last[sample] = length;
            Ok(())
        })?;
    }
    Ok((longest, last))
}
