//! Folders of `fairseq-preprocess` (`golden/fairseq.py` wrote `golden/fairseq/` and `golden/fairseq.json`), whole and broken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sagetrain_data::fairseq::{FairseqOptions, Imported, import_translation};
use sagetrain_data::{Column, DataError, Dataset, Tokenizer};
use serde_json::Value;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn options(folder: &Path, output: &Path) -> FairseqOptions {
    let (folder, output) = (folder.to_owned(), output.to_owned());
    FairseqOptions { folder, source: "de".into(), target: "en".into(), max_length: 1024, output }
}

/// A copy of the golden folder.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(golden().join("fairseq")).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn imported(folder: &Path) -> Result<Imported, DataError> {
    let output = tempfile::tempdir().unwrap();
    import_translation(&options(folder, output.path()))
}

fn row(dataset: &Dataset, sample: usize, name: &str) -> Vec<i32> {
    let columns = dataset.sample(sample).unwrap();
    let (_, column) = columns.iter().find(|(column, _)| column == name).unwrap();
    let Column::Ragged { values, .. } = column else { panic!("{name} is dense") };
    values.clone()
}

#[test]
fn a_folder_becomes_datasets_whose_words_and_text_are_fairseqs() {
    let output = tempfile::tempdir().unwrap();
    let options = options(&golden().join("fairseq"), output.path());
    let imported = import_translation(&options).unwrap();
    let expected: Value = serde_json::from_slice(&fs::read(golden().join("fairseq.json")).unwrap()).unwrap();
    let tokenizer = Tokenizer::open(&imported.folder).unwrap();
    assert_eq!(tokenizer.vocabulary(), imported.vocabulary);
    let rows = |name: &str| expected[name].as_array().unwrap().clone();
    for (part, rows) in [("train", [rows("train"), rows("train1")].concat()), ("valid", rows("valid"))] {
        let dataset = Dataset::open(&imported.folder.join(&imported.parts[part].file)).unwrap();
        assert_eq!(dataset.len(), rows.len());
        assert_eq!(imported.parts[part].samples, rows.len() as u64);
        for (sample, expected) in rows.iter().enumerate() {
            for (column, language) in [("source", "de"), ("target", "en")] {
                let ids = row(&dataset, sample, column);
                let words = expected[language]["words"].as_array().unwrap();
                let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
                let encoded = tokenizer.encode(&words[..words.len() - 1].join(" ")).unwrap();
                assert_eq!(ids, encoded, "{words:?}");
                let text = expected[language]["text"].as_str().unwrap();
                assert_eq!(tokenizer.decode(&ids).unwrap().trim_end(), text);
            }
        }
    }
    let again = import_translation(&options).unwrap();
    assert!(again.reused && !imported.reused);
    assert_eq!(again.parts, imported.parts);
}

#[test]
fn longer_pairs_are_left_out_and_told() {
    let output = tempfile::tempdir().unwrap();
    let options = FairseqOptions { max_length: 20, ..options(&golden().join("fairseq"), output.path()) };
    let imported = import_translation(&options).unwrap();
    let dataset = Dataset::open(&imported.folder.join("train.dataset")).unwrap();
    let longest = (0..dataset.len()).map(|sample| row(&dataset, sample, "source").len()).max().unwrap();
    assert!(longest <= 20 && dataset.len() < 80, "{longest} {}", dataset.len());
    assert!(imported.warnings[0].contains("pairs with more than 20 tokens"), "{:?}", imported.warnings);
}

/// What `change` makes of a file of the folder is refused with `code`, the file's name and `told`.
#[track_caller]
fn refused(file: &str, change: impl FnOnce(&mut Vec<u8>), code: &str, told: &str) {
    let folder = copied();
    let path = folder.path().join(file);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
    let error = imported(folder.path()).unwrap_err();
    let message = error.to_string();
    assert_eq!(error.code(), code, "{message}");
    let stem = Path::new(file).file_stem().unwrap().to_str().unwrap();
    assert!(message.contains(stem), "{message} does not name {stem}");
    assert!(message.contains(told), "{message} does not say {told}");
}

#[test]
fn malformed_files_are_refused_by_name_and_place() {
    let (index, data) = ("train.de-en.de.idx", "train.de-en.de.bin");
    let set = |at: usize, with: &'static [u8]| {
        move |file: &mut Vec<u8>| file[at..at + with.len()].copy_from_slice(with)
    };
    refused(index, set(0, b"MMIDIDY"), "ERR_DATASET", "does not begin with MMIDIDX");
    refused(index, set(0, b"TNTIDX\0\0"), "ERR_DATASET", "--dataset-impl lazy or cached");
    refused(index, set(9, &[2]), "ERR_DATASET", "its version is 2");
    refused(index, set(17, &[6]), "ERR_DATASET", "floating-point");
    refused(index, set(17, &[11]), "ERR_DATASET", "type code 11");
    refused(index, set(17, &[4]), "ERR_DATASET", "sentence 2: it begins at byte");
    refused(index, set(18, &[61]), "ERR_DATASET", "the 61 sentences it names");
    refused(index, set(18, &[255; 8]), "ERR_DATASET", "is not right for the");
    refused(index, set(26, &[255; 4]), "ERR_DATASET", "sentence 1: its length is -1");
    refused(index, set(30, &[255, 255, 255, 127]), "ERR_DATASET", "sentence 3: it begins at byte");
    refused(index, set(26 + 4 * 60, &[1]), "ERR_DATASET", "sentence 1: it begins at byte 1");
    refused(index, |file| file.truncate(20), "ERR_DATASET", "it has 20 bytes");
    refused(index, |file| file.truncate(file.len() - 1), "ERR_DATASET", "the 60 sentences it names");
    refused(index, |file| file.push(0), "ERR_DATASET", "the 60 sentences it names");
    refused(data, |file| file.truncate(file.len() - 2), "ERR_DATASET", "its index describes");
    refused(data, |file| file.push(0), "ERR_DATASET", "its index describes");
    refused(data, set(0, &[255, 255]), "ERR_DATASET", "sentence 1: token 1: there is no id 65535");
    refused(
        data,
        |file| *file.iter_mut().rev().nth(1).unwrap() = 4,
        "ERR_DATASET",
        "sentence 60: it does not end with",
    );
    refused("dict.de.txt", |file| file.extend(b"no-count\n"), "ERR_DATA", "a space and a count");
    refused("dict.de.txt", |file| file.extend(b"<unk> 3\n"), "ERR_DATA", "is there before");
    refused("dict.de.txt", |file| file.push(0xff), "ERR_DATA", "not UTF-8");
    let folder = copied();
    for extension in ["idx", "bin"] {
        let valid = fs::read(folder.path().join(format!("valid.de-en.en.{extension}"))).unwrap();
        fs::write(folder.path().join(format!("train.de-en.en.{extension}")), valid).unwrap();
    }
    let message = imported(folder.path()).unwrap_err().to_string();
    assert!(message.contains("it has 10 sentences") && message.contains("has 60"), "{message}");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(imported(empty.path()).unwrap_err().code(), "ERR_DATA");
}

#[test]
fn every_width_of_ids_is_read() {
    for (code, bytes) in [(1u8, 1), (2, 1), (3, 2), (4, 4), (5, 8), (8, 2), (9, 4), (10, 8)] {
        let folder = tempfile::tempdir().unwrap();
        for language in ["de", "en"] {
            fs::write(folder.path().join(format!("dict.{language}.txt")), "a 2\nb 1\n").unwrap();
            let ids: [u64; 3] = [5, 4, 2];
            let data: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()[..bytes].to_vec()).collect();
            let head = [&b"MMIDIDX\0\0"[..], &1u64.to_le_bytes(), &[code], &1u64.to_le_bytes()].concat();
            let index = [&head[..], &3i32.to_le_bytes(), &0i64.to_le_bytes()].concat();
            fs::write(folder.path().join(format!("train.en-de.{language}.idx")), index).unwrap();
            fs::write(folder.path().join(format!("train.en-de.{language}.bin")), data).unwrap();
        }
        let output = tempfile::tempdir().unwrap();
        let imported = import_translation(&options(folder.path(), output.path())).unwrap();
        let dataset = Dataset::open(&imported.folder.join("train.dataset")).unwrap();
        assert_eq!(row(&dataset, 0, "source"), [3, 2, 0], "code {code}");
    }
}

#[test]
fn specials_within_a_sentence_are_unknown_words() {
    let folder = copied();
    let path = folder.path().join("valid.de-en.de.bin");
    let mut bytes = fs::read(&path).unwrap();
    bytes[..4].copy_from_slice(&2i32.to_le_bytes());
    bytes[4..8].copy_from_slice(&1i32.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let output = tempfile::tempdir().unwrap();
    let imported = import_translation(&options(folder.path(), output.path())).unwrap();
    let dataset = Dataset::open(&imported.folder.join("valid.dataset")).unwrap();
    assert_eq!(row(&dataset, 0, "source")[..2], [1, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    /// Whatever happens to a byte, or to the end of a file, an import ends: with data within the vocabulary, or with a named error.
    #[test]
    fn damage_never_panics(file in 0usize..4, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let name = ["valid.de-en.de.idx", "valid.de-en.de.bin", "dict.de.txt", "train1.de-en.en.idx"][file];
        let folder = copied();
        let path = folder.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        fs::write(&path, bytes).unwrap();
        let output = tempfile::tempdir().unwrap();
        match import_translation(&options(folder.path(), output.path())) {
            Ok(imported) => {
                let dataset = Dataset::open(&imported.folder.join("valid.dataset")).unwrap();
                let ids = row(&dataset, 0, "source");
                prop_assert!(ids.iter().all(|&id| id >= 0 && (id as usize) < imported.vocabulary));
            }
            Err(error) => prop_assert!(["ERR_DATASET", "ERR_DATA"].contains(&error.code()), "{error}"),
        }
    }
}
