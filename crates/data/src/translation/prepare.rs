//! The preparation itself, top to bottom. Each stage leaves what it has done in the work folder, so that one that was
//! ended goes on where it was.

use std::path::Path;

use super::encode::encode;
use super::fingerprint::Inputs;
use super::join::{join, refuse_many_shards};
use super::prepared::{Manifest, open};
use super::recipe::with_recipe;
use super::report::Report;
use super::steps::Steps;
use super::summary::{part_report, report};
use super::survey::{Surveyed, survey};
use super::text_steps::TextSteps;
use super::tokenizers::tokenizers;
use super::{PrepareOptions, Prepared, Watch};
use crate::preparation::folder::{MANIFEST, REPORT};
use crate::preparation::{ReportHead, cache, said_in_report, write_json};
use crate::{DataError, Result};

/// Reads, checks, tokenises and stores a parallel corpus, or finds that it has been done.
///
/// # Errors
/// `ERR_ARGUMENT`: options. `ERR_DATA`: a corpus that is empty, mostly bad, of unequal files, or leaves no pair. `ERR_DATASET`: what lies
/// in the prepared folder is damaged or foreign. `ERR_IO`.
pub fn prepare(options: &PrepareOptions) -> Result<Prepared> {
    prepare_watched(options, &())
}

/// [`prepare`], followed and stopped through `watch`.
///
/// # Errors
/// As [`prepare`], and `ERR_ABORTED`.
pub fn prepare_watched(options: &PrepareOptions, watch: &dyn Watch) -> Result<Prepared> {
    let options = &*with_recipe(options, watch)?;
    options.validate()?;
    let steps = Steps::new(options)?;
    let inputs = Inputs::read(options, watch)?;
    let name = format!("translation-{}", &inputs.fingerprint[..16]);
    let work = format!("translation-{}", &inputs.work[..16]);
    let reused = cache::publish(&options.output, &name, &work, watch, |work| {
        build(work, options, &steps, &inputs, watch)
    })?;
    open(&options.output.join(name), &inputs.fingerprint, reused)
}

fn build(
    work: &Path,
    options: &PrepareOptions,
    steps: &Steps,
    inputs: &Inputs,
    watch: &dyn Watch,
) -> Result<()> {
    if open(work, &inputs.fingerprint, false).is_ok() {
        return Ok(());
    }
    let mut corpora = Vec::new();
    for (part, corpus, files) in &inputs.corpora {
        corpora.push(survey(work, *part, corpus, files, options, steps, watch)?);
    }
    refuse_unusable(&corpora, options)?;
    refuse_many_shards(&corpora[0], options)?;
    let tokenizers = tokenizers(work, &corpora[0], options, watch)?;
    let mut samples = [0; 3];
    for surveyed in &mut corpora {
        let found = encode(work, surveyed, &tokenizers, options, watch)?;
        samples.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
    }
    refuse_unusable(&corpora, options)?;
    inputs.refuse_changed()?;
    if let Some(empty) = corpora.iter().find(|surveyed| samples[surveyed.part as usize] == 0) {
        return Err(nothing_left(empty));
    }
    let joined = join(work, &corpora, samples, &tokenizers, options, &inputs.fingerprint, watch)?;
    let report = report(&corpora, &joined, options, &tokenizers);
    write_json(&work.join(REPORT), &report)?;
    TextSteps::of(options).save(work)?;
    let manifest = Manifest {
        schema: 2,
        fingerprint: inputs.fingerprint.clone(),
        joint: tokenizers.joint(),
        vocabulary: tokenizers.sizes(),
        tokenizers: tokenizers.fingerprints()?,
        parts: joined.parts,
        warnings: report.warnings,
        options: options.clone(),
    };
    write_json(&work.join(MANIFEST), &manifest)
}

/// Fails for the first corpus that is mostly bad or of unequal files, and leaves the report beside the folder that is not made.
fn refuse_unusable(corpora: &[Surveyed], options: &PrepareOptions) -> Result<()> {
    corpora.iter().try_for_each(Surveyed::refuse_unusable).map_err(|error| {
        let parts = corpora.iter().map(|surveyed| part_report(surveyed, 0)).collect();
        let report = Report { head: ReportHead::of(parts), ..Report::default() };
        said_in_report(error, &options.output, &report)
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
            "no pair is left for {part}: of {lines} lines {bad} are bad, {filtered} have too many, too few or too long words"
        ),
        remedy: "loosen minWords, maxWords, maxRatio, maxWordLength or maxLength, or hold out less".into(),
    }
}
