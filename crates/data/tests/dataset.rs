//! Datasets: what is written comes back, whatever it was.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use sagetrain_data::{Column, ColumnKind, ColumnSpec, Dataset, DatasetWriter, Element, Row};
use serde_json::{Value, json};
use support::{example, written};

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
fn one_column_is_what_it_is_among_all() {
    let dataset = example();
    for (name, column) in dataset.gather(&[0, 1, 2]).unwrap() {
        let alone = dataset.column(&name).unwrap().unwrap();
        assert_eq!(bits(vec![(name.clone(), alone)]), bits(vec![(name, column)]));
    }
    assert!(dataset.column("nothing").unwrap().is_none());
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
fn the_next_writer_removes_what_a_killed_one_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let left = [".example.dataset.aB3.tmp", ".example.dataset.new.tmp", ".other.dataset.aB3.tmp"]
        .map(|name| folder.path().join(name));
    for (path, age) in left.iter().zip([7200, 0, 7200]) {
        let file = fs::File::create(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    written(folder.path());
    assert_eq!(left.each_ref().map(|path| path.exists()), [false, true, true]);
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
