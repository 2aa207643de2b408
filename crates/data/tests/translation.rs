//! Preparing the embedded corpus.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use sagetrain_data::text::CorpusFiles;
use sagetrain_data::translation::{PrepareOptions, Vocabulary, prepare};

fn corpus(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../ts/task/translation/corpus/{part}.tsv.gz"))
}

#[test]
fn the_embedded_corpus_is_prepared_whole_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let tsv = |part| CorpusFiles { tsv: Some(corpus(part)), ..Default::default() };
    let options = PrepareOptions {
        tsv: Some(corpus("train")),
        valid: Some(tsv("valid")),
        test: Some(tsv("test")),
        vocabulary: Vocabulary { size: Some(4000), tokenizer: None },
        output: folder.path().join("cache"),
        ..Default::default()
    };
    let prepared = prepare(&options).unwrap();
    assert_eq!(prepared.vocabulary, 4000);
    let samples = |part: &str| prepared.parts[part].samples;
    assert_eq!([samples("train"), samples("valid"), samples("test")], [33_039, 140, 426]);
    assert!(prepared.warnings.is_empty(), "{:?}", prepared.warnings);
    assert!(prepare(&options).unwrap().reused && !prepared.reused);
}
