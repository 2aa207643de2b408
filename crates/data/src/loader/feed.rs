//! Where a loader takes its batches from: gathered on the spot, or by a thread that stays a few batches ahead.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, TryRecvError};

use super::assembler::Assembler;
use crate::{Batch, DataError, Result};

#[derive(Debug)]
pub(crate) enum Feed {
    Direct(Box<Assembler>),
    Ahead { batches: Option<Receiver<Result<Batch>>>, thread: Option<JoinHandle<()>> },
}

impl Feed {
    /// At most `prefetch` batches wait, and one more is being gathered.
    pub(crate) fn new(assembler: Assembler, prefetch: usize) -> Result<Self> {
        if prefetch == 0 {
            return Ok(Self::Direct(Box::new(assembler)));
        }
        let (sender, batches) = crossbeam_channel::bounded(prefetch);
        let gather = move || {
            for batch in assembler {
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("sagetrain-loader".into())
            .spawn(gather)
            .map_err(|error| DataError::Internal(format!("cannot start a loader thread: {error}")))?;
        Ok(Self::Ahead { batches: Some(batches), thread: Some(thread) })
    }

    pub(crate) fn next(&mut self) -> Option<Result<Batch>> {
        match self {
            Self::Direct(assembler) => assembler.next(),
            Self::Ahead { batches, thread } => match batches.as_ref()?.recv() {
                Ok(batch) => Some(batch),
                // The thread has ended: after its last batch, or by a panic.
                Err(_) => thread
                    .take()?
                    .join()
                    .err()
                    .map(|_| Err(DataError::Internal("the loader thread panicked".into()))),
            },
        }
    }

    /// As [`Feed::next`], but None instead of waiting.
    pub(crate) fn try_next(&mut self) -> Option<Option<Result<Batch>>> {
        if let Self::Ahead { batches: Some(batches), .. } = self {
            match batches.try_recv() {
                Ok(batch) => return Some(Some(batch)),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {}
            }
        }
        Some(self.next())
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Self::Ahead { batches, thread } = self {
            // Without a receiver the thread's next send fails, which ends it.
            drop(batches.take());
            if let Some(thread) = thread.take() {
                let _panicked = thread.join();
            }
        }
    }
}
