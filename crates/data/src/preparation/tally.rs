//! Lines that are left out, counted while a corpus is read.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::report::{Example, FileReport, Rejected};
use crate::text::{Reason, Rejection};

/// Examples that are shown of a reason; line numbers are complete.
const EXAMPLES: usize = 5;

/// Collects rejections while a corpus is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub(crate) struct Tally {
    found: BTreeMap<(usize, Reason), Found>,
}

/// A row of a tally, as files keep it.
type Entry = (usize, Reason, Found);

impl From<Vec<Entry>> for Tally {
    fn from(entries: Vec<Entry>) -> Self {
        Self { found: entries.into_iter().map(|(file, reason, found)| ((file, reason), found)).collect() }
    }
}

impl From<Tally> for Vec<Entry> {
    fn from(tally: Tally) -> Self {
        tally.found.into_iter().map(|((file, reason), found)| (file, reason, found)).collect()
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Found {
    count: u64,
    lines: Vec<[u64; 2]>,
    examples: Vec<Example>,
}

impl Tally {
    /// Lines of one file and reason must come in rising order.
    pub(crate) fn add(&mut self, line: u64, rejection: Rejection) {
        let found = self.found.entry((rejection.file, rejection.reason)).or_default();
        found.count += 1;
        push_run(&mut found.lines, line);
        if found.examples.len() < EXAMPLES {
            found.examples.push(Example { line, text: rejection.excerpt });
        }
    }

    /// Adds what was found in lines that come after these.
    pub(crate) fn append(&mut self, later: Self) {
        for (key, found) in later.found {
            let into = self.found.entry(key).or_default();
            into.count += found.count;
            for run in found.lines {
                match into.lines.last_mut() {
                    Some([_, last]) if *last + 1 == run[0] => *last = run[1],
                    _ => into.lines.push(run),
                }
            }
            let room = EXAMPLES.saturating_sub(into.examples.len());
            into.examples.extend(found.examples.into_iter().take(room));
        }
    }

    pub(crate) fn bad(&self) -> u64 {
        self.count(false)
    }

    /// Those of one file.
    pub(crate) fn bad_of(&self, file: usize) -> u64 {
        let bad = self.found.iter().filter(|((of, reason), _)| *of == file && !reason.is_choice());
        bad.map(|(_, found)| found.count).sum()
    }

    pub(crate) fn filtered(&self) -> u64 {
        self.count(true)
    }

    fn count(&self, choice: bool) -> u64 {
        self.found
            .iter()
            .filter(|((_, reason), _)| reason.is_choice() == choice)
            .map(|(_, found)| found.count)
            .sum()
    }

    /// Lines that were left out, by reason, of all files together.
    pub(crate) fn by_reason(&self) -> BTreeMap<Reason, u64> {
        let mut counts = BTreeMap::new();
        for ((_, reason), found) in &self.found {
            *counts.entry(*reason).or_default() += found.count;
        }
        counts
    }

    /// The file with the most flaws, the first of such.
    pub(crate) fn worst_file(&self) -> usize {
        let mut counts = BTreeMap::new();
        for ((file, _), found) in self.found.iter().filter(|((_, reason), _)| !reason.is_choice()) {
            *counts.entry(*file).or_insert(0) += found.count;
        }
        counts
            .into_iter()
            .max_by_key(|(file, count)| (*count, std::cmp::Reverse(*file)))
            .map_or(0, |(file, _)| file)
    }

    /// The flaws for a message, the most frequent first: `no tab between source and target (812, first in line 3)`.
    pub(crate) fn summary(&self) -> String {
        self.summarise(|_| true, |_, line| format!("line {line}"))
    }

    /// The same of one file alone.
    pub(crate) fn summary_in(&self, file: usize) -> String {
        self.summarise(|of| of == file, |_, line| format!("line {line}"))
    }

    /// The same where lines are counted in each of several files: `no label (2, first in more.tsv:7)`.
    pub(crate) fn summary_of(&self, files: &[FileReport]) -> String {
        match files {
            [] | [_] => self.summary(),
            files => {
                self.summarise(|_| true, |file, line| format!("{}:{line}", name_of(files, file).display()))
            }
        }
    }

    fn summarise(&self, of: impl Fn(usize) -> bool, place: impl Fn(usize, u64) -> String) -> String {
        let flaws = self.found.iter().filter(|((file, reason), _)| of(*file) && !reason.is_choice());
        let mut flaws: Vec<_> = flaws.collect();
        flaws.sort_by_key(|(_, found)| std::cmp::Reverse(found.count));
        let say = |((file, reason), found): &(&(usize, Reason), &Found)| {
            let first = place(*file, found.lines.first().map_or(0, |run| run[0]));
            format!("{} ({}, first in {first})", reason.what(), found.count)
        };
        flaws.iter().map(say).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn report(&self, files: &[FileReport]) -> Vec<Rejected> {
        let one = |((file, reason), found): (&(usize, Reason), &Found)| Rejected {
            file: name_of(files, *file).to_owned(),
            reason: *reason,
            what: reason.what().to_owned(),
            count: found.count,
            lines: found.lines.clone(),
            examples: found.examples.clone(),
        };
        self.found.iter().map(one).collect()
    }
}

fn name_of(files: &[FileReport], file: usize) -> &Path {
    files.get(file).map_or(Path::new(""), |file| &file.facts.path)
}

/// Adds a line to runs that rise.
pub(crate) fn push_run(runs: &mut Vec<[u64; 2]>, line: u64) {
    match runs.last_mut() {
        Some([_, last]) if *last + 1 == line => *last = line,
        _ => runs.push([line, line]),
    }
}
