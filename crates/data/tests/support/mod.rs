//! What several tests need.

#![allow(dead_code, reason = "no test needs all of it")]

use std::io::Read;
use std::path::{Path, PathBuf};

/// A part of the embedded corpus: `train`, `valid` or `test`.
pub fn corpus(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../ts/task/translation/corpus/{part}.tsv.gz"))
}

/// Its lines.
pub fn lines(part: &str) -> Vec<String> {
    let mut text = String::new();
    let file = std::fs::File::open(corpus(part)).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Its sentences: both sides of every line.
pub fn sentences(part: &str) -> Vec<String> {
    lines(part).iter().flat_map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>()).collect()
}
