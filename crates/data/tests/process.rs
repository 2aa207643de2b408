//! What other processes see: a killed writer leaves nothing torn, and several preparers make one preparation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sagetrain_data::translation::{PrepareOptions, Prepared, prepare};
use sagetrain_data::{Column, Dataset};
use serde_json::Value;
use support::small;

const FOLDER: &str = "SAGETRAIN_TEST_FOLDER";

/// One of two datasets of the same shape, large enough that writing takes a while.
fn dataset(fill: i32) -> Dataset {
    let rows = (0..20_000).map(|row| vec![fill; row % 30]);
    Dataset::from_columns(vec![("x".into(), Column::ragged(rows))]).unwrap()
}

/// Runs an ignored test of this file in a process of its own.
fn start(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn left_over(folder: &Path) -> usize {
    let names = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".work")).count()
}

#[test]
#[ignore = "started by the tests below"]
fn child_prepares() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let prepared = prepare(&small(Path::new(&folder))).unwrap();
    let name = format!("result-{}.json", std::process::id());
    fs::write(Path::new(&folder).join(name), serde_json::to_vec(&prepared).unwrap()).unwrap();
}

#[test]
#[ignore = "started by the tests below"]
fn child_writes_one_dataset_over_another() {
    let path = Path::new(&std::env::var_os(FOLDER).unwrap()).join("x.dataset");
    let datasets = [dataset(1), dataset(2)];
    for dataset in datasets.iter().cycle() {
        dataset.write(&path, Value::Null).unwrap();
    }
}

#[test]
fn a_preparer_killed_at_any_moment_leaves_nothing_torn() {
    let mut left = 0;
    for round in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start("child_prepares", folder.path());
        std::thread::sleep(Duration::from_millis(round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        left += left_over(&folder.path().join("cache"));
        // Opens what is there, every byte of it, or makes it.
        prepare(&small(folder.path())).unwrap();
        assert_eq!(left_over(&folder.path().join("cache")), 0, "the next preparer goes on in it");
    }
    assert!(left > 0, "no kill met a preparer at work");
}

/// The whole embedded corpus: several blocks in every stage.
fn large(folder: &Path) -> PrepareOptions {
    PrepareOptions { tsv: Some(support::corpus("train")), ..small(folder) }
}

#[test]
#[ignore = "started by the test below"]
fn child_prepares_much() {
    prepare(&large(Path::new(&std::env::var_os(FOLDER).unwrap()))).unwrap();
}

/// Files that a work folder keeps of the stages that are done, with the times at which they were made.
fn kept(work: &Path) -> Vec<(std::ffi::OsString, std::time::SystemTime)> {
    let entries = fs::read_dir(work.join("blocks")).into_iter().flatten().flatten();
    let entry = |entry: fs::DirEntry| Some((entry.file_name(), entry.metadata().ok()?.modified().ok()?));
    entries.filter(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp")).filter_map(entry).collect()
}

#[test]
fn a_killed_preparer_is_gone_on_with_and_what_it_had_done_is_not_done_again() {
    let whole = tempfile::tempdir().unwrap();
    let expected = prepare(&large(whole.path())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let name = expected.folder.file_name().unwrap().to_owned();
    let work = cache.join(format!(".{}.work", name.to_string_lossy()));
    let (mut kills, mut most) = (0, 0);
    for round in 0..200 {
        let before = kept(&work);
        most = most.max(before.len());
        let mut child = start("child_prepares_much", folder.path());
        std::thread::sleep(Duration::from_millis(40 + round * 20));
        child.kill().unwrap();
        child.wait().unwrap();
        if cache.join(&name).exists() {
            break;
        }
        kills += 1;
        let after = kept(&work);
        let done = before.iter().filter(|entry| !entry.0.to_string_lossy().ends_with(".tmp"));
        assert!(
            after.is_empty() || done.clone().all(|entry| after.contains(entry)),
            "something was made anew"
        );
    }
    assert!(kills >= 3 && most >= 5, "{kills} kills, {most} files kept");
    let resumed = prepare(&large(folder.path())).unwrap();
    for file in ["train.dataset", "tokenizer.json"] {
        let read = |prepared: &Prepared| fs::read(prepared.folder.join(file)).unwrap();
        assert!(read(&resumed) == read(&expected), "{file}");
    }
    assert!(!resumed.folder.join("blocks").exists());
}

#[test]
fn a_dataset_replaced_over_and_over_is_whole_whenever_its_writer_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dataset");
    dataset(1).write(&path, Value::Null).unwrap();
    for round in 0..30 {
        let mut child = start("child_writes_one_dataset_over_another", folder.path());
        std::thread::sleep(Duration::from_millis(10 + round * 5));
        let open = Dataset::open(&path).unwrap();
        open.verify().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        open.verify().unwrap();
        let dataset = Dataset::open(&path).unwrap();
        dataset.verify().unwrap();
        assert_eq!(dataset.len(), 20_000);
    }
}

#[test]
fn of_several_preparers_one_works_and_the_others_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4).map(|_| start("child_prepares", folder.path())).collect();
    let mut results: Vec<Prepared> = Vec::new();
    for mut child in children {
        assert!(child.wait().unwrap().success());
        let result = folder.path().join(format!("result-{}.json", child.id()));
        results.push(serde_json::from_slice(&fs::read(result).unwrap()).unwrap());
    }
    assert_eq!(results.iter().filter(|prepared| !prepared.reused).count(), 1);
    assert!(results.iter().all(|prepared| prepared.fingerprint == results[0].fingerprint));
}
