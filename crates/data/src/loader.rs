//! Batches one after another, gathered ahead on a thread of their own, resumable from two numbers.

mod assembler;
mod feed;
mod options;

use std::sync::Arc;
use std::time::Instant;

pub use self::options::LoaderOptions;

use self::assembler::Assembler;
use self::feed::Feed;
use crate::bpe_dropout::BpeDropout;
use crate::order::{Order, Plan};
use crate::{Batch, ColumnKind, Dataset, LoaderState, Result};

/// An iterator of batches. Dropping it stops and joins its thread.
#[derive(Debug)]
pub struct Loader {
    order: Arc<Order>,
    feed: Feed,
    state: LoaderState,
    waited: f64,
    finished: bool,
}

impl Loader {
    /// Starts to gather at `options.state`.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: options that are missing, out of range or without effect. `ERR_DATA`: a sample longer than
    /// `max_tokens`, named; no samples. `ERR_STATE`: a position past the end of its epoch. `ERR_DATASET`: damaged rows.
    pub fn new(dataset: Arc<Dataset>, options: LoaderOptions) -> Result<Self> {
        options.validate()?;
        let order = Arc::new(Order::new(&dataset, &options)?);
        let dropout = dropout(&dataset, &options)?;
        let assembler = Assembler::new(dataset, order.clone(), options.state, options.epochs)?.with(dropout);
        let feed = Feed::new(assembler, options.prefetch)?;
        Ok(Self { order, feed, state: options.state, waited: 0.0, finished: false })
    }

    /// Where a loader resumes after the batch that was handed out last.
    pub fn state(&self) -> LoaderState {
        self.state
    }

    /// Seconds that the consumer has spent waiting for batches so far.
    pub fn wait(&self) -> f64 {
        self.waited
    }

    /// As [`Iterator::next`], but None instead of waiting for a batch that is not gathered yet.
    pub fn try_next(&mut self) -> Option<Option<Result<Batch>>> {
        if self.finished {
            return Some(None);
        }
        let item = self.feed.try_next()?;
        self.note(item.as_ref());
        Some(item)
    }

    fn note(&mut self, item: Option<&Result<Batch>>) {
        match item {
            Some(Ok(batch)) => self.state = batch.next,
            Some(Err(_)) | None => self.finished = true,
        }
    }

    /// The batches of `epoch`, without gathering them: what other systems are given to train on the same.
    pub fn plan(&self, epoch: u64) -> Plan {
        self.order.plan(epoch)
    }
}

fn dropout(dataset: &Dataset, options: &LoaderOptions) -> Result<Option<BpeDropout>> {
    let ids = dataset.columns().iter().filter(|column| matches!(column.kind, ColumnKind::Ragged { .. }));
    let names: Vec<&str> = ids.map(|column| column.name.as_str()).collect();
    options.bpe_dropout.as_ref().map(|given| BpeDropout::new(given, options.seed, &names)).transpose()
}

impl Iterator for Loader {
    type Item = Result<Batch>;

    /// The next batch; after an error or the last epoch, None.
    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let start = Instant::now();
        let item = self.feed.next();
        self.waited += start.elapsed().as_secs_f64();
        self.note(item.as_ref());
        item
    }
}
