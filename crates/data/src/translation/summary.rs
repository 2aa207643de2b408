//! From tallies to the report and its warnings.

use std::collections::BTreeMap;

use super::held_out::Part;
use super::report::{PartReport, Report};
use super::survey::Surveyed;
use super::tally::push_run;
use super::{PrepareOptions, PreparedPart};
use crate::Tokenizer;

/// What became of one corpus, of which `kept` pairs are in a dataset.
pub(crate) fn part_report(surveyed: &Surveyed, kept: u64) -> PartReport {
    PartReport {
        part: surveyed.part.name().to_owned(),
        files: surveyed.files.clone(),
        lines: surveyed.lines,
        kept,
        bad: surveyed.tally.bad(),
        filtered: surveyed.tally.filtered(),
        rejected: surveyed.tally.report(&surveyed.files),
    }
}

/// The report of all corpora.
pub(crate) fn report(
    corpora: &[Surveyed],
    parts: &BTreeMap<String, PreparedPart>,
    sources_also_in_train: BTreeMap<String, u64>,
    options: &PrepareOptions,
    tokenizer: &Tokenizer,
) -> Report {
    let samples = |part: Part| parts.get(part.name()).map_or(0, |part| part.samples);
    let mut held_out: BTreeMap<String, Vec<[u64; 2]>> = BTreeMap::new();
    for (line, part) in corpora.iter().flat_map(|surveyed| &surveyed.held_out) {
        push_run(held_out.entry(part.name().to_owned()).or_default(), *line);
    }
    let held_out_seed = (!held_out.is_empty()).then_some(options.held_out.seed);
    let warnings = warnings(corpora, parts, &sources_also_in_train, options, tokenizer);
    let parts = corpora.iter().map(|surveyed| part_report(surveyed, samples(surveyed.part))).collect();
    Report { schema: 1, parts, held_out, held_out_seed, sources_also_in_train, warnings }
}

fn warnings(
    corpora: &[Surveyed],
    parts: &BTreeMap<String, PreparedPart>,
    overlaps: &BTreeMap<String, u64>,
    options: &PrepareOptions,
    tokenizer: &Tokenizer,
) -> Vec<String> {
    let mut warnings: Vec<_> = corpora.iter().flat_map(of_corpus).collect();
    let held_out = parts.get("valid").filter(|_| options.valid.is_none() && options.held_out.valid.is_none());
    if let Some(valid) = held_out {
        let (samples, seed) = (valid.samples, options.held_out.seed);
        warnings.push(format!("valid: without files, {samples} training lines are held out (seed {seed})"));
    }
    for (part, count) in overlaps.iter().filter(|(_, count)| **count > 0) {
        let samples = parts.get(part).map_or(0, |part| part.samples);
        warnings.push(format!("{part}: {count} of {samples} sources are training sources too"));
    }
    let size = options.vocabulary.size();
    if options.vocabulary.tokenizer.is_none() && tokenizer.vocabulary() < size {
        let found = tokenizer.vocabulary();
        warnings.push(format!("vocabulary: the training text yields {found} tokens, {size} were asked for"));
    }
    warnings
}

fn of_corpus(surveyed: &Surveyed) -> Vec<String> {
    let (part, lines) = (surveyed.part.name(), surveyed.lines);
    let (bad, filtered) = (surveyed.tally.bad(), surveyed.tally.filtered());
    let mut warnings = Vec::new();
    if bad > 0 {
        warnings.push(format!("{part}: {bad} of {lines} lines are left out: {}", surveyed.tally.summary()));
    }
    if filtered * 2 > lines {
        warnings.push(format!("{part}: {filtered} of {lines} lines have more words than maxWords"));
    }
    let counts: Vec<_> = surveyed.files.iter().map(|file| file.facts.lines).collect();
    if let [source, target] = counts[..]
        && source != target
    {
        warnings
            .push(format!("{part}: {source} source and {target} target lines, so the pairs may be shifted"));
    }
    for file in &surveyed.files {
        let path = file.facts.path.display();
        if file.facts.byte_order_mark {
            warnings.push(format!("{path}: its byte order mark is not part of the text"));
        }
        if file.facts.carriage_returns > 0 {
            let count = file.facts.carriage_returns;
            warnings.push(format!("{path}: {count} lines end in CR LF; the CR is not part of the text"));
        }
    }
    warnings
}
