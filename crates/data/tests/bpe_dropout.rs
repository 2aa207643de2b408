//! BPE-dropout against subword-nmt (`golden/bpe_dropout.py` wrote `golden/bpe_dropout.json`), and what a loader promises of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sagetrain_data::{
    Batch, BpeDropoutColumn, BpeDropoutOptions, Column, Dataset, Loader, LoaderOptions, LoaderState,
    Tokenizer,
};
use serde_json::Value;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn tokenizer() -> Tokenizer {
    Tokenizer::open(&golden().join("tokenizer")).unwrap()
}

/// Ids of texts as a dataset with one column.
fn dataset(texts: &[&str]) -> Arc<Dataset> {
    let rows = tokenizer().encode_batch(texts).unwrap();
    Arc::new(Dataset::from_columns(vec![("source".into(), Column::ragged(rows))]).unwrap())
}

fn options(probability: f64) -> LoaderOptions {
    let column = BpeDropoutColumn { tokenizer: golden().join("tokenizer"), probability };
    let columns = BTreeMap::from([("source".to_owned(), column)]);
    let bpe_dropout = Some(BpeDropoutOptions { columns, max_length: None });
    LoaderOptions { batch_size: Some(64), seed: 5, epochs: Some(1), bpe_dropout, ..Default::default() }
}

fn batches(dataset: &Arc<Dataset>, options: LoaderOptions) -> Vec<Batch> {
    Loader::new(dataset.clone(), options).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Rows of the only column by sample.
fn rows(batches: &[Batch]) -> BTreeMap<u64, Vec<i32>> {
    let rows = rows_of(batches, "source");
    assert_eq!(
        batches.iter().map(|batch| batch.tokens).sum::<usize>(),
        rows.values().map(Vec::len).sum::<usize>()
    );
    rows
}

/// Rows of a column by sample.
fn rows_of(batches: &[Batch], name: &str) -> BTreeMap<u64, Vec<i32>> {
    let mut rows = BTreeMap::new();
    for batch in batches {
        let Some(Column::Ragged { values, offsets }) = batch.column(name) else { panic!("no {name}") };
        for (range, &sample) in offsets.windows(2).zip(&batch.indices) {
            rows.insert(sample, values[range[0] as usize..range[1] as usize].to_vec());
        }
    }
    rows
}

fn stored(dataset: &Dataset) -> BTreeMap<u64, Vec<i32>> {
    rows(&[dataset.batch((0..dataset.len() as u64).collect()).unwrap()])
}

#[test]
fn without_dropout_the_merges_are_the_tokenizers_and_the_ids_the_stored_ones() {
    let mut texts = support::sentences("valid");
    let odd = [
        "a  b   c",
        "  begins",
        "ends  ",
        "it's we'll 'sabc 's",
        "x\u{a0}y\u{3000}z",
        "1½ m² Ⅷ 3.5",
        "a–b „c“ …\t\n d",
        "漢字かな 👩‍👧",
        "",
    ];
    texts.extend(odd.map(str::to_owned));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let dataset = dataset(&texts);
    assert_eq!(rows(&batches(&dataset, options(0.0))), stored(&dataset));
    // So seldom that no draw falls below it, and yet every word is merged anew.
    assert_eq!(rows(&batches(&dataset, options(1e-300))), stored(&dataset));
}

#[test]
fn with_certain_dropout_only_bytes_are_left_and_the_text_is_the_same() {
    let texts = support::sentences("valid");
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let tokenizer = tokenizer();
    for (sample, ids) in rows(&batches(&dataset(&texts), options(1.0))) {
        let text = texts[sample as usize];
        assert_eq!(ids.len(), text.len() + 1 + usize::from(!text.starts_with(' ')));
        assert_eq!(tokenizer.decode(&ids).unwrap(), text);
    }
}

#[test]
fn a_row_is_a_function_of_seed_epoch_and_sample() {
    let texts = support::sentences("valid");
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let dataset = dataset(&texts);
    let two = LoaderOptions { epochs: Some(2), ..options(0.1) };
    let all = batches(&dataset, two.clone());
    let half = all.len() / 2;
    let (first, second) = (rows(&all[..half]), rows(&all[half..]));
    assert_ne!(first, second);
    // Batches of another size, gathered by the consumer, have the same rows.
    let other = LoaderOptions { batch_size: None, max_tokens: Some(2000), prefetch: 0, ..options(0.1) };
    assert_eq!(rows(&batches(&dataset, other)), first);
    let resumed = LoaderOptions { state: all[half + 1].next, ..two.clone() };
    assert_eq!(batches(&dataset, resumed), all[half + 2..]);
    assert_ne!(rows(&batches(&dataset, LoaderOptions { seed: 6, ..options(0.1) })), first);
    assert_eq!(all[half].position, LoaderState { epoch: 1, batch: 0 });
}

#[test]
fn each_column_is_split_by_its_own_tokenizer() {
    let texts = support::sentences("valid");
    let folder = tempfile::tempdir().unwrap();
    let tokenizers = [tokenizer(), Tokenizer::train(texts.iter().cloned(), 300).unwrap()];
    tokenizers[1].save(folder.path(), 64).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ids = |tokenizer: &Tokenizer| Column::ragged(tokenizer.encode_batch(&texts).unwrap());
    let columns = [("source", &tokenizers[0]), ("target", &tokenizers[1])];
    let columns = columns.map(|(name, tokenizer)| (name.to_owned(), ids(tokenizer))).to_vec();
    let dataset = Arc::new(Dataset::from_columns(columns).unwrap());
    let mut options = options(0.2);
    let target = BpeDropoutColumn { tokenizer: folder.path().to_owned(), probability: 0.2 };
    options.bpe_dropout.as_mut().unwrap().columns.insert("target".into(), target);
    let (split, whole) =
        (batches(&dataset, options), dataset.batch((0..dataset.len() as u64).collect()).unwrap());
    for (name, tokenizer) in [("source", &tokenizers[0]), ("target", &tokenizers[1])] {
        let (anew, stored) = (rows_of(&split, name), rows_of(std::slice::from_ref(&whole), name));
        assert_ne!(anew, stored, "{name}");
        for (sample, ids) in &anew {
            assert_eq!(tokenizer.decode(ids).unwrap(), texts[*sample as usize], "{name}");
        }
    }
}

#[test]
fn a_row_that_would_be_too_long_keeps_its_stored_ids() {
    let dataset = dataset(&["Schaltfläche Schaltfläche Schaltfläche", "a"]);
    let mut options = options(1.0);
    options.bpe_dropout.as_mut().unwrap().max_length = Some(20);
    assert_eq!(rows(&batches(&dataset, options))[&0], stored(&dataset)[&0]);
}

#[test]
fn refuses_what_it_cannot_do() {
    let dataset = dataset(&["a"]);
    let refusal = |change: &dyn Fn(&mut BpeDropoutOptions)| {
        let mut options = options(0.1);
        change(options.bpe_dropout.as_mut().unwrap());
        Loader::new(dataset.clone(), options).unwrap_err().code()
    };
    assert_eq!(refusal(&|given| given.columns.get_mut("source").unwrap().probability = 1.5), "ERR_ARGUMENT");
    assert_eq!(
        refusal(&|given| given.columns.extend([("target".to_owned(), Default::default())])),
        "ERR_ARGUMENT"
    );
    assert_eq!(
        refusal(&|given| given.columns.get_mut("source").unwrap().tokenizer = "missing".into()),
        "ERR_IO"
    );
}

/// How often each split of `word` comes out of `draws` epochs.
fn counted(word: &str, probability: f64, draws: usize) -> HashMap<Vec<i32>, f64> {
    let dataset = dataset(&vec![word; draws]);
    let mut counts = HashMap::new();
    for (_, ids) in rows(&batches(&dataset, options(probability))) {
        *counts.entry(ids).or_insert(0.0) += 1.0;
    }
    counts
}

/// The ids of a split as the golden file writes it.
fn ids_of(split: &str, vocabulary: &Value) -> Vec<i32> {
    let ids = split.split(' ').map(|token| vocabulary[token].as_i64().unwrap() as i32);
    ids.chain([0]).collect()
}

#[test]
fn splits_are_as_frequent_as_subword_nmts() {
    let golden_file: Value =
        serde_json::from_slice(&std::fs::read(golden().join("bpe_dropout.json")).unwrap()).unwrap();
    let tokenizer: Value = serde_json::from_str(&tokenizer().to_json().unwrap()).unwrap();
    let vocabulary = &tokenizer["model"]["vocab"];
    let draws = golden_file["draws"].as_u64().unwrap() as usize;
    for expected in golden_file["words"].as_array().unwrap() {
        let (word, probability) = (expected["word"].as_str().unwrap(), expected["dropout"].as_f64().unwrap());
        let ours = counted(word, probability, draws);
        let theirs = expected["splits"].as_object().unwrap();
        // Two samples of equal size: each split adds (a − b)² / (a + b) to χ²; rare ones are counted together.
        let (mut chi, mut degrees, mut rest) = (0.0, 0.0, [draws as f64; 2]);
        for (split, count) in theirs {
            let pair =
                [ours.get(&ids_of(split, vocabulary)).copied().unwrap_or(0.0), count.as_f64().unwrap()];
            if pair[0] + pair[1] >= 20.0 {
                chi += (pair[0] - pair[1]).powi(2) / (pair[0] + pair[1]);
                degrees += 1.0;
                rest = [rest[0] - pair[0], rest[1] - pair[1]];
            }
        }
        if rest[0] + rest[1] > 0.0 {
            chi += (rest[0] - rest[1]).powi(2) / (rest[0] + rest[1]);
        }
        // χ² has mean n and variance 2n; 4.5 standard deviations and a margin for its tail.
        assert!(
            chi < degrees + 4.5 * (2.0f64 * degrees).sqrt() + 8.0,
            "{word:?} at {probability}: χ² {chi} of {degrees}"
        );
    }
}

#[test]
fn words_have_as_many_subwords_as_subword_nmts() {
    let golden_file: Value =
        serde_json::from_slice(&std::fs::read(golden().join("bpe_dropout.json")).unwrap()).unwrap();
    let words: Vec<&str> =
        golden_file["text"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let dataset = dataset(&words);
    for expected in golden_file["means"].as_array().unwrap() {
        let theirs: Vec<f64> =
            expected["subwords"].as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect();
        let probability = expected["dropout"].as_f64().unwrap();
        let tokens = |seed| {
            let batches = batches(&dataset, LoaderOptions { seed, ..options(probability) });
            batches.iter().map(|batch| batch.tokens - batch.samples).sum::<usize>() as f64
                / words.len() as f64
        };
        let ours: Vec<f64> = (1..=theirs.len() as u64).map(tokens).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let spread = |values: &[f64]| values.iter().map(|value| (value - mean(values)).powi(2)).sum::<f64>();
        let count = theirs.len() as f64;
        let error = ((spread(&ours) + spread(&theirs)) / (count - 1.0) / count).sqrt();
        let difference = (mean(&ours) - mean(&theirs)).abs();
        assert!(difference < 4.0 * error, "at {probability}: {} and {}", mean(&ours), mean(&theirs));
    }
}
