//! `prepare-report.json`: every line that was left out, by file and reason, and what became of the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::join::Joined;
use super::plan::{Plan, PlannedFile};
use super::survey::Surveyed;
use super::{Header, HeldOut, Kind, PrepareOptions};
use crate::preparation::tally::push_run;
use crate::preparation::{PartReport, file_warnings};

/// The whole report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// 1.
    pub schema: u32,
    /// One for each part that was read; lines are rows.
    pub parts: Vec<PartReport>,
    /// Held-out rows of the training part, by part, counted from 1 through its files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_out: BTreeMap<String, Vec<[u64; 2]>>,
    /// Every so-many-th sample that was left went to validation, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_every: Option<u64>,
    /// The seed of the held-out rows, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_seed: Option<u64>,
    /// The rows to train on, where `limit` leaves some out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drawn: Vec<[u64; 2]>,
    /// Samples of a part whose texts are a training sample's too, by part.
    pub texts_also_in_train: BTreeMap<String, u64>,
    /// What a user should know.
    pub warnings: Vec<String>,
}

/// What became of one part, of which `kept` samples are in a dataset.
pub(super) fn part_report(surveyed: &Surveyed, kept: u64) -> PartReport {
    let Surveyed { part, files, rows, tally, .. } = surveyed;
    PartReport::of(part.name(), files, *rows, kept, tally)
}

/// The report of all parts.
pub(super) fn report(corpora: &[Surveyed], joined: &Joined, options: &PrepareOptions, plan: &Plan) -> Report {
    let samples = |surveyed: &Surveyed| joined.parts.get(surveyed.part.name()).map_or(0, |part| part.samples);
    let mut held_out: BTreeMap<String, Vec<[u64; 2]>> = BTreeMap::new();
    for (row, part) in corpora.iter().flat_map(|surveyed| &surveyed.held.lines) {
        push_run(held_out.entry(part.name().to_owned()).or_default(), *row);
    }
    let mut drawn = Vec::new();
    corpora.iter().flat_map(Surveyed::drawn).for_each(|row| push_run(&mut drawn, row));
    Report {
        schema: 1,
        parts: corpora.iter().map(|surveyed| part_report(surveyed, samples(surveyed))).collect(),
        held_out_seed: (!held_out.is_empty()).then_some(options.held_out.seed),
        held_out,
        held_out_every: options.held_out.every,
        drawn,
        texts_also_in_train: joined.overlaps.clone(),
        warnings: warnings(corpora, joined, options, plan),
    }
}

fn warnings(corpora: &[Surveyed], joined: &Joined, options: &PrepareOptions, plan: &Plan) -> Vec<String> {
    let mut warnings = plan.warnings.clone();
    warnings.extend(corpora.iter().flat_map(of_part));
    if plan.kind == Kind::Classification {
        let parts = plan.parts.iter().zip(corpora);
        warnings.extend(parts.filter_map(|(part, surveyed)| of_header(&part.files, surveyed)));
    }
    let HeldOut { valid, every, seed, .. } = options.held_out;
    let unasked = !plan.validates() && valid.is_none() && every.is_none();
    if let Some(valid) = joined.parts.get("valid").filter(|_| unasked) {
        let samples = valid.samples;
        warnings.push(format!("valid: without files, {samples} training rows are held out (seed {seed})"));
    }
    for (part, count) in joined.overlaps.iter().filter(|(_, count)| **count > 0) {
        let samples = joined.parts.get(part).map_or(0, |part| part.samples);
        warnings.push(format!("{part}: {count} of {samples} samples have the texts of a training sample"));
    }
    for (name, part) in joined.parts.iter().filter(|(_, part)| part.truncated > 0) {
        let (truncated, samples) = (part.truncated, part.samples);
        warnings.push(format!("{name}: {truncated} of {samples} samples are cut to maxLength"));
    }
    warnings
}

fn of_part(surveyed: &Surveyed) -> Vec<String> {
    let (part, rows, bad) = (surveyed.part.name(), surveyed.rows, surveyed.tally.bad());
    let mut warnings = Vec::new();
    if bad > 0 {
        warnings.push(format!("{part}: {bad} of {rows} rows are left out: {}", surveyed.tally.summary()));
    }
    warnings.extend(file_warnings(&surveyed.files));
    warnings
}

/// A class that only the first line has may be the name of the column.
fn of_header(files: &[PlannedFile], surveyed: &Surveyed) -> Option<String> {
    let seen = surveyed.labels.iter().find(|seen| seen.samples == 1 && seen.first.1 == 1)?;
    let file =
        files.get(seen.first.0).filter(|file| file.official.is_none() && file.header == Header::Auto)?;
    let (label, path) = (&seen.label, file.path.display());
    Some(format!(
        "{path}: only its first line has the label `{label}`; if it names the columns, give header: true"
    ))
}
