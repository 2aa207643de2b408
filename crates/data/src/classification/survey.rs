//! The first stage: the files of a part are read once, their samples are kept in blocks, rows are held out or drawn, and
//! whether the files are any good is known.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::labels::LabelsSeen;
use super::plan::PlannedPart;
use super::prepare::Job;
use super::rows::{RowBlock, Rows};
use super::sample::Label;
use super::text_block::{AboutText, TextBody};
use crate::parallel::ordered;
use crate::preparation::blocks::{Blocks, block_path, survey_path};
use crate::preparation::held_out::{Held, Part};
use crate::preparation::inputs::InputFile;
use crate::preparation::tally::Tally;
use crate::preparation::watch::{look, share};
use crate::preparation::{FileReport, block};
use crate::text::{Rejection, corpus};
use crate::{DataError, Result};

/// One part after the first stage.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Surveyed {
    pub(crate) part: Part,
    pub(crate) files: Vec<FileReport>,
    /// Rows that were read.
    pub(crate) rows: u64,
    /// Those of each file.
    rows_of: Vec<u64>,
    pub(crate) tally: Tally,
    #[serde(rename = "before")]
    pub(crate) blocks: Blocks,
    pub(crate) labels: LabelsSeen,
    /// By the numbers of their rows, from 1.
    pub(crate) held: Held,
    /// The rows to train on, where not all are.
    drawn: Option<BTreeSet<u64>>,
}

/// Reads a part, or finds that it has been read. Of a survey that has lost a block only that one is made again.
pub(super) fn survey(job: &Job<'_>, planned: &PlannedPart, inputs: &[InputFile]) -> Result<Surveyed> {
    let Job { options, work, watch, .. } = *job;
    let marker = survey_path(work, planned.part);
    let samples = |about: &AboutText| about.samples;
    if let Some(done) = block::read::<Surveyed>(&marker)?
        && done.about.blocks.are_whole((work, planned.part), options.threads(), watch, samples)?
    {
        return Ok(done.about);
    }
    look(watch, "survey", 0, 0.0)?;
    let surveyed = read(job, planned, inputs)?;
    block::write(&marker, &surveyed, &[])?;
    Ok(surveyed)
}

fn read(job: &Job<'_>, planned: &PlannedPart, inputs: &[InputFile]) -> Result<Surveyed> {
    let part = planned.part;
    let size = inputs.iter().map(InputFile::size).sum();
    let mut draws = (part == Part::Train).then(|| Draws::new(job.options, job.plan.validates()));
    let (mut blocks, mut surveyed) = (Rows::of(planned), Surveyed::new(part));
    let process = || |raw: RowBlock| process(job, planned, raw);
    ordered(job.options.threads(), &mut blocks, process, |(file, about, numbers, read)| {
        draws.iter_mut().for_each(|draws| numbers.iter().for_each(|row| draws.offer(*row)));
        surveyed.append(file, about, planned)?;
        look(job.watch, "survey", surveyed.rows, share(read, size))
    })?;
    surveyed.files = FileReport::all(blocks.into_facts(), inputs);
    // Of files that are refused there is nothing to hold out.
    if let Some(draws) = draws.filter(|_| surveyed.mostly_bad().is_none()) {
        (surveyed.held, surveyed.drawn) = draws.finish(surveyed.blocks.samples(), planned.first())?;
    }
    Ok(surveyed)
}

/// Processes a block, or finds it processed. Gives its file, what is said of it, the numbers of the rows whose samples are
/// in it, and the bytes that have been read.
fn process(job: &Job<'_>, planned: &PlannedPart, raw: RowBlock) -> Result<(usize, AboutText, Vec<u64>, u64)> {
    let path = block_path(job.work, planned.part, raw.index, "text");
    if let Some(done) = block::read::<AboutText>(&path)? {
        let numbers = done.samples(&path)?.iter().map(|sample| sample.row).collect();
        return Ok((raw.file, done.about, numbers, raw.read));
    }
    let (mut body, mut numbers) = (TextBody::default(), Vec::with_capacity(raw.rows.len()));
    for (row, number) in raw.rows.into_iter().zip(raw.before + 1..) {
        match row.content.and_then(|content| raw.layout.sample(&content, job.plan.kind)) {
            Ok(Some(sample)) if sample.label == Label::Late => {
                return Err(late_label(planned, raw.file, row.line));
            }
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
    Ok((raw.file, body.write(&path)?, numbers, raw.read))
}

/// Of a file with labels here and there nobody knows whether it is to be scored.
fn late_label(planned: &PlannedPart, file: usize, line: u64) -> DataError {
    let path = planned.files.get(file).map_or(planned.first(), |file| &file.path);
    let reason = "it has a label and the first row has none";
    corpus(path, Some(line), reason, "give all of them one, or none")
}

impl Surveyed {
    fn new(part: Part) -> Self {
        Self {
            part,
            files: Vec::new(),
            rows: 0,
            rows_of: Vec::new(),
            tally: Tally::default(),
            blocks: Blocks::default(),
            labels: LabelsSeen::default(),
            held: Held::default(),
            drawn: None,
        }
    }

    /// Adds what was seen in the next block, which is one of `file`.
    fn append(&mut self, file: usize, about: AboutText, planned: &PlannedPart) -> Result<()> {
        self.rows += about.rows;
        self.rows_of.resize(planned.files.len(), 0);
        self.rows_of[file] += about.rows;
        self.blocks.push(about.samples);
        self.tally.append(about.tally);
        self.labels.append(about.labels, planned)
    }

    /// The first file of which more than half is bad, with its bad rows and all of them.
    fn mostly_bad(&self) -> Option<(usize, u64, u64)> {
        let files = self.rows_of.iter().enumerate();
        let mut counted = files.map(|(file, rows)| (file, self.tally.bad_of(file), *rows));
        counted.find(|(_, bad, rows)| bad * 2 > *rows)
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

    /// A file of which more than half is bad is not what its user thinks it is; one that a test server asks for is needed
    /// whole.
    pub(crate) fn refuse_unusable(&self, planned: &PlannedPart) -> Result<()> {
        let (bad, rows) = (self.tally.bad(), self.rows);
        let refused = |file: usize, reason: String, remedy: &str| {
            let path = planned.files.get(file).map_or(planned.first(), |file| &file.path);
            Err(corpus(path, None, &reason, remedy))
        };
        let official = planned.files.first().and_then(|file| file.official.as_ref());
        if rows == 0 {
            return refused(0, "there is no row in it".into(), "give a file with samples");
        }
        if bad > 0 && official.is_some_and(|official| official.index.is_some()) {
            let what = self.tally.summary_of(&self.files);
            let reason = format!("{bad} of {rows} rows are bad, and the test server asks for each: {what}");
            return refused(self.tally.worst_file(), reason, "fetch the file again");
        }
        if let Some((file, bad, rows)) = self.mostly_bad() {
            let reason = format!("{bad} of {rows} rows are bad: {}", self.tally.summary_in(file));
            return refused(file, reason, "see that columns and header say how the file is written");
        }
        Ok(())
    }
}
