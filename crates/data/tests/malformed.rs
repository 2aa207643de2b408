//! What is not a whole dataset is refused by name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sagetrain_data::{DataError, Dataset, Loader, LoaderOptions};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::written;

/// The parts of a dataset file.
fn taken_apart(file: &[u8]) -> (Value, Vec<u8>) {
    let length = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
    let header = serde_json::from_slice(&file[48..48 + length]).unwrap();
    (header, file[(48 + length).next_multiple_of(64)..].to_vec())
}

/// A file whose checksum is right, whatever its header says.
fn put_together(header: &[u8], data: &[u8]) -> Vec<u8> {
    let mut file = b"SAGEDATA".to_vec();
    file.extend(1u32.to_le_bytes());
    file.extend((header.len() as u32).to_le_bytes());
    file.extend(Sha256::digest(header));
    file.extend(header);
    file.resize(file.len().next_multiple_of(64), 0);
    file.extend(data);
    file
}

fn refusal(path: &Path) -> String {
    let error = Dataset::open(path).and_then(|dataset| dataset.verify()).unwrap_err();
    assert_eq!(error.code(), "ERR_DATASET", "{error}");
    assert!(
        error.to_string().contains(path.file_name().unwrap().to_str().unwrap()),
        "{error} does not name the file"
    );
    error.to_string()
}

#[test]
fn malformed_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(written(folder.path())).unwrap();
    let (header, data) = taken_apart(&whole);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut header = header.clone();
        change(&mut header);
        put_together(header.to_string().as_bytes(), &data)
    };
    let patched = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let column =
        |name: &'static str, value: Value| changed(&move |header| header["columns"][0][name] = value.clone());
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "it is empty"),
        ("text", b"hello, world\n".repeat(20), "not a sagetrain dataset"),
        ("safetensors", [&8u64.to_le_bytes()[..], b"{}      ", &[0; 64]].concat(), "not a sagetrain dataset"),
        ("gzip", [&[0x1f, 0x8b, 8, 0][..], &[0; 100]].concat(), "not a sagetrain dataset"),
        ("magic-only", b"SAGEDATA".to_vec(), "truncated"),
        ("half-magic", b"SAGE".to_vec(), "truncated"),
        ("version-0", patched(8, &0u32.to_le_bytes()), "version 0"),
        ("version-2", patched(8, &2u32.to_le_bytes()), "version 2"),
        ("header-huge", patched(12, &u32::MAX.to_le_bytes()), "at most"),
        ("header-long", patched(12, &1_000_000u32.to_le_bytes()), "truncated"),
        ("header-0", patched(12, &0u32.to_le_bytes()), "checksum"),
        ("checksum", patched(20, &[0xff; 4]), "checksum"),
        ("header-flipped", patched(60, &[whole[60] ^ 1]), "checksum"),
        ("not-utf8", put_together(&[0xff; 40], &data), "not understood"),
        ("not-json", put_together(b"{", &data), "not understood"),
        ("nested", put_together("[".repeat(10_000).as_bytes(), &data), "not understood"),
        ("other-json", put_together(b"{\"a\":1}", &data), "not understood"),
        ("unknown-field", changed(&|header| header["extra"] = json!(1)), "not understood"),
        ("unknown-type", column("type", json!("sparse")), "not understood"),
        ("unknown-element", column("element", json!("u8")), "not understood"),
        ("negative-samples", changed(&|header| header["samples"] = json!(-1)), "not understood"),
        ("more-samples", changed(&|header| header["samples"] = json!(4)), "sizes of its rows"),
        ("many-samples", changed(&|header| header["samples"] = json!(u64::MAX)), "sizes of its rows"),
        ("same-names", changed(&|header| header["columns"][1]["name"] = json!("source")), "two columns"),
        ("no-offsets", column("offsets", Value::Null), "without offsets"),
        ("overlap", changed(&|header| header["columns"][1]["values"]["start"] = json!(0)), "does not follow"),
        (
            "hole",
            changed(&|header| header["columns"][1]["values"]["start"] = json!(1 << 20)),
            "does not follow",
        ),
        (
            "huge-section",
            changed(&|header| header["columns"][2]["values"]["bytes"] = json!(u64::MAX)),
            "width 2",
        ),
        (
            "odd-section",
            changed(&|header| header["columns"][0]["values"]["bytes"] = json!(7)),
            "sizes of its rows",
        ),
        ("width-0", changed(&|header| header["columns"][2]["width"] = json!(0)), "width 0"),
        ("bytes-after", [&whole[..], b"PK"].concat(), "2 bytes follow"),
        ("byte-missing", whole[..whole.len() - 1].to_vec(), "truncated"),
        (
            "data-flipped",
            patched(whole.len() - 1, &[whole[whole.len() - 1] ^ 1]),
            "column `features` are damaged",
        ),
    ];
    assert!(cases.len() >= 20);
    for (name, bytes, message) in cases {
        let path = folder.path().join(format!("{name}.dataset"));
        fs::write(&path, bytes).unwrap();
        let refused = refusal(&path);
        assert!(refused.contains(message), "{name}: {refused}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(written(folder.path())).unwrap();
    let path = folder.path().join("cut.dataset");
    for length in (0..200).chain((200..whole.len()).step_by(13)) {
        fs::write(&path, &whole[..length]).unwrap();
        let refused = refusal(&path);
        assert!(refused.contains("truncated") || refused.contains("empty"), "{length} bytes: {refused}");
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(written(folder.path())).unwrap();
    let path = folder.path().join("flipped.dataset");
    let mut silent = 0;
    for at in 0..whole.len() {
        let mut file = whole.clone();
        file[at] ^= 0x10;
        fs::write(&path, file).unwrap();
        silent += usize::from(Dataset::open(&path).and_then(|dataset| dataset.verify()).is_ok());
    }
    // Only the zeros between sections carry nothing.
    let (header, data) = taken_apart(&whole);
    let head = 48 + header.to_string().len();
    let used: u64 = ["values", "offsets"]
        .iter()
        .flat_map(|name| (0..3).filter_map(|column| header["columns"][column][*name]["bytes"].as_u64()))
        .sum();
    assert_eq!(silent, whole.len() - head - used as usize, "{} bytes of data", data.len());
}

#[test]
fn rows_that_contradict_an_unverified_header_are_an_error_and_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (header, mut data) = taken_apart(&fs::read(written(folder.path())).unwrap());
    let path = folder.path().join("lies.dataset");
    let at = |name: &str| header["columns"][0][name]["start"].as_u64().unwrap() as usize;
    data[at("values")] = 0;
    fs::write(&path, put_together(header.to_string().as_bytes(), &data)).unwrap();
    assert_eq!(
        Dataset::open(&path).unwrap().sample(0).unwrap_err().code(),
        "ERR_DATASET",
        "an id below the least"
    );
    data[at("offsets") + 8..at("offsets") + 16].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(&path, put_together(header.to_string().as_bytes(), &data)).unwrap();
    let dataset = Arc::new(Dataset::open(&path).unwrap());
    assert_eq!(dataset.sample(0).unwrap_err().code(), "ERR_DATASET", "an offset outside");
    let options = LoaderOptions { max_tokens: Some(100), ..Default::default() };
    assert_eq!(Loader::new(dataset.clone(), options).unwrap_err().code(), "ERR_DATASET");
    let options = LoaderOptions { batch_size: Some(3), shuffle: false, ..Default::default() };
    let mut loader = Loader::new(dataset, options).unwrap();
    assert!(matches!(loader.next(), Some(Err(DataError::Dataset { .. }))));
    assert!(loader.next().is_none(), "an error ends the loader");
}

#[test]
fn what_is_no_regular_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path()).contains("not a regular file"));
    assert_eq!(Dataset::open(&folder.path().join("missing")).unwrap_err().code(), "ERR_IO");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(refusal(&pipe).contains("not a regular file"));
}
