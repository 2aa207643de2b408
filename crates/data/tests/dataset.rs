//! Dataset files: what is written comes back, and what is not a whole dataset is refused by name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use sagetrain_data::{
    Column, ColumnKind, ColumnSpec, DataError, Dataset, DatasetWriter, Element, Loader, LoaderOptions, Row,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn example() -> Dataset {
    let ragged = |rows: &[&[i32]]| Column::ragged(rows.iter());
    Dataset::from_columns(vec![
        ("source".into(), ragged(&[&[1, 2, 3], &[], &[65_535]])),
        ("label".into(), ragged(&[&[-100], &[70_000], &[0]])),
        ("features".into(), Column::Dense { values: vec![0.5, -1.0, f32::NAN, 2.0, 3.0, -0.0], width: 2 }),
    ])
    .unwrap()
}

fn written(folder: &Path) -> PathBuf {
    let path = folder.join("example.dataset");
    example().write(&path, json!({ "task": "test" })).unwrap();
    path
}

fn bits(columns: Vec<(String, Column)>) -> String {
    // NaN is not equal to itself; its bits are.
    let bits = |column| match column {
        Column::Dense { values, width } => {
            (values.iter().map(|x| i64::from(x.to_bits())).collect(), vec![width as i64])
        }
        Column::Ragged { values, offsets } => {
            (values.iter().map(|x| i64::from(*x)).collect::<Vec<_>>(), offsets)
        }
    };
    format!("{:?}", columns.into_iter().map(|(name, column)| (name, bits(column))).collect::<Vec<_>>())
}

#[test]
fn a_written_dataset_is_the_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (memory, file) = (example(), Dataset::open(&written(folder.path())).unwrap());
    file.verify().unwrap();
    assert_eq!(file.columns(), memory.columns());
    assert_eq!(file.about(), &json!({ "task": "test" }));
    let all: Vec<u64> = (0..3).collect();
    assert_eq!(bits(file.gather(&all).unwrap()), bits(memory.gather(&all).unwrap()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left in the folder");
}

#[test]
fn ids_take_two_bytes_where_they_fit_and_the_header_knows_their_range() {
    let dataset = example();
    let kind = |index: usize| dataset.columns()[index].kind;
    assert_eq!(kind(0), ColumnKind::Ragged { element: Element::U16, longest: 3, least: 1, greatest: 65_535 });
    assert_eq!(
        kind(1),
        ColumnKind::Ragged { element: Element::I32, longest: 1, least: -100, greatest: 70_000 }
    );
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, second] = folders.each_ref().map(|folder| fs::read(written(folder.path())).unwrap());
    assert_eq!(first, second);
}

#[test]
fn a_replaced_file_leaves_an_open_dataset_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let old = Dataset::open(&path).unwrap();
    let other = Dataset::from_columns(vec![("x".into(), Column::ragged([[7]]))]).unwrap();
    other.write(&path, Value::Null).unwrap();
    assert_eq!(bits(old.gather(&[0, 1, 2]).unwrap()), bits(example().gather(&[0, 1, 2]).unwrap()));
    assert_eq!(Dataset::open(&path).unwrap().len(), 1);
}

#[test]
fn an_empty_dataset_is_a_dataset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.dataset");
    Dataset::from_columns(vec![("x".into(), Column::ragged::<[i32; 0]>([]))])
        .unwrap()
        .write(&path, Value::Null)
        .unwrap();
    assert!(Dataset::open(&path).unwrap().is_empty());
}

#[test]
fn a_file_that_is_no_dataset_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thesis.txt");
    fs::write(&path, "years of work").unwrap();
    let error = example().write(&path, Value::Null).unwrap_err();
    assert_eq!(error.code(), "ERR_DATASET");
    assert_eq!(fs::read_to_string(&path).unwrap(), "years of work");
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spec = [ColumnSpec::Ragged { name: "x".into(), vocabulary: 10 }];
    let mut writer = DatasetWriter::create(&folder.path().join("x.dataset"), &spec).unwrap();
    writer.push(&[Row::Ragged(&[1, 2])]).unwrap();
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn rows_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let spec = [
        ColumnSpec::Ragged { name: "ids".into(), vocabulary: 10 },
        ColumnSpec::Dense { name: "numbers".into(), width: 2 },
    ];
    let cases: [(&[Row<'_>], &str); 5] = [
        (&[Row::Ragged(&[1, 10]), Row::Dense(&[0.0, 0.0])], "id 10 of sample 0 is not in 0..=9"),
        (&[Row::Ragged(&[-1]), Row::Dense(&[0.0, 0.0])], "id -1"),
        (&[Row::Ragged(&[1]), Row::Dense(&[0.0])], "`numbers`: sample 0 has 1 numbers"),
        (&[Row::Dense(&[0.0]), Row::Dense(&[0.0, 0.0])], "other kind"),
        (&[Row::Ragged(&[1])], "1 rows for 2 columns"),
    ];
    for (rows, message) in cases {
        let mut writer = DatasetWriter::create(&folder.path().join("x.dataset"), &spec).unwrap();
        let error = writer.push(rows).unwrap_err();
        assert_eq!(error.code(), "ERR_SHAPE");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn columns_in_memory_that_do_not_fit_are_named() {
    let ids = |values: Vec<i32>, offsets: Vec<i64>| Column::Ragged { values, offsets };
    let dense = |values, width| Column::Dense { values, width };
    let cases = [
        (vec![], "at least one column"),
        (vec![("a", ids(vec![1], vec![0, 1])), ("a", ids(vec![1], vec![0, 1]))], "two columns"),
        (vec![("a", ids(vec![1], vec![0, 1])), ("b", ids(vec![], vec![0]))], "0 samples, column `a` has 1"),
        (vec![("a", ids(vec![1], vec![]))], "start with 0"),
        (vec![("a", ids(vec![1], vec![1, 1]))], "start with 0"),
        (vec![("a", ids(vec![1, 2], vec![0, 2, 1, 2]))], "fall from 2 to 1 after row 1"),
        (vec![("a", ids(vec![1, 2], vec![0, 1]))], "there are 2 values"),
        (vec![("a", ids(vec![1], vec![0, i64::MAX]))], "there are 1 values"),
        (vec![("a", dense(vec![1.0], 0))], "width is 0"),
        (vec![("a", dense(vec![1.0; 5], 2))], "5 values are not rows of width 2"),
    ];
    for (columns, message) in cases {
        let columns = columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect();
        let error = Dataset::from_columns(columns).unwrap_err();
        assert_eq!(error.code(), "ERR_SHAPE");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_sample_past_the_end_is_an_error() {
    assert_eq!(example().sample(3).unwrap_err().code(), "ERR_ARGUMENT");
    assert_eq!(example().gather(&[0, u64::MAX]).unwrap_err().code(), "ERR_ARGUMENT");
}

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

fn any_columns() -> impl Strategy<Value = Vec<(String, Column)>> {
    (0usize..20, 1usize..4).prop_flat_map(|(samples, columns)| {
        let ids = prop_oneof![0..100i32, any::<i32>()];
        let ragged =
            prop::collection::vec(prop::collection::vec(ids, 0..12), samples).prop_map(Column::ragged);
        let dense = (1usize..5).prop_flat_map(move |width| {
            prop::collection::vec(any::<f32>(), samples * width)
                .prop_map(move |values| Column::Dense { values, width })
        });
        prop::collection::vec(prop_oneof![ragged, dense], columns).prop_map(|columns| {
            columns
                .into_iter()
                .enumerate()
                .map(|(index, column)| (format!("column {index}"), column))
                .collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn any_columns_come_back_from_a_file(columns in any_columns(), picks in prop::collection::vec(any::<u64>(), 0..30)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.dataset");
        let memory = Dataset::from_columns(columns).unwrap();
        memory.write(&path, Value::Null).unwrap();
        let file = Dataset::open(&path).unwrap();
        file.verify().unwrap();
        prop_assert_eq!(file.columns(), memory.columns());
        let picks: Vec<u64> = picks.iter().filter(|_| !memory.is_empty()).map(|pick| pick % memory.len() as u64).collect();
        prop_assert_eq!(bits(file.gather(&picks).unwrap()), bits(memory.gather(&picks).unwrap()));
    }
}
