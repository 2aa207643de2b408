//! The first stage: a corpus is read once, its pairs are processed and kept in blocks, lines are left out or held out,
//! and whether the corpus is any good is known.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::steps::Steps;
use super::text_block::{AboutText, TextBody};
use super::{PrepareOptions, Watch};
use crate::parallel::ordered;
use crate::preparation::FileReport;
use crate::preparation::block;
use crate::preparation::blocks::{Blocks, block_path, survey_path};
use crate::preparation::held_out::{Draw, Held, Part, hold_out};
use crate::preparation::inputs::InputFile;
use crate::preparation::tally::Tally;
use crate::preparation::watch::{look, share};
use crate::text::{CorpusFiles, Pair, Pairs};
use crate::{DataError, Result};

/// Lines of a block, at most ...
const BLOCK_LINES: usize = 16_384;
/// ... and bytes of its sentences, but for its last line.
const BLOCK_BYTES: usize = 4 << 20;

/// One corpus after the first stage.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Surveyed {
    pub(crate) part: Part,
    pub(crate) files: Vec<FileReport>,
    pub(crate) lines: u64,
    pub(crate) tally: Tally,
    /// Samples are pairs.
    #[serde(rename = "before")]
    pub(crate) blocks: Blocks,
    pub(crate) held: Held,
}

/// Lines of a corpus as they are read.
struct Raw {
    index: usize,
    pairs: Vec<Pair>,
    /// Bytes taken from the disk by now.
    read: u64,
}

struct RawBlocks {
    pairs: Pairs,
    index: usize,
}

/// Reads a corpus, or finds that it has been read. Of a survey that has lost a block only that one is made again.
pub(crate) fn survey(
    work: &Path,
    part: Part,
    corpus: &CorpusFiles,
    inputs: &[InputFile],
    options: &PrepareOptions,
    steps: &Steps,
    watch: &dyn Watch,
) -> Result<Surveyed> {
    let marker = survey_path(work, part);
    let pairs = |about: &AboutText| about.pairs;
    if let Some(done) = block::read::<Surveyed>(&marker)?
        && done.about.blocks.are_whole((work, part), options.threads(), watch, pairs)?
    {
        return Ok(done.about);
    }
    look(watch, "survey", 0, 0.0)?;
    let size = inputs.iter().map(InputFile::size).sum();
    let last = inputs.len() - 1;
    let mut raw = RawBlocks { pairs: Pairs::open(corpus)?, index: 0 };
    let training = part == Part::Train;
    let mut draw = training.then(|| Draw::of(&options.held_out, options.valid.is_some()));
    let (mut lines, mut tally, mut blocks) = (0, Tally::default(), Blocks::default());
    let process = || |raw: Raw| process(work, part, raw, last, steps);
    ordered(options.threads(), &mut raw, process, |(about, numbers, read)| {
        draw.iter_mut().for_each(|draw| numbers.iter().for_each(|line| draw.offer(*line)));
        lines += about.lines;
        blocks.push(about.pairs);
        tally.append(about.tally);
        look(watch, "survey", lines, share(read, size))
    })?;
    let path = corpus.paths()?.first().map_or(Path::new(""), |path| path).to_owned();
    if lines == 0 {
        let (reason, remedy) = ("there is no line in it".into(), "give a file with sentences".into());
        return Err(DataError::Corpus { path, line: None, reason, remedy });
    }
    let files = FileReport::all(raw.pairs.facts(), inputs);
    let (pairs, asked) = (blocks.samples(), &options.held_out);
    let held = draw.map(|draw| hold_out(draw, pairs, asked, options.valid.is_some(), &path));
    let held = held.transpose()?.unwrap_or_default();
    let surveyed = Surveyed { part, files, lines, tally, blocks, held };
    block::write(&marker, &surveyed, &[])?;
    Ok(surveyed)
}

impl Iterator for RawBlocks {
    type Item = Result<Raw>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut pairs, mut bytes) = (Vec::with_capacity(BLOCK_LINES), 0);
        while pairs.len() < BLOCK_LINES && bytes < BLOCK_BYTES {
            match self.pairs.next() {
                Some(Ok(pair)) => {
                    bytes += pair.content.as_ref().map_or(0, |(source, target)| source.len() + target.len());
                    pairs.push(pair);
                }
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        self.index += 1;
        (!pairs.is_empty()).then(|| Ok(Raw { index: self.index - 1, pairs, read: self.pairs.bytes_read() }))
    }
}

/// Processes a block, or finds it processed. Also gives the numbers of the lines that are in it.
fn process(
    work: &Path,
    part: Part,
    raw: Raw,
    last: usize,
    steps: &Steps,
) -> Result<(AboutText, Vec<u64>, u64)> {
    let path = block_path(work, part, raw.index, "text");
    if let Some(done) = block::read::<AboutText>(&path)? {
        let numbers = done.pairs(&path)?.map(|pair| pair.line).collect();
        return Ok((done.about, numbers, raw.read));
    }
    let (lines, mut tally) = (raw.pairs.len() as u64, Tally::default());
    let (mut body, mut numbers) = (TextBody::default(), Vec::with_capacity(raw.pairs.len()));
    for Pair { line, content } in raw.pairs {
        match content.and_then(|pair| steps.apply(pair, last, part == Part::Train)) {
            Ok(pair) => {
                body.push(line, &pair);
                numbers.push(line);
            }
            Err(rejection) => tally.add(line, rejection),
        }
    }
    Ok((body.write(&path, lines, tally)?, numbers, raw.read))
}

impl Surveyed {
    /// Pairs that are not held out.
    pub(crate) fn left(&self) -> u64 {
        let regular = self.held.every.map_or(0, |every| self.blocks.samples() / every);
        self.blocks.samples().saturating_sub(regular).saturating_sub(self.held.lines.len() as u64)
    }

    /// The part that a pair goes to; `ordinal` counts the pairs of the corpus from 0.
    pub(crate) fn place(&self, line: u64, ordinal: u64) -> Part {
        self.held.part(line, ordinal).unwrap_or(self.part)
    }

    /// A corpus of which more than half is bad, or whose pairs may be shifted, is not what its user thinks it is.
    pub(crate) fn refuse_unusable(&self) -> Result<()> {
        if let [source, target] = &self.files[..]
            && source.facts.lines != target.facts.lines
        {
            let (lines, other) = (source.facts.lines, target.facts.lines);
            return Err(DataError::Corpus {
                path: source.facts.path.clone(),
                line: None,
                reason: format!("it has {lines} lines, {} has {other}", target.facts.path.display()),
                remedy: "give translations of each other line by line, an empty line where one is missing"
                    .into(),
            });
        }
        let bad = self.tally.bad();
        if bad * 2 <= self.lines {
            return Ok(());
        }
        let path = self.files.first().map_or(Path::new(""), |file| &file.facts.path);
        Err(DataError::Corpus {
            path: path.to_owned(),
            line: None,
            reason: format!("{bad} of {} lines are bad: {}", self.lines, self.tally.summary()),
            remedy: "give one sentence a line in UTF-8: a TSV with one tab a line, or two files line by line"
                .into(),
        })
    }
}
