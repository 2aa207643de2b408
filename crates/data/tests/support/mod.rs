//! What several tests need.

#![allow(dead_code, reason = "no test needs all of it")]

pub mod published;

use std::io::Read;
use std::path::{Path, PathBuf};

use sagetrain_data::translation::{HeldOut, PrepareOptions, Vocabulary};
use sagetrain_data::{Column, Dataset};
use serde_json::{Value, json};

/// A part of the embedded corpus: `train`, `valid` or `test`.
pub fn corpus(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../ts/task/translation/corpus/{part}.tsv.gz"))
}

/// The text of a gzipped file.
pub fn gunzip(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Its lines.
pub fn lines(part: &str) -> Vec<String> {
    gunzip(&corpus(part)).lines().map(str::to_owned).collect()
}

/// Its sentences: both sides of every line.
pub fn sentences(part: &str) -> Vec<String> {
    lines(part).iter().flat_map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Three samples of every kind of column.
pub fn example() -> Dataset {
    let ragged = |rows: &[&[i32]]| Column::ragged(rows.iter());
    Dataset::from_columns(vec![
        ("source".into(), ragged(&[&[1, 2, 3], &[], &[65_535]])),
        ("label".into(), ragged(&[&[-100], &[70_000], &[0]])),
        ("features".into(), Column::Dense { values: vec![0.5, -1.0, f32::NAN, 2.0, 3.0, -0.0], width: 2 }),
    ])
    .unwrap()
}

/// The same in a file.
pub fn written(folder: &Path) -> PathBuf {
    let path = folder.join("example.dataset");
    example().write(&path, json!({ "task": "test" })).unwrap();
    path
}

/// Options for the 426 pairs of the embedded test part, in `folder`.
pub fn small(folder: &Path) -> PrepareOptions {
    PrepareOptions {
        tsv: Some(corpus("test")),
        vocabulary: Vocabulary { size: Some(500), ..Default::default() },
        held_out: HeldOut { valid: Some(0), ..Default::default() },
        output: folder.join("cache"),
        ..Default::default()
    }
}

/// The same for a text, which becomes a file there.
pub fn of_text(folder: &Path, text: impl AsRef<[u8]>) -> PrepareOptions {
    let path = folder.join("corpus.tsv");
    std::fs::write(&path, text).unwrap();
    PrepareOptions { tsv: Some(path), ..small(folder) }
}

/// `golden/NAME.json.gz`.
pub fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json.gz"));
    serde_json::from_str(&gunzip(&path)).unwrap()
}

/// Writes files, whose names may have folders, below `folder`.
pub fn write_files(folder: &Path, files: &Value) {
    for (name, text) in files.as_object().unwrap() {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_str().unwrap()).unwrap();
    }
}

/// Writes a pretrained encoder's folder of `golden/pretrained.py`, such as `bert` or `roberta`.
pub fn encoder(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(&path).unwrap();
    write_files(&path, &golden("pretrained")["folders"][name]["files"]);
    path
}
