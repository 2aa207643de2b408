//! The preparation itself, top to bottom. Each stage leaves what it has done in the work folder, so that one that was
//! ended goes on where it was.

use std::path::Path;

use serde_json::{Map, Value};

use super::encode::encode;
use super::fingerprint::Inputs;
use super::ids_block::PARTS;
use super::join::{Joined, join};
use super::labels::Labels;
use super::plan::Plan;
use super::prepared::{Manifest, open};
use super::report::{Report, part_report, report};
use super::survey::{Surveyed, survey};
use super::{Kind, PrepareOptions, Prepared, Watch};
use crate::preparation::folder::{MANIFEST, REPORT};
use crate::preparation::{ReportHead, cache, said_in_report, write_json};
use crate::tokenizer::folder_of;
use crate::{DataError, Result, Tokenizer};

/// What every stage needs to know.
pub(super) struct Job<'a> {
    pub(super) options: &'a PrepareOptions,
    pub(super) plan: &'a Plan,
    pub(super) tokenizer: &'a Tokenizer,
    /// Tokens of a sample, at most.
    pub(super) max_length: usize,
    pub(super) fingerprint: &'a str,
    pub(super) work: &'a Path,
    pub(super) watch: &'a dyn Watch,
}

impl Job<'_> {
    /// What the tokenizer of a fine-tuned model has to say of the texts that it was trained on: where they were cut, under
    /// the name that transformers cuts by, and whether they were pairs, which is for this package alone.
    fn settings(&self) -> Map<String, Value> {
        let pair = Map::from_iter([("pair".into(), self.plan.pair.into())]);
        Map::from_iter([
            ("model_max_length".into(), self.max_length.into()),
            ("sagetrain".into(), pair.into()),
        ])
    }
}

/// Reads, checks, encodes and stores labelled text, or finds that it has been done.
///
/// # Errors
/// `ERR_ARGUMENT`: options. `ERR_DATA`: files that are missing, empty, mostly bad or of unknown labels, a tokenizer that is no
/// encoder's. `ERR_DATASET`: what lies in the prepared folder is damaged or foreign. `ERR_IO`.
pub fn prepare(options: &PrepareOptions) -> Result<Prepared> {
    prepare_watched(options, &())
}

/// [`prepare`], followed and stopped through `watch`.
///
/// # Errors
/// As [`prepare`], and `ERR_ABORTED`.
pub fn prepare_watched(options: &PrepareOptions, watch: &dyn Watch) -> Result<Prepared> {
    options.validate()?;
    let plan = Plan::of(options)?;
    options.validate_plan(&plan)?;
    let tokenizer = encoder(&options.tokenizer)?;
    let max_length = options.length(&tokenizer, plan.pair)?;
    let inputs = Inputs::read(options, &plan, &tokenizer, max_length, watch)?;
    let fingerprint = &*inputs.fingerprint;
    let name = format!("classification-{}", &fingerprint[..16]);
    let reused = cache::publish(&options.output, &name, &name, watch, |work| {
        let (plan, tokenizer) = (&plan, &tokenizer);
        build(&Job { options, plan, tokenizer, max_length, fingerprint, work, watch }, &inputs)
    })?;
    open(&options.output.join(name), fingerprint, reused)
}

fn encoder(path: &Path) -> Result<Tokenizer> {
    let tokenizer = Tokenizer::open(path)?;
    if tokenizer.is_encoder() {
        return Ok(tokenizer);
    }
    Err(DataError::Tokenizer {
        path: Some(path.to_owned()),
        reason: "it is a translator's".into(),
        remedy: "give the folder of a pretrained encoder such as BERT or RoBERTa".into(),
    })
}

fn build(job: &Job<'_>, inputs: &Inputs) -> Result<()> {
    let Job { plan, work, .. } = job;
    if open(work, job.fingerprint, false).is_ok() {
        return Ok(());
    }
    let mut corpora = Vec::new();
    for (part, files) in plan.parts.iter().zip(&inputs.parts) {
        corpora.push(survey(job, part, files)?);
    }
    refuse_unusable(&corpora, job)?;
    let labels = labels(&corpora, plan)?;
    let mut samples = [0; PARTS.len()];
    for surveyed in &corpora {
        let found = encode(job, surveyed, &labels)?;
        samples.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
    }
    inputs.refuse_changed()?;
    if let Some(empty) = corpora.iter().find(|surveyed| samples[surveyed.part as usize] == 0) {
        return Err(nothing_left(empty));
    }
    let joined = join(job, &corpora, samples, &labels)?;
    finish(job, &corpora, joined, labels)
}

/// Writes what lies beside the datasets, the manifest last.
fn finish(job: &Job<'_>, corpora: &[Surveyed], mut joined: Joined, labels: Labels) -> Result<()> {
    let Job { options, plan, tokenizer, work, .. } = job;
    let report = report(job, corpora, &joined, &labels);
    write_json(&work.join(REPORT), &report)?;
    for surveyed in corpora {
        if let Some(part) = joined.parts.get_mut(surveyed.part.name()) {
            part.left_out = surveyed.tally.by_reason();
        }
    }
    let files = tokenizer.copy_files(folder_of(&options.tokenizer), work, &job.settings())?;
    let manifest = Manifest {
        schema: 1,
        fingerprint: job.fingerprint.to_owned(),
        tokenizer: tokenizer.fingerprint()?,
        tokenizer_files: files.into_iter().map(str::to_owned).collect(),
        kind: plan.kind,
        labels: labels.names,
        pair: plan.pair,
        types: tokenizer.has_types(),
        vocabulary: tokenizer.vocabulary(),
        max_length: job.max_length,
        parts: joined.parts,
        warnings: report.warnings,
        options: (*options).clone(),
    };
    write_json(&work.join(MANIFEST), &manifest)
}

fn labels(corpora: &[Surveyed], plan: &Plan) -> Result<Labels> {
    if plan.kind == Kind::Regression {
        return Ok(Labels::default());
    }
    let labels = Labels::of(plan.labels.as_ref(), &corpora[0])?;
    corpora.iter().try_for_each(|surveyed| labels.check(surveyed))?;
    Ok(labels)
}

/// Fails for the first part that is mostly bad, and leaves the report beside the folder that is not made.
fn refuse_unusable(corpora: &[Surveyed], job: &Job<'_>) -> Result<()> {
    let mut parts = corpora.iter().zip(&job.plan.parts);
    parts.try_for_each(|(surveyed, planned)| surveyed.refuse_unusable(planned)).map_err(|error| {
        let parts = corpora.iter().map(|surveyed| part_report(surveyed, 0)).collect();
        let report = Report { head: ReportHead::of(parts), ..Report::default() };
        said_in_report(error, &job.options.output, &report)
    })
}

fn nothing_left(surveyed: &Surveyed) -> DataError {
    let path = surveyed.files.first().map(|file| file.facts.path.clone()).unwrap_or_default();
    let (part, rows, bad) = (surveyed.part.name(), surveyed.rows, surveyed.tally.bad());
    let reason = format!("no sample is left for {part}: of {rows} rows {bad} are bad");
    DataError::Corpus { path, line: None, reason, remedy: "give more, or hold out less".into() }
}
