//! Lines that are left out, counted while a corpus is read.

use std::collections::BTreeMap;

use super::report::{Example, FileReport, Rejected};
use crate::text::{Reason, Rejection};

/// Examples that are shown of a reason; line numbers are complete.
const EXAMPLES: usize = 5;

/// Collects rejections while a corpus is read.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    found: BTreeMap<(usize, Reason), Found>,
}

#[derive(Debug, Default)]
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

    pub(crate) fn bad(&self) -> u64 {
        self.count(false)
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

    /// The flaws for a message, the most frequent first: `no tab between source and target (812, first in line 3)`.
    pub(crate) fn summary(&self) -> String {
        let mut flaws: Vec<_> = self.found.iter().filter(|((_, reason), _)| !reason.is_choice()).collect();
        flaws.sort_by_key(|(_, found)| std::cmp::Reverse(found.count));
        let say = |((_, reason), found): &(&(usize, Reason), &Found)| {
            let first = found.lines.first().map_or(0, |run| run[0]);
            format!("{} ({}, first in line {first})", reason.what(), found.count)
        };
        flaws.iter().map(say).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn report(&self, files: &[FileReport]) -> Vec<Rejected> {
        let name = |file: usize| files.get(file).map(|file| file.facts.path.clone()).unwrap_or_default();
        let one = |((file, reason), found): (&(usize, Reason), &Found)| Rejected {
            file: name(*file),
            reason: *reason,
            what: reason.what().to_owned(),
            count: found.count,
            lines: found.lines.clone(),
            examples: found.examples.clone(),
        };
        self.found.iter().map(one).collect()
    }
}

/// Adds a line to runs that rise.
pub(crate) fn push_run(runs: &mut Vec<[u64; 2]>, line: u64) {
    match runs.last_mut() {
        Some([_, last]) if *last + 1 == line => *last = line,
        _ => runs.push([line, line]),
    }
}
