//! The first reading of a corpus: which lines are sound, which are held out, and whether the file is any good.

use std::collections::BTreeMap;
use std::path::Path;

use super::fingerprint::InputFile;
use super::held_out::{DEFAULT_VALID, Draw, Part};
use super::report::FileReport;
use super::tally::Tally;
use super::watch::look;
use super::{PrepareOptions, Watch};
use crate::text::{CorpusFiles, Pair, Pairs, Reason, Rejection};
use crate::{DataError, Result};

/// One corpus after its first reading.
#[derive(Debug)]
pub(crate) struct Surveyed {
    pub(crate) part: Part,
    pub(crate) corpus: CorpusFiles,
    pub(crate) files: Vec<FileReport>,
    pub(crate) lines: u64,
    pub(crate) tally: Tally,
    /// Lines that go to another part.
    pub(crate) held_out: BTreeMap<u64, Part>,
    /// Words a side, at most; sound lines above are left out.
    max_words: Option<usize>,
}

/// Reads a corpus once.
pub(crate) fn survey(
    part: Part,
    corpus: CorpusFiles,
    inputs: &[InputFile],
    options: &PrepareOptions,
    watch: &dyn Watch,
) -> Result<Surveyed> {
    let max_words = options.max_words.filter(|_| part == Part::Train);
    let given = [options.valid.is_some(), options.test.is_some()];
    let most = options.held_out.valid.unwrap_or(if given[0] { 0 } else { DEFAULT_VALID })
        + options.held_out.test.unwrap_or(0);
    let mut draw = Draw::new(options.held_out.seed, if part == Part::Train { most } else { 0 });
    let (mut lines, mut sound, mut tally) = (0, 0, Tally::default());
    let mut pairs = Pairs::open(&corpus)?;
    for pair in pairs.by_ref() {
        let Pair { line, content } = pair?;
        look(watch, "survey", lines)?;
        lines += 1;
        match content {
            Ok(_) => {
                sound += 1;
                draw.offer(line);
            }
            Err(rejection) => tally.add(line, rejection),
        }
    }
    if lines == 0 {
        let path = corpus.paths()?.first().map_or(Path::new(""), |path| path).to_owned();
        let (reason, remedy) = ("there is no line in it".into(), "give a file with sentences".into());
        return Err(DataError::Corpus { path, line: None, reason, remedy });
    }
    let files = pairs.facts().into_iter().zip(inputs);
    let files = files.map(|(facts, input)| FileReport { facts, sha256: input.sha256.clone() }).collect();
    let held_out =
        if part == Part::Train { hold_out(draw, sound, options, &corpus)? } else { BTreeMap::new() };
    Ok(Surveyed { part, corpus, files, lines, tally, held_out, max_words })
}

fn hold_out(
    draw: Draw,
    sound: u64,
    options: &PrepareOptions,
    corpus: &CorpusFiles,
) -> Result<BTreeMap<u64, Part>> {
    let (valid, test) = options.held_out.counts(sound, [options.valid.is_some(), options.test.is_some()]);
    if valid + test > sound / 2 {
        let file = corpus.paths()?.first().map(|path| path.display().to_string()).unwrap_or_default();
        let reason = format!("{} lines are to be held out of {sound} sound ones in {file}", valid + test);
        return Err(DataError::argument("heldOut", reason, "hold out at most half of them"));
    }
    Ok(draw.finish(valid, test))
}

impl Surveyed {
    /// A corpus of which more than half is bad is not what its user thinks it is.
    pub(crate) fn refuse_mostly_bad(&self) -> Result<()> {
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

    /// The sound pairs again, each with its part; what `max_words` leaves out comes as a rejection.
    pub(crate) fn pairs(&self) -> Result<impl Iterator<Item = Result<(Part, Pair)>> + Send + '_> {
        let keep = |pair: Result<Pair>| match pair {
            Ok(Pair { content: Err(_), .. }) => None,
            Ok(pair) => Some(Ok(self.place(pair))),
            Err(error) => Some(Err(error)),
        };
        Ok(Pairs::open(&self.corpus)?.filter_map(keep))
    }

    fn place(&self, mut pair: Pair) -> (Part, Pair) {
        if let Some(part) = self.held_out.get(&pair.line) {
            return (*part, pair);
        }
        if let (Ok((source, target)), Some(most)) = (&pair.content, self.max_words) {
            let long = |text: &str| text.split_whitespace().count() > most;
            let file = if long(source) { Some((0, source)) } else { None };
            let file = file.or_else(|| long(target).then_some((self.files.len() - 1, target)));
            if let Some((file, text)) = file {
                let excerpt = text.chars().take(120).collect();
                pair.content = Err(Rejection { file, reason: Reason::TooManyWords, excerpt });
            }
        }
        (self.part, pair)
    }
}
