//! Which training lines are held out: those whose draw is smallest, so that the choice needs one pass and little memory,
//! or every so-many-th one.

use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

use super::{HeldOut, PrepareOptions};
use crate::random::{Random, Stream};
use crate::{DataError, Result};

/// The parts of a prepared corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Part {
    Train,
    Valid,
    Test,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

/// What was held out of a corpus.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Held {
    /// By line.
    pub(crate) lines: BTreeMap<u64, Part>,
    /// Every so-many-th pair goes to validation.
    pub(crate) every: Option<u64>,
}

impl Held {
    /// Where a pair goes that does not stay; `ordinal` counts the pairs from 0.
    pub(crate) fn part(&self, line: u64, ordinal: u64) -> Option<Part> {
        let regular = self.every.is_some_and(|every| (ordinal + 1).is_multiple_of(every));
        if regular { Some(Part::Valid) } else { self.lines.get(&line).copied() }
    }
}

/// Draws lines as they come.
#[derive(Debug)]
pub(crate) struct Draw {
    seed: u64,
    most: usize,
    /// The smallest draws so far, the greatest of them on top.
    smallest: BinaryHeap<(u64, u64)>,
}

/// Most lines that may be held out where nobody says how many.
const DEFAULT_VALID: u64 = 1_000;

impl Draw {
    /// Keeps as many lines as may be held out of this part.
    pub(crate) fn of(part: Part, options: &PrepareOptions) -> Self {
        let HeldOut { valid, test, seed, every } = options.held_out;
        let none = part != Part::Train || every.is_some();
        let default = if options.valid.is_some() { 0 } else { DEFAULT_VALID };
        let most = if none { 0 } else { valid.unwrap_or(default).saturating_add(test.unwrap_or(0)) };
        Self { seed, most: usize::try_from(most).unwrap_or(usize::MAX), smallest: BinaryHeap::new() }
    }

    pub(crate) fn offer(&mut self, line: u64) {
        if self.most == 0 {
            return;
        }
        self.smallest.push((Random::new(self.seed, Stream::HeldOut, line).wide(), line));
        if self.smallest.len() > self.most {
            self.smallest.pop();
        }
    }

    /// The part of each line drawn: the smallest draws are for validation, the next for the test.
    fn finish(self, valid: u64, test: u64) -> BTreeMap<u64, Part> {
        let parts = std::iter::repeat_n(Part::Valid, valid as usize)
            .chain(std::iter::repeat_n(Part::Test, test as usize));
        self.smallest.into_sorted_vec().into_iter().zip(parts).map(|((_, line), part)| (line, part)).collect()
    }
}

/// Chooses among the `pairs` that were offered.
pub(crate) fn hold_out(draw: Draw, pairs: u64, options: &PrepareOptions) -> Result<Held> {
    let HeldOut { valid, test, every, .. } = options.held_out;
    if every.is_some() {
        return Ok(Held { lines: BTreeMap::new(), every });
    }
    let default = if options.valid.is_some() { 0 } else { (pairs / 20).min(DEFAULT_VALID) };
    let (valid, test) = (valid.unwrap_or(default), test.unwrap_or(0));
    if valid.saturating_add(test) > pairs / 2 {
        let file = options.train().paths()?.first().map(|path| path.display().to_string());
        let (count, file) = (valid.saturating_add(test), file.unwrap_or_default());
        let reason = format!("{count} lines are to be held out of {pairs} that are left of {file}");
        return Err(DataError::argument("heldOut", reason, "hold out at most half of them"));
    }
    Ok(Held { lines: draw.finish(valid, test), every })
}
