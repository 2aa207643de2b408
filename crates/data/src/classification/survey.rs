//! The first stage: the files of a part are read once, their samples are kept in blocks, rows are held out or drawn, and
//! whether the files are any good is known.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::labels::LabelsSeen;
use super::plan::{Plan, PlannedPart};
use super::rows::{RowBlock, Rows};
use super::text_block::{AboutText, TextBody};
use super::{Kind, PrepareOptions};
use crate::parallel::ordered;
use crate::preparation::held_out::{Draw, Held, Part, hold_out};
use crate::preparation::inputs::InputFile;
use crate::preparation::tally::Tally;
use crate::preparation::watch::{look, share};
use crate::preparation::{FileReport, Watch, block};
use crate::random::Stream;
use crate::text::Rejection;
use crate::{DataError, Result};

/// One part after the first stage.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Surveyed {
    pub(crate) part: Part,
    pub(crate) files: Vec<FileReport>,
    /// Rows that were read.
    pub(crate) rows: u64,
    pub(crate) tally: Tally,
    /// Samples before each block, and after the last.
    pub(crate) before: Vec<u64>,
    pub(crate) labels: LabelsSeen,
    /// By the numbers of their rows, from 1.
    pub(crate) held: Held,
    /// The rows to train on, where not all are.
    drawn: Option<BTreeSet<u64>>,
}

/// Draws rows of the training part as they come.
struct Draws<'a> {
    options: &'a PrepareOptions,
    validates: bool,
    held: Draw,
    limit: Option<Draw>,
    offered: u64,
}

/// Where the block `index` of a part lies; `kind` is `text` or `ids`.
pub(crate) fn block_path(work: &Path, part: Part, index: usize, kind: &str) -> PathBuf {
    work.join("blocks").join(format!("{}-{index:06}.{kind}", part.name()))
}

/// Reads a part, or finds that it has been read. Of a survey that has lost a block only that one is made again.
pub(crate) fn survey(
    work: &Path,
    plan: &Plan,
    planned: &PlannedPart,
    inputs: &[InputFile],
    options: &PrepareOptions,
    watch: &dyn Watch,
) -> Result<Surveyed> {
    let part = planned.part;
    let marker = work.join("blocks").join(format!("{}.survey", part.name()));
    if let Some(done) = block::read::<Surveyed>(&marker)?
        && done.about.is_whole(work, options, watch)?
    {
        return Ok(done.about);
    }
    look(watch, "survey", 0, 0.0)?;
    let size = inputs.iter().map(InputFile::size).sum();
    let mut blocks = Rows::of(planned);
    let mut draws = (part == Part::Train).then(|| Draws::new(options, plan.validates()));
    let mut labels = LabelsSeen::default();
    let (mut rows, mut tally, mut before) = (0, Tally::default(), vec![0]);
    let process = || |raw: RowBlock| process(work, part, raw, plan.kind);
    ordered(options.threads(), &mut blocks, process, |(about, numbers, read)| {
        draws.iter_mut().for_each(|draws| numbers.iter().for_each(|row| draws.offer(*row)));
        rows += about.rows;
        before.push(before.last().copied().unwrap_or(0) + about.samples);
        labels.append(about.labels, planned)?;
        tally.append(about.tally);
        look(watch, "survey", rows, share(read, size))
    })?;
    let samples = before.last().copied().unwrap_or(0);
    let files = blocks.into_facts().into_iter().zip(inputs);
    let files = files.map(|(facts, input)| FileReport { facts, sha256: input.sha256.clone() }).collect();
    // Of files that are refused there is nothing to hold out.
    let (held, drawn) = match draws.filter(|_| tally.bad() * 2 <= rows) {
        Some(draws) => draws.finish(samples, planned.first())?,
        None => (Held::default(), None),
    };
    let surveyed = Surveyed { part, files, rows, tally, before, labels, held, drawn };
    block::write(&marker, &surveyed, &[])?;
    Ok(surveyed)
}

/// Processes a block, or finds it processed. Also gives the numbers of the rows whose samples are in it.
fn process(work: &Path, part: Part, raw: RowBlock, kind: Kind) -> Result<(AboutText, Vec<u64>, u64)> {
    let path = block_path(work, part, raw.index, "text");
    if let Some(done) = block::read::<AboutText>(&path)? {
        let numbers = done.samples(&path)?.iter().map(|sample| sample.row).collect();
        return Ok((done.about, numbers, raw.read));
    }
    let (mut body, mut numbers) = (TextBody::default(), Vec::with_capacity(raw.rows.len()));
    for (row, number) in raw.rows.into_iter().zip(raw.before + 1..) {
        match row.content.and_then(|content| raw.layout.sample(&content, kind)) {
            Ok(Some(sample)) => {
                body.push(number, (raw.file, row.line), sample);
                body.about.rows += 1;
                numbers.push(number);
            }
            Err((reason, excerpt)) if !raw.layout.leaves_flaws() => {
                body.about.tally.add(row.line, Rejection { file: raw.file, reason, excerpt });
                body.about.rows += 1;
            }
            Ok(None) | Err(_) => {}
        }
    }
    Ok((body.write(&path)?, numbers, raw.read))
}

impl<'a> Draws<'a> {
    fn new(options: &'a PrepareOptions, validates: bool) -> Self {
        let held_out = &options.held_out;
        // Rows that turn out to be held out are not trained on, so that many more are drawn.
        let limit = options.limit.map(|limit| {
            let most = limit.saturating_add(held_out.most(validates));
            Draw::new(options.limit_seed.unwrap_or(0), Stream::Limit, most)
        });
        Self { options, validates, held: Draw::of(held_out, validates), limit, offered: 0 }
    }

    fn offer(&mut self, row: u64) {
        self.offered += 1;
        let regular = self.options.held_out.every.is_some_and(|every| self.offered.is_multiple_of(every));
        self.held.offer(row);
        if let Some(limit) = self.limit.as_mut().filter(|_| !regular) {
            limit.offer(row);
        }
    }

    fn finish(self, samples: u64, file: &Path) -> Result<(Held, Option<BTreeSet<u64>>)> {
        let held = hold_out(self.held, samples, &self.options.held_out, self.validates, file)?;
        let most = usize::try_from(self.options.limit.unwrap_or(0)).unwrap_or(usize::MAX);
        let drawn = self
            .limit
            .map(|limit| limit.into_lines().filter(|row| !held.lines.contains_key(row)).take(most).collect());
        Ok((held, drawn))
    }
}

impl Surveyed {
    /// Whether all blocks are still what they were: they may have been lost with the power after the survey was kept.
    fn is_whole(&self, work: &Path, options: &PrepareOptions, watch: &dyn Watch) -> Result<bool> {
        let check = || {
            |index: usize| {
                let block = block::read::<AboutText>(&block_path(work, self.part, index, "text"))?;
                let samples = self.before[index + 1] - self.before[index];
                Ok((index, block.is_some_and(|block| block.about.samples == samples)))
            }
        };
        let mut whole = true;
        ordered(options.threads(), (0..self.blocks()).map(Ok), check, |(index, found)| {
            whole &= found;
            look(watch, "survey", self.before[index + 1], share(self.before[index + 1], self.samples()))
        })?;
        Ok(whole)
    }

    pub(crate) fn blocks(&self) -> usize {
        self.before.len() - 1
    }

    /// Samples in all blocks.
    pub(crate) fn samples(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// The rows to train on, where not all are.
    pub(crate) fn drawn(&self) -> impl Iterator<Item = u64> {
        self.drawn.iter().flatten().copied()
    }

    /// The part that a sample goes to, None for one that was not drawn; `ordinal` counts the samples of the part from 0.
    pub(crate) fn place(&self, row: u64, ordinal: u64) -> Option<Part> {
        let drawn = || self.drawn.as_ref().is_none_or(|drawn| drawn.contains(&row));
        self.held.part(row, ordinal).or_else(|| drawn().then_some(self.part))
    }

    /// A part of which more than half is bad is not what its user thinks it is; one that a test server asks for is needed
    /// whole.
    pub(crate) fn refuse_unusable(&self, planned: &PlannedPart) -> Result<()> {
        let bad = self.tally.bad();
        let refused = |reason: String, remedy: &str| {
            let path = planned.first().to_owned();
            Err(DataError::Corpus { path, line: None, reason, remedy: remedy.into() })
        };
        let official = planned.files.first().and_then(|file| file.official.as_ref());
        let whole = official.is_some_and(|official| official.index.is_some());
        if self.rows == 0 {
            return refused("there is no row in it".into(), "give a file with samples");
        }
        if whole && bad > 0 {
            let reason = format!(
                "{bad} of {} rows are bad, and the test server asks for each: {}",
                self.rows,
                self.tally.summary()
            );
            return refused(reason, "fetch the file again");
        }
        if bad * 2 <= self.rows {
            return Ok(());
        }
        let reason = format!("{bad} of {} rows are bad: {}", self.rows, self.tally.summary());
        refused(reason, "see that columns and header say how the file is written")
    }
}
