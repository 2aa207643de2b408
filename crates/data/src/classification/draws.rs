//! Which rows of the training part are held out, and which of the others are trained on where `limit` leaves some out.

use std::collections::BTreeSet;
use std::path::Path;

use super::PrepareOptions;
use crate::Result;
use crate::preparation::held_out::{Draw, Held, hold_out};
use crate::random::Stream;

/// Draws rows as they come.
pub(super) struct Draws<'a> {
    options: &'a PrepareOptions,
    validates: bool,
    held: Draw,
    limit: Option<Draw>,
    /// Rows so far.
    offered: u64,
}

impl<'a> Draws<'a> {
    pub(super) fn new(options: &'a PrepareOptions, validates: bool) -> Self {
        let held_out = &options.held_out;
        // Rows that turn out to be held out are not trained on, so that many more are drawn.
        let limit = options.limit.map(|limit| {
            let most = limit.saturating_add(held_out.most(validates));
            Draw::new(options.limit_seed.unwrap_or(0), Stream::Limit, most)
        });
        Self { options, validates, held: Draw::of(held_out, validates), limit, offered: 0 }
    }

    pub(super) fn offer(&mut self, row: u64) {
        self.offered += 1;
        let regular = self.options.held_out.every.is_some_and(|every| self.offered.is_multiple_of(every));
        self.held.offer(row);
        if let Some(limit) = self.limit.as_mut().filter(|_| !regular) {
            limit.offer(row);
        }
    }

    /// What is held out of `file` and, with a limit, the rows to train on.
    pub(super) fn finish(self, samples: u64, file: &Path) -> Result<(Held, Option<BTreeSet<u64>>)> {
        let held = hold_out(self.held, samples, &self.options.held_out, self.validates, file)?;
        let most = usize::try_from(self.options.limit.unwrap_or(0)).unwrap_or(usize::MAX);
        let drawn = self
            .limit
            .map(|limit| limit.into_lines().filter(|row| !held.lines.contains_key(row)).take(most).collect());
        Ok((held, drawn))
    }
}
