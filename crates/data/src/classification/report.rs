//! `prepare-report.json`: every line that was left out, by file and reason, and what became of the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::join::Joined;
use super::labels::Labels;
use super::plan::PlannedFile;
use super::prepare::Job;
use super::prepared::{PreparedPart, TargetRange};
use super::survey::Surveyed;
use super::{Header, Kind};
use crate::preparation::tally::push_run;
use crate::preparation::{PartReport, ReportHead, file_warnings};

/// Samples that the best weights are chosen by: with fewer one is warned.
const FEWEST: u64 = 20;

/// Classes that are whole numbers: with more they may be a regression's.
const MOST_NUMBERED: usize = 20;

/// The whole report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was read, and what was held out; lines are rows.
    #[serde(flatten)]
    pub head: ReportHead,
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
pub(super) fn report(job: &Job<'_>, corpora: &[Surveyed], joined: &Joined, labels: &Labels) -> Report {
    let samples = |surveyed: &Surveyed| joined.parts.get(surveyed.part.name()).map_or(0, |part| part.samples);
    let parts = corpora.iter().map(|surveyed| part_report(surveyed, samples(surveyed))).collect();
    let held = corpora.iter().map(|surveyed| &surveyed.held);
    let mut drawn = Vec::new();
    corpora.iter().flat_map(Surveyed::drawn).for_each(|row| push_run(&mut drawn, row));
    Report {
        head: ReportHead::of(parts).holding_out(held, &job.options.held_out),
        drawn,
        texts_also_in_train: joined.overlaps.clone(),
        warnings: warnings(job, corpora, joined, labels),
    }
}

fn warnings(job: &Job<'_>, corpora: &[Surveyed], joined: &Joined, labels: &Labels) -> Vec<String> {
    let Job { options, plan, tokenizer, .. } = job;
    let mut warnings = plan.warnings.clone();
    warnings.extend(corpora.iter().flat_map(of_part));
    if plan.kind == Kind::Classification {
        let parts = plan.parts.iter().zip(corpora);
        warnings.extend(parts.filter_map(|(part, surveyed)| of_header(&part.files, surveyed)));
        // Those that are named are meant.
        if plan.labels.is_none()
            && let Some(train) = corpora.first()
        {
            let names: Vec<_> = train.labels.iter().map(|seen| seen.label.as_str()).collect();
            warnings.extend(of_numbers(&names));
            warnings.extend(of_case(&names));
        }
    }
    let parts = ["train", "valid"].into_iter();
    warnings.extend(parts.filter_map(|part| of_sameness(part, joined.parts.get(part)?, labels)));
    warnings.extend(of_validation(joined));
    let unasked = options.held_out.unasked(plan.validates());
    if let Some(valid) = joined.parts.get("valid").filter(|_| unasked) {
        let (samples, seed) = (valid.samples, options.held_out.seed);
        warnings.push(format!("valid: without files, {samples} training rows are held out (seed {seed})"));
    }
    warnings.extend(of_samples(joined, &tokenizer.token(tokenizer.pad())));
    warnings
}

/// Of samples that are in a dataset; `pad` is the padding token.
fn of_samples(joined: &Joined, pad: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let samples = |part: &str| joined.parts.get(part).map_or(0, |part| part.samples);
    for (part, count) in joined.overlaps.iter().filter(|(_, count)| **count > 0) {
        let samples = samples(part);
        warnings.push(format!("{part}: {count} of {samples} samples have the texts of a training sample"));
    }
    for (part, count) in joined.padded.iter().filter(|(_, count)| **count > 0) {
        let samples = samples(part);
        let what =
            format!("spell out the padding token `{pad}`, which is a token of theirs then; take it out");
        warnings.push(format!("{part}: {count} of {samples} samples {what}"));
    }
    for (part, PreparedPart { truncated, samples, .. }) in &joined.parts {
        if *truncated > 0 {
            warnings.push(format!("{part}: {truncated} of {samples} samples are cut to maxLength"));
        }
    }
    warnings
}

fn of_part(surveyed: &Surveyed) -> Vec<String> {
    let (part, rows, bad) = (surveyed.part.name(), surveyed.rows, surveyed.tally.bad());
    let mut warnings = Vec::new();
    if bad > 0 {
        warnings.push(format!(
            "{part}: {bad} of {rows} rows are left out: {}",
            surveyed.tally.summary_of(&surveyed.files)
        ));
    }
    warnings.extend(file_warnings(&surveyed.files));
    warnings
}

/// What the best weights are chosen by, where that is next to nothing.
fn of_validation(joined: &Joined) -> Option<String> {
    let what = match joined.parts.get("valid").map(|part| part.samples) {
        None => {
            "there is none: no weights are best, the last are kept; give valid, or heldOut.valid".to_owned()
        }
        Some(samples) if samples < FEWEST => {
            format!("the best weights are chosen by {samples} samples, of which one alone changes the choice")
        }
        Some(_) => return None,
    };
    Some(format!("valid: {what}"))
}

/// One class or one number alone, once all that is held out or not drawn has been taken away.
fn of_sameness(part: &str, made: &PreparedPart, labels: &Labels) -> Option<String> {
    let mut classes = labels.names.iter().zip(&made.labels).filter(|(_, samples)| **samples > 0);
    let what = match (classes.next(), classes.next(), made.target) {
        (Some((class, _)), None, _) => format!("the label `{class}`, so there is nothing to tell apart"),
        (_, _, Some(TargetRange { least, greatest, .. })) if least == greatest => {
            format!("the number {least}, which nothing correlates with")
        }
        _ => return None,
    };
    Some(format!("{part}: every sample has {what}"))
}

/// Classes that may be the numbers of a regression.
fn of_numbers(names: &[&str]) -> Option<String> {
    let numbers: Vec<f64> = names.iter().map(|name| name.trim().parse().ok()).collect::<Option<_>>()?;
    let fractions = numbers.iter().any(|number| number.fract() != 0.0);
    let count = numbers.len();
    (fractions || count > MOST_NUMBERED).then(|| {
        format!("labels: each of {count} different numbers is a class of its own; give kind: regression where they are ratings")
    })
}

/// Classes that one writer may have written in two ways.
fn of_case(names: &[&str]) -> Option<String> {
    let mut written: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    names.iter().for_each(|name| written.entry(meant(name)).or_default().push(name));
    let twice: Vec<_> = written
        .values_mut()
        .filter(|names| names.len() > 1)
        .map(|names| {
            names.sort_unstable();
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join(" and ")
        })
        .collect();
    (!twice.is_empty()).then(|| {
        format!(
            "labels: {} differ by case, spaces or how a number is written alone and are classes of their own",
            twice.join("; ")
        )
    })
}

/// What classes that differ in writing alone have in common: a number, or a text without case and spaces.
fn meant(name: &str) -> String {
    let name = name.trim();
    // Whole numbers may have more digits than a float holds.
    if let Ok(number) = name.parse::<i64>() {
        return number.to_string();
    }
    match name.parse::<f64>() {
        Ok(number) if number.is_finite() => (number + 0.0).to_string(),
        _ => name.to_lowercase(),
    }
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
