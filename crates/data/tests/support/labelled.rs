//! Labelled files, how to prepare them, and what came of it.

#![allow(dead_code, reason = "no test needs all of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sagetrain_data::classification::{Columns, HeldOut, PrepareOptions, Prepared, Report, prepare};
use sagetrain_data::{Column, DataError, Dataset};

use super::support::{encoder, lines};

/// Where the text, a second one and the label stand, by number.
pub fn columns(text: usize, pair: Option<usize>, label: usize) -> Option<Columns> {
    Some(Columns { text: text.into(), pair: pair.map(Into::into), label: label.into() })
}

pub fn named(pair: bool) -> Option<Columns> {
    Some(Columns { text: "text".into(), pair: pair.then(|| "other".into()), label: "label".into() })
}

pub fn file(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

pub fn gzipped(folder: &Path, name: &str, text: &str) -> PathBuf {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    file(folder, name, encoder.finish().unwrap())
}

/// Both sides of the embedded corpus as pairs with one of three labels, so many rows of it, some of them bad.
pub fn corpus_pairs(rows: usize) -> String {
    let row = |(index, line): (usize, &String)| match index % 97 {
        13 => "no columns here\n".to_owned(),
        _ => format!("{line}\t{}\n", ["red", "green", "blue"][index % 3]),
    };
    lines("train").iter().cycle().take(rows).enumerate().map(row).collect()
}

/// Options for one training file of text and label, nothing held out.
pub fn options(folder: &Path, train: &Path) -> PrepareOptions {
    PrepareOptions {
        train: Some(train.into()),
        columns: columns(0, None, 1),
        held_out: HeldOut { valid: Some(0), ..Default::default() },
        tokenizer: encoder(folder, "bert"),
        threads: Some(2),
        output: folder.join("cache"),
        ..Default::default()
    }
}

pub fn of_text(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PrepareOptions {
    let train = file(folder, name, text);
    options(folder, &train)
}

/// Each sample of a part: its columns' values by their names.
pub fn samples(prepared: &Prepared, part: &str) -> Vec<BTreeMap<String, Vec<f64>>> {
    let dataset = Dataset::open(&prepared.folder.join(&prepared.parts[part].file)).unwrap();
    let values = |column: Column| match column {
        Column::Ragged { values, .. } => values.into_iter().map(f64::from).collect(),
        Column::Dense { values, .. } => values.into_iter().map(f64::from).collect(),
    };
    let sample =
        |index| dataset.sample(index).unwrap().into_iter().map(|(name, column)| (name, values(column)));
    (0..dataset.len()).map(|index| sample(index).collect()).collect()
}

pub fn labels(prepared: &Prepared, part: &str) -> Vec<f64> {
    samples(prepared, part).iter().map(|sample| sample["label"][0]).collect()
}

pub fn refusal(options: &PrepareOptions) -> DataError {
    prepare(options).unwrap_err()
}

pub fn report(prepared: &Prepared) -> Report {
    serde_json::from_slice(&fs::read(&prepared.report).unwrap()).unwrap()
}
