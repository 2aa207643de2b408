//! Gathers the batches of an order one after another, epoch after epoch.

use std::path::PathBuf;
use std::sync::Arc;

use crate::bpe_dropout::BpeDropout;
use crate::order::{Order, Plan};
use crate::{Batch, DataError, Dataset, LoaderState, Result};

/// The sequence of batches from a position on.
#[derive(Debug)]
pub(crate) struct Assembler {
    dataset: Arc<Dataset>,
    order: Arc<Order>,
    /// The plan of `at.epoch`.
    plan: Plan,
    at: LoaderState,
    epochs: Option<u64>,
    /// The shard that is being read, of several.
    shard: Option<usize>,
    dropout: Option<BpeDropout>,
}

impl Assembler {
    pub(crate) fn new(
        dataset: Arc<Dataset>,
        order: Arc<Order>,
        at: LoaderState,
        epochs: Option<u64>,
    ) -> Result<Self> {
        let plan = order.plan(at.epoch);
        if plan.is_empty() {
            let path = dataset.path().map_or_else(|| PathBuf::from("(memory)"), Into::into);
            let reason = format!("{} samples make no batch", dataset.len());
            let remedy = "give more samples, a smaller batchSize, or no dropLast".into();
            return Err(DataError::Corpus { path, line: None, reason, remedy });
        }
        if at.batch > plan.len() as u64 {
            let LoaderState { epoch, batch } = at;
            let reason = format!("the epoch has {} batches", plan.len());
            return Err(DataError::State { epoch, batch, reason });
        }
        Ok(Self { dataset, order, plan, at, epochs, shard: None, dropout: None })
    }

    /// Where the shard changes, has the kernel let go of the one before and read the one after this ahead: an epoch goes
    /// through each of them once.
    fn advise(&mut self, first: usize) {
        let dataset = &self.dataset;
        let shard = dataset.shard_of(first);
        if self.shard == Some(shard) || dataset.shards().len() == 1 {
            return;
        }
        match self.shard.replace(shard) {
            Some(before) => dataset.read_through(before),
            None => dataset.will_need(shard),
        }
        let mut later = self.plan.firsts(self.at.batch as usize).map(|first| dataset.shard_of(first));
        if let Some(next) = later.find(|next| *next != shard) {
            dataset.will_need(next);
        }
    }

    /// The same with words that are split anew.
    pub(crate) fn with(self, dropout: Option<BpeDropout>) -> Self {
        Self { dropout, ..self }
    }

    fn gather(&self, indices: Vec<u64>) -> Result<Batch> {
        let LoaderState { epoch, batch } = self.at;
        let last = batch + 1 == self.plan.len() as u64;
        let next = if last {
            LoaderState { epoch: epoch + 1, batch: 0 }
        } else {
            LoaderState { epoch, batch: batch + 1 }
        };
        let mut gathered = self.dataset.batch(indices)?;
        if let Some(dropout) = &self.dropout {
            dropout.apply(&mut gathered.columns, &gathered.indices, epoch);
            gathered.tokens = Batch::count_tokens(&gathered.columns, gathered.samples);
        }
        Ok(Batch { position: self.at, next, ..gathered })
    }
}

impl Iterator for Assembler {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at.batch >= self.plan.len() as u64 {
            self.at = LoaderState { epoch: self.at.epoch + 1, batch: 0 };
            if self.epochs.is_none_or(|epochs| self.at.epoch < epochs) {
                // The old one goes first: two take twice the memory.
                self.plan = Plan::default();
                self.plan = self.order.plan(self.at.epoch);
            }
        }
        if self.epochs.is_some_and(|epochs| self.at.epoch >= epochs) {
            return None;
        }
        let indices = self.plan.batch(self.at.batch as usize)?;
        self.advise(indices.first().map_or(0, |first| *first as usize));
        let batch = self.gather(indices);
        self.at.batch += 1;
        Some(batch)
    }
}
