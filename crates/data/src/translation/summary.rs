//! From tallies to the report and its warnings.

use super::join::Joined;
use super::report::Report;
use super::survey::Surveyed;
use super::tokenizers::Tokenizers;
use super::{PrepareOptions, Vocabulary, VocabularyType};
use crate::preparation::held_out::Part;
use crate::preparation::{PartReport, ReportHead, file_warnings};

/// What became of one corpus, of which `kept` pairs are in a dataset.
pub(crate) fn part_report(surveyed: &Surveyed, kept: u64) -> PartReport {
    let Surveyed { part, files, lines, tally, .. } = surveyed;
    PartReport::of(part.name(), files, *lines, kept, tally)
}

/// The report of all corpora.
pub(crate) fn report(
    corpora: &[Surveyed],
    joined: &Joined,
    options: &PrepareOptions,
    tokenizers: &Tokenizers,
) -> Report {
    let samples = |part: Part| joined.parts.get(part.name()).map_or(0, |part| part.samples);
    let parts = corpora.iter().map(|surveyed| part_report(surveyed, samples(surveyed.part))).collect();
    let held = corpora.iter().map(|surveyed| &surveyed.held);
    Report {
        head: ReportHead::of(parts).holding_out(held, &options.held_out),
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
    let unasked = options.held_out.unasked(options.valid.is_some());
    if let Some(valid) = joined.parts.get("valid").filter(|_| unasked) {
        let (samples, seed) = (valid.samples, options.held_out.seed);
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
    warnings.extend(file_warnings(&surveyed.files));
    warnings
}
