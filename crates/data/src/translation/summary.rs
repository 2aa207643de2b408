//! From tallies to the report and its warnings.

use std::collections::BTreeMap;

use super::held_out::Part;
use super::join::Joined;
use super::report::{PartReport, Report};
use super::survey::Surveyed;
use super::tally::push_run;
use super::tokenizers::Tokenizers;
use super::{HeldOut, PrepareOptions, Vocabulary, VocabularyType};

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
    joined: &Joined,
    options: &PrepareOptions,
    tokenizers: &Tokenizers,
) -> Report {
    let samples = |part: Part| joined.parts.get(part.name()).map_or(0, |part| part.samples);
    let mut held_out: BTreeMap<String, Vec<[u64; 2]>> = BTreeMap::new();
    for (line, part) in corpora.iter().flat_map(|surveyed| &surveyed.held.lines) {
        push_run(held_out.entry(part.name().to_owned()).or_default(), *line);
    }
    Report {
        schema: 1,
        parts: corpora.iter().map(|surveyed| part_report(surveyed, samples(surveyed.part))).collect(),
        held_out_seed: (!held_out.is_empty()).then_some(options.held_out.seed),
        held_out,
        held_out_every: options.held_out.every,
        sources_also_in_train: joined.overlaps.clone(),
        warnings: warnings(corpora, joined, options, tokenizers),
    }
}

fn warnings(
    corpora: &[Surveyed],
    joined: &Joined,
    options: &PrepareOptions,
    tokenizers: &Tokenizers,
) -> Vec<String> {
    let mut warnings: Vec<_> = corpora.iter().flat_map(of_corpus).collect();
    let HeldOut { valid, every, seed, .. } = options.held_out;
    let unasked = options.valid.is_none() && valid.is_none() && every.is_none();
    if let Some(valid) = joined.parts.get("valid").filter(|_| unasked) {
        let samples = valid.samples;
        warnings.push(format!("valid: without files, {samples} training lines are held out (seed {seed})"));
    }
    for (part, count) in joined.overlaps.iter().filter(|(_, count)| **count > 0) {
        let samples = joined.parts.get(part).map_or(0, |part| part.samples);
        warnings.push(format!("{part}: {count} of {samples} sources are training sources too"));
    }
    warnings.extend(of_vocabulary(&options.vocabulary, tokenizers));
    warnings
}

fn of_vocabulary(asked: &Vocabulary, tokenizers: &Tokenizers) -> Vec<String> {
    let mut warnings = Vec::new();
    if tokenizers.floor > 0 {
        let floor = tokenizers.floor;
        warnings
            .push(format!("vocabulary: words seen {floor} times or less were forgotten to bound the memory"));
    }
    let learnt = asked.tokenizer.is_none() && asked.r#type == VocabularyType::ByteLevel;
    for found in tokenizers.sizes().into_iter().take(if tokenizers.joint() { 1 } else { 2 }) {
        let size = asked.size();
        if learnt && found < size {
            warnings
                .push(format!("vocabulary: the training text yields {found} tokens, {size} were asked for"));
        }
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
        warnings.push(format!("{part}: {filtered} of {lines} lines are left out for their words (minWords, maxWords, maxRatio, maxWordLength)"));
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
