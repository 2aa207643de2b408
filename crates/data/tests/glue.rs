//! GLUE's folders in miniature; `golden/glue.py` says how they and the outcome came about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use sagetrain_data::classification::glue::{ARCHIVE, TASKS, Task};
use sagetrain_data::classification::{HeldOut, Kind, PrepareOptions, Prepared, prepare};
use sagetrain_data::text::Reason;
use sagetrain_data::{Column, Dataset, Result};
use serde_json::Value;
use support::{encoder, golden, write_files};

/// Writes a task's files, `mrpc-published` for Microsoft's own, and says how to prepare them.
fn written(folder: &Path, name: &str) -> PrepareOptions {
    let data = folder.join(name);
    write_files(&data, &golden("glue")["tasks"][name]["files"]);
    PrepareOptions {
        recipe: Some(name.trim_end_matches("-published").to_owned()),
        data: Some(data),
        tokenizer: encoder(folder, "roberta"),
        max_length: Some(32),
        threads: Some(2),
        output: folder.join("cache"),
        ..Default::default()
    }
}

fn prepared(folder: &Path, name: &str) -> Prepared {
    prepare(&written(folder, name)).unwrap()
}

fn dataset(prepared: &Prepared, part: &str) -> Dataset {
    Dataset::open(&prepared.folder.join(&prepared.parts[part].file)).unwrap()
}

/// The ids of a sample, and its class, or its score, or neither.
fn sample(dataset: &Dataset, index: usize) -> (Vec<i32>, Value) {
    let columns = dataset.sample(index).unwrap();
    let label = match columns.get(1) {
        Some((name, Column::Ragged { values, .. })) if name == "label" => values[0].into(),
        Some((name, Column::Dense { values, .. })) if name == "target" => f64::from(values[0]).into(),
        _ => Value::Null,
    };
    let Column::Ragged { values, .. } = &columns[0].1 else { panic!("tokens are ids") };
    (values.clone(), label)
}

#[test]
fn every_task_is_read_as_the_field_reads_it() {
    let tasks = golden("glue");
    for (name, found) in tasks["tasks"].as_object().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let prepared = prepared(folder.path(), name);
        let parts = found["parts"].as_object().unwrap();
        assert_eq!(prepared.parts.len(), parts.len(), "{name}");
        for (part, rows) in parts {
            let (dataset, rows) = (dataset(&prepared, part), rows.as_array().unwrap());
            assert_eq!(dataset.len(), rows.len(), "{name} {part}");
            for (index, row) in rows.iter().enumerate() {
                let (ids, label) = sample(&dataset, index);
                let expected: Vec<i32> = serde_json::from_value(row["ids"].clone()).unwrap();
                assert_eq!(ids, expected, "{name} {part} {index}");
                let same = match (row["label"].as_f64(), label.as_f64()) {
                    (Some(expected), Some(found)) => expected as f32 == found as f32,
                    (expected, found) => expected == found,
                };
                assert!(same, "{name} {part} {index}: {label}, expected {}", row["label"]);
            }
        }
    }
}

#[test]
fn what_the_test_server_needs_is_in_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    for task in &TASKS {
        let prepared = prepared(folder.path(), task.name);
        let submission = prepared.submission.clone().unwrap();
        assert_eq!(submission, task.submission());
        assert_eq!(submission.header, "index\tprediction");
        for (part, file) in &submission.files {
            assert!(ARCHIVE.contains(&file.as_str()), "{file}");
            assert_eq!(prepared.parts[part].indices, [[0, 11]], "{} {part}", task.name);
            assert!(!prepared.parts[part].labelled);
        }
        assert_eq!(prepared.labels, submission.labels);
        assert_eq!(submission.range, (task.kind == Kind::Regression).then_some([0.0, 5.0]));
    }
    let mnli = prepared(folder.path(), "mnli");
    assert_eq!(mnli.labels, ["contradiction", "neutral", "entailment"]);
    assert!(
        mnli.reused && mnli.valid_mismatched.unwrap().is_file() && mnli.test_mismatched.unwrap().is_file()
    );
    let scores = prepared(folder.path(), "sts-b").parts["train"].target.unwrap();
    assert!(scores.least >= 0.0 && scores.greatest <= 5.0 && scores.mean > 0.0, "{scores:?}");
}

#[test]
fn lines_that_the_field_skips_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let qqp = prepared(folder.path(), "qqp");
    assert_eq!(qqp.parts["train"].left_out[&Reason::MissingField], 3);
    assert!(
        qqp.warnings.iter().any(|warning| warning.contains("too few columns (3, first in line 11)")),
        "{:?}",
        qqp.warnings
    );
    let mnli = prepared(folder.path(), "mnli");
    assert!(mnli.parts["valid"].left_out[&Reason::NoGoldLabel] > 0);
    let mrpc = prepared(folder.path(), "mrpc");
    assert!(mrpc.warnings.iter().any(|warning| warning.contains("byte order mark")), "{:?}", mrpc.warnings);
}

#[test]
fn the_tasks_own_folder_will_do_and_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let options = written(folder.path(), "rte");
    let first = prepare(&options).unwrap();
    let own = options.data.as_ref().unwrap().join("RTE");
    let second = prepare(&PrepareOptions { data: Some(own), ..options }).unwrap();
    assert!(second.reused && second.folder == first.folder);
}

#[test]
fn published_and_formatted_mrpc_have_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    let published = prepared(folder.path(), "mrpc-published");
    let train = published.parts["train"].samples + published.parts["valid"].samples;
    assert_eq!((train, published.parts["valid"].samples), (55, 14));
    assert!(published.parts["test"].labelled, "Microsoft's test file has its labels");
}

#[test]
fn ids_of_mrpcs_development_set_that_are_cut_repeated_or_of_no_row_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = written(folder.path(), "mrpc-published");
    let data = options.data.clone().unwrap().join("MRPC");
    let (ids, train) = (data.join("dev_ids.tsv"), data.join("msr_paraphrase_train.txt"));
    let [named, rows] = [&ids, &train].map(|path| fs::read_to_string(path).unwrap());
    let refused = |text: &str, message: &str| {
        fs::write(&ids, text).unwrap();
        let refused = refusal(&options);
        assert!(refused.contains(message) && refused.contains("dev_ids.tsv"), "{refused}");
    };
    refused(&format!("{named}1001\t2001\n"), "dev_ids.tsv:15: its two ids have come before");
    refused(&named.replace("2053", "205"), "1 of its 14 pairs of ids name no row of");
    // A row that is left out as bad may be one that is named.
    fs::write(&train, rows.replace("1\t1001\t2001\t", "1\t1001 2001 ")).unwrap();
    fs::write(&ids, &named).unwrap();
    assert_eq!(prepare(&options).unwrap().parts["valid"].samples, 13);
    // As many rows as are published, and ids that end too early.
    let header = rows.lines().next().unwrap();
    let published: String = (0..4_076).map(|row| format!("1\t{row}\t{row}\tone\ttwo\r\n")).collect();
    fs::write(&train, format!("{header}\r\n{published}")).unwrap();
    let cut: String = (0..300).map(|row| format!("{row}\t{row}\n")).collect();
    refused(&cut, "it names 300 of the 4076 pairs of");
}

fn refusal(options: &PrepareOptions) -> String {
    let refused: Result<Prepared> = prepare(options);
    refused.unwrap_err().to_string()
}

#[test]
fn a_missing_file_is_named_with_where_it_is_published() {
    let folder = tempfile::tempdir().unwrap();
    for (task, file) in
        [("cola", "CoLA/train.tsv"), ("mnli", "MNLI/dev_mismatched.tsv"), ("mrpc", "MRPC/dev.tsv")]
    {
        let options = written(folder.path(), task);
        fs::remove_file(options.data.as_ref().unwrap().join(file)).unwrap();
        let message = refusal(&options);
        let published = Task::named(task).unwrap().published;
        assert!(message.contains(file) && message.contains(published), "{message}");
        assert!(message.contains("gluebenchmark.com"), "{message}");
    }
    let options = written(folder.path(), "mrpc-published");
    fs::remove_file(options.data.as_ref().unwrap().join("MRPC/dev_ids.tsv")).unwrap();
    assert!(refusal(&options).contains("MRPC/dev_ids.tsv"));
    let options = PrepareOptions { recipe: Some("wnli".into()), ..options };
    assert!(refusal(&options).contains("give one of cola, sst-2, mrpc"));
}

#[test]
fn without_test_files_there_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let options = written(folder.path(), "mnli");
    fs::remove_file(options.data.as_ref().unwrap().join("MNLI/test_mismatched.tsv")).unwrap();
    let prepared = prepare(&options).unwrap();
    assert!(prepared.test.is_some() && prepared.test_mismatched.is_none());
    assert!(prepared.warnings[0].contains("test_mismatched.tsv is not there"), "{:?}", prepared.warnings);
}

#[test]
fn foreign_headers_unknown_labels_and_damaged_test_files_are_refused_with_the_line() {
    let cases = [
        ("sst-2", "SST-2/train.tsv", "sentence\tlabel", "text\tclass", "no column is named `sentence`"),
        ("rte", "RTE/dev.tsv", "\tnot_entailment\n", "\tmaybe\n", "the label `maybe`"),
        ("cola", "CoLA/train.tsv", "gj04\t1\t*\t", "gj04\t7\t*\t", "the label `7`"),
        ("qnli", "QNLI/test.tsv", "\n3\t", "\n\n3\t", "the test server asks for each"),
        ("qqp", "QQP/test.tsv", "\n3\t", "\nthree\t", "no index (1, first in line 5)"),
    ];
    for (task, file, from, to, message) in cases {
        let folder = tempfile::tempdir().unwrap();
        let options = written(folder.path(), task);
        let path = options.data.as_ref().unwrap().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let refused = refusal(&options);
        assert!(refused.contains(message) && refused.contains(file), "{refused}");
    }
}

#[test]
fn options_of_files_have_no_effect_with_a_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let options = written(folder.path(), "rte");
    let given = PrepareOptions { kind: Some(Kind::Regression), ..options.clone() };
    assert!(refusal(&given).contains("option `kind`"));
    // Without the published test file too: training rows are not for the test server.
    let own = written(folder.path(), "cola");
    fs::remove_file(own.data.as_ref().unwrap().join("CoLA/test.tsv")).unwrap();
    for recipe in [&options, &own] {
        let held_out = HeldOut { test: Some(5), ..Default::default() };
        let error = prepare(&PrepareOptions { held_out, ..recipe.clone() }).unwrap_err();
        assert_eq!(error.code(), "ERR_ARGUMENT");
        let message = error.to_string();
        assert!(message.contains("option `heldOut.test`: the test part of a recipe is"), "{message}");
    }
    let limited = prepare(&PrepareOptions { limit: Some(7), ..options }).unwrap();
    assert_eq!(limited.parts["train"].samples, 7);
}
