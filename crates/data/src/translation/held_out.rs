//! Which training lines are held out: those whose draw is smallest, so that the choice needs one pass and little memory.

use std::collections::{BTreeMap, BinaryHeap};

use super::HeldOut;
use crate::random::{Random, Stream};

/// The parts of a prepared corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// Draws lines as they come.
#[derive(Debug)]
pub(crate) struct Draw {
    seed: u64,
    most: usize,
    /// The smallest draws so far, the greatest of them on top.
    smallest: BinaryHeap<(u64, u64)>,
}

impl Draw {
    /// Keeps at most `most` lines.
    pub(crate) fn new(seed: u64, most: u64) -> Self {
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
    pub(crate) fn finish(self, valid: u64, test: u64) -> BTreeMap<u64, Part> {
        let parts = std::iter::repeat_n(Part::Valid, valid as usize)
            .chain(std::iter::repeat_n(Part::Test, test as usize));
        self.smallest.into_sorted_vec().into_iter().zip(parts).map(|((_, line), part)| (line, part)).collect()
    }
}

/// Most lines that may be held out where nobody says how many.
pub(crate) const DEFAULT_VALID: u64 = 1_000;

impl HeldOut {
    /// Lines for (validation, test) out of `sound` ones; `given` says which parts have files of their own.
    pub(crate) fn counts(&self, sound: u64, given: [bool; 2]) -> (u64, u64) {
        let default = if given[0] { 0 } else { (sound / 20).min(DEFAULT_VALID) };
        (self.valid.unwrap_or(default), self.test.unwrap_or(0))
    }
}
