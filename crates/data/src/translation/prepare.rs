//! The preparation itself, top to bottom.

use std::path::Path;

use super::encode::Encoder;
use super::fingerprint::Inputs;
use super::held_out::Part;
use super::prepared::{MANIFEST, Manifest, REPORT, open, write_json};
use super::report::Report;
use super::summary::{part_report, report};
use super::survey::{Surveyed, survey};
use super::watch::look;
use super::{PrepareOptions, Prepared, Watch, cache};
use crate::text::Pair;
use crate::{DataError, Result, Tokenizer};

/// Reads, checks, tokenises and stores a parallel corpus, or finds that it has been done.
///
/// # Errors
/// `ERR_ARGUMENT`: options. `ERR_DATA`: a corpus that is empty, mostly bad, or leaves no pair. `ERR_DATASET`: what lies
/// in the prepared folder is damaged or foreign. `ERR_IO`.
pub fn prepare(options: &PrepareOptions) -> Result<Prepared> {
    prepare_watched(options, &())
}

/// [`prepare`], followed and stopped through `watch`.
///
/// # Errors
/// As [`prepare`], and `ERR_ABORTED`.
pub fn prepare_watched(options: &PrepareOptions, watch: &dyn Watch) -> Result<Prepared> {
    options.validate()?;
    let inputs = Inputs::read(options)?;
    let name = format!("translation-{}", &inputs.fingerprint[..16]);
    let reused =
        cache::publish(&options.output, &name, watch, |folder| build(folder, options, &inputs, watch))?;
    open(&options.output.join(name), &inputs.fingerprint, reused)
}

fn build(folder: &Path, options: &PrepareOptions, inputs: &Inputs, watch: &dyn Watch) -> Result<()> {
    let mut corpora = Vec::new();
    for (part, corpus, files) in &inputs.corpora {
        corpora.push(survey(*part, corpus.clone(), files, options, watch)?);
    }
    refuse_mostly_bad(&corpora, options)?;
    let tokenizer = match &options.vocabulary.tokenizer {
        Some(path) => Tokenizer::open(path)?,
        None => train_tokenizer(&corpora[0], options.vocabulary.size(), watch)?,
    };
    tokenizer.save(folder, options.max_length)?;
    let mut encoder = Encoder::new(folder, &tokenizer, options.max_length, watch);
    for surveyed in &mut corpora {
        encoder.corpus(surveyed)?;
    }
    refuse_mostly_bad(&corpora, options)?;
    inputs.refuse_changed()?;
    let (parts, overlaps) = encoder.finish(&inputs.fingerprint)?;
    if let Some(empty) = corpora.iter().find(|surveyed| !parts.contains_key(surveyed.part.name())) {
        return Err(nothing_left(empty));
    }
    let report = report(&corpora, &parts, overlaps, options, &tokenizer);
    write_json(&folder.join(REPORT), &report)?;
    let manifest = Manifest {
        schema: 1,
        fingerprint: inputs.fingerprint.clone(),
        vocabulary: tokenizer.vocabulary(),
        tokenizer: tokenizer.fingerprint()?,
        parts,
        warnings: report.warnings,
        options: options.clone(),
    };
    write_json(&folder.join(MANIFEST), &manifest)
}

/// Learns from both sides of the training part, held-out lines left out.
fn train_tokenizer(train: &Surveyed, size: usize, watch: &dyn Watch) -> Result<Tokenizer> {
    let mut failure = None;
    let mut lines = 0;
    let tokenizer = {
        let pairs = train.pairs()?.map_while(|pair| {
            let pair = pair.and_then(|pair| look(watch, "tokenizer", lines).map(|()| pair));
            lines += 1;
            pair.map_err(|error| failure = Some(error)).ok()
        });
        let sound = pairs.filter_map(|(part, pair)| match (part, pair) {
            (Part::Train, Pair { content: Ok((source, target)), .. }) => Some([source, target]),
            _ => None,
        });
        Tokenizer::train(sound.flatten(), size)
    };
    failure.map_or(tokenizer, Err)
}

/// Fails for the first corpus that is mostly bad, and leaves the report beside the folder that is not made.
fn refuse_mostly_bad(corpora: &[Surveyed], options: &PrepareOptions) -> Result<()> {
    corpora.iter().try_for_each(Surveyed::refuse_mostly_bad).map_err(|error| {
        let DataError::Corpus { path, line, reason, remedy } = error else { return error };
        let parts = corpora.iter().map(|surveyed| part_report(surveyed, 0)).collect();
        let report = Report { schema: 1, parts, ..Report::default() };
        let file = options.output.join(REPORT);
        let remedy = match write_json(&file, &report) {
            Ok(()) => format!("{remedy}; every line is listed in {}", file.display()),
            Err(_) => remedy,
        };
        DataError::Corpus { path, line, reason, remedy }
    })
}

fn nothing_left(surveyed: &Surveyed) -> DataError {
    let path = surveyed.files.first().map(|file| file.facts.path.clone()).unwrap_or_default();
    let (bad, filtered) = (surveyed.tally.bad(), surveyed.tally.filtered());
    let (part, lines) = (surveyed.part.name(), surveyed.lines);
    DataError::Corpus {
        path,
        line: None,
        reason: format!(
            "no pair is left for {part}: of {lines} lines {bad} are bad, {filtered} have too many words"
        ),
        remedy: "raise maxWords or maxLength, or hold out less".into(),
    }
}
