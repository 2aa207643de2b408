//! Which training lines are held out: those whose draw is smallest, so that the choice needs one pass and little memory,
//! or every so-many-th one.

use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::random::{Random, Stream};
use crate::{DataError, Result};

/// How many training lines become another part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HeldOut {
    /// Lines for validation, drawn by the seed and their numbers. Default one in twenty, at most 1,000, where there are
    /// no validation files; 0 for none.
    pub valid: Option<u64>,
    /// Lines for the test, drawn likewise. Default none.
    pub test: Option<u64>,
    /// Default 0.
    pub seed: u64,
    /// Instead: every so-many-th line that is left after cleaning goes to validation.
    pub every: Option<u64>,
}

impl HeldOut {
    /// Lines that may be drawn; `validates`: there are validation files.
    pub(crate) fn most(&self, validates: bool) -> u64 {
        let default = if validates { 0 } else { DEFAULT_VALID };
        let asked = self.valid.unwrap_or(default).saturating_add(self.test.unwrap_or(0));
        if self.every.is_some() { 0 } else { asked }
    }

    /// Whether lines are held out for validation though nobody says how many; `validates`: there are validation files.
    pub(crate) fn unasked(&self, validates: bool) -> bool {
        !validates && self.valid.is_none() && self.every.is_none()
    }

    /// Refuses what has no effect beside validation and test files, and what leaves nothing to train on.
    pub(crate) fn validate(&self, validates: bool, tests: bool) -> Result<()> {
        let without_effect = |option, with: &str| {
            Err(DataError::argument(option, format!("it has no effect {with}"), "leave one of them out"))
        };
        match self {
            Self { valid: Some(_), .. } if validates => {
                without_effect("heldOut.valid", "with validation files")
            }
            Self { every: Some(_), .. } if validates => {
                without_effect("heldOut.every", "with validation files")
            }
            Self { test: Some(_), .. } if tests => without_effect("heldOut.test", "with test files"),
            Self { every: Some(_), valid: Some(_), .. } => {
                without_effect("heldOut.valid", "with heldOut.every")
            }
            Self { every: Some(_), test: Some(_), .. } => {
                let reason = "it cannot go with heldOut.every";
                Err(DataError::argument("heldOut.test", reason, "give test files"))
            }
            Self { every: Some(0 | 1), .. } => {
                let reason = "it is below 2, which leaves nothing to train on";
                Err(DataError::argument("heldOut.every", reason, "23 is IWSLT's"))
            }
            _ => Ok(()),
        }
    }
}

/// The parts of a prepared corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Part {
    Train,
    Valid,
    Test,
    /// MNLI's development set from sources that its training part has none of.
    ValidMismatched,
    /// Its test set from there.
    TestMismatched,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
            Self::ValidMismatched => "validMismatched",
            Self::TestMismatched => "testMismatched",
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
    stream: Stream,
    most: usize,
    /// The smallest draws so far, the greatest of them on top.
    smallest: BinaryHeap<(u64, u64)>,
}

/// Most lines that may be held out where nobody says how many.
const DEFAULT_VALID: u64 = 1_000;

impl Draw {
    /// Keeps `most` lines.
    pub(crate) fn new(seed: u64, stream: Stream, most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { seed, stream, most, smallest: BinaryHeap::new() }
    }

    /// Keeps as many lines as may be held out of the training part; `validates`: there are validation files.
    pub(crate) fn of(held_out: &HeldOut, validates: bool) -> Self {
        Self::new(held_out.seed, Stream::HeldOut, held_out.most(validates))
    }

    pub(crate) fn offer(&mut self, line: u64) {
        if self.most == 0 {
            return;
        }
        self.smallest.push((Random::new(self.seed, self.stream, line).wide(), line));
        if self.smallest.len() > self.most {
            self.smallest.pop();
        }
    }

    /// The lines kept, that of the smallest draw first.
    pub(crate) fn into_lines(self) -> impl Iterator<Item = u64> {
        self.smallest.into_sorted_vec().into_iter().map(|(_, line)| line)
    }

    /// The part of each line drawn: the smallest draws are for validation, the next for the test.
    fn finish(self, valid: u64, test: u64) -> BTreeMap<u64, Part> {
        let parts = std::iter::repeat_n(Part::Valid, valid as usize)
            .chain(std::iter::repeat_n(Part::Test, test as usize));
        self.into_lines().zip(parts).collect()
    }
}

/// Chooses among the `lines` of `file` that were offered.
pub(crate) fn hold_out(
    draw: Draw,
    lines: u64,
    held_out: &HeldOut,
    validates: bool,
    file: &Path,
) -> Result<Held> {
    let HeldOut { valid, test, every, .. } = *held_out;
    if every.is_some() {
        return Ok(Held { lines: BTreeMap::new(), every });
    }
    let default = if validates { 0 } else { (lines / 20).min(DEFAULT_VALID) };
    let (valid, test) = (valid.unwrap_or(default), test.unwrap_or(0));
    let count = valid.saturating_add(test);
    if count > lines / 2 {
        let file = file.display();
        let reason = format!("{count} lines are to be held out of {lines} that are left of {file}");
        return Err(DataError::argument("heldOut", reason, "hold out at most half of them"));
    }
    Ok(Held { lines: draw.finish(valid, test), every })
}
