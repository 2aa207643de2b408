//! Prepared folders of labelled text: made once, made anew when something changes, refused when damaged, gone on with when
//! stopped, and the same on any number of threads.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/labelled.rs"]
mod labelled;
#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use labelled::corpus_pairs;
use sagetrain_data::classification::{
    Columns, Files, HeldOut, Kind, PrepareOptions, Prepared, prepare, prepare_watched,
};
use sagetrain_data::preparation::Watch;
use support::encoder;

const FILES: [&str; 4] = ["train.dataset", "valid.dataset", "vocab.txt", "prepare-report.json"];

fn options(folder: &Path, rows: usize) -> PrepareOptions {
    let train = folder.join("train.tsv");
    fs::write(&train, corpus_pairs(rows)).unwrap();
    PrepareOptions {
        train: Some(Files::One(train)),
        columns: Some(Columns { text: 0.into(), pair: Some(1.into()), label: 2.into() }),
        held_out: HeldOut { valid: Some(rows as u64 / 10), ..Default::default() },
        max_length: Some(64),
        tokenizer: encoder(folder, "bert"),
        threads: Some(2),
        output: folder.join("cache"),
        ..Default::default()
    }
}

fn bytes(prepared: &Prepared) -> Vec<Vec<u8>> {
    let read = |name: &&str| {
        let bytes = fs::read(prepared.folder.join(name)).unwrap();
        // The report names the files where they lie.
        let text = String::from_utf8_lossy(&bytes).replace(&*folder_of(prepared).to_string_lossy(), "");
        if name.ends_with(".json") { text.into_bytes() } else { bytes }
    };
    FILES.iter().map(read).collect()
}

fn folder_of(prepared: &Prepared) -> PathBuf {
    prepared.folder.parent().unwrap().parent().unwrap().to_owned()
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let made = [1, 2, 5].map(|threads| {
        let folder = tempfile::tempdir().unwrap();
        // Several blocks.
        let options =
            PrepareOptions { threads: Some(threads), limit: Some(9_000), ..options(folder.path(), 40_000) };
        let prepared = prepare(&options).unwrap();
        assert_eq!((prepared.parts["train"].samples, prepared.parts["valid"].samples), (9_000, 4_000));
        (prepared.fingerprint.clone(), bytes(&prepared))
    });
    assert!(made[0] == made[1] && made[1] == made[2]);
}

#[test]
fn a_changed_input_or_option_prepares_anew_and_a_touched_or_moved_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let base = options(folder.path(), 300);
    let first = prepare(&base).unwrap();
    assert!(!first.reused);
    let moved = folder.path().join("moved.tsv");
    fs::copy(folder.path().join("train.tsv"), &moved).unwrap();
    let again =
        prepare(&PrepareOptions { train: Some(Files::One(moved.clone())), threads: Some(1), ..base.clone() });
    assert_eq!(again.unwrap(), Prepared { reused: true, ..first.clone() });
    let other = folder.path().join("other.tsv");
    fs::write(&other, corpus_pairs(299)).unwrap();
    let cased = encoder(folder.path(), "bert-cased");
    let left = encoder(folder.path(), "bert-left");
    let split = encoder(folder.path(), "bert-split");
    let labels = Some(["green", "red", "blue"].map(str::to_owned).to_vec());
    let changed = [
        PrepareOptions { max_length: Some(63), ..base.clone() },
        PrepareOptions { train: Some(Files::One(other)), ..base.clone() },
        PrepareOptions { tokenizer: cased, ..base.clone() },
        PrepareOptions { tokenizer: left, ..base.clone() },
        PrepareOptions { tokenizer: split, ..base.clone() },
        PrepareOptions { labels, ..base.clone() },
        PrepareOptions { limit: Some(10), ..base.clone() },
        PrepareOptions { limit: Some(10), limit_seed: Some(1), ..base.clone() },
        PrepareOptions { held_out: HeldOut { valid: Some(5), ..Default::default() }, ..base.clone() },
        PrepareOptions { test: Some(Files::One(moved)), ..base.clone() },
    ];
    let mut folders = vec![first.folder];
    for given in changed {
        let prepared = prepare(&given).unwrap();
        assert!(!prepared.reused && !folders.contains(&prepared.folder), "{given:?}");
        folders.push(prepared.folder);
    }
}

#[test]
fn a_damaged_cache_is_refused_by_the_name_of_the_file_with_the_remedy() {
    type Damage = fn(&Path);
    let cut: Damage = |path| fs::write(path, &fs::read(path).unwrap()[..40]).unwrap();
    let flip: Damage = |path| {
        let mut bytes = fs::read(path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let remove: Damage = |path| fs::remove_file(path).unwrap();
    let cases = [
        ("train.dataset", cut),
        ("valid.dataset", flip),
        ("train.dataset", remove),
        ("tokenizer.json", remove),
        ("tokenizer.json", cut),
        ("vocab.txt", remove),
        ("prepared.json", cut),
        ("prepared.json", remove),
    ];
    for (file, damage) in cases {
        let folder = tempfile::tempdir().unwrap();
        let given = options(folder.path(), 200);
        let prepared = prepare(&given).unwrap();
        damage(&prepared.folder.join(file));
        let error = prepare(&given).unwrap_err();
        assert_eq!(error.code(), "ERR_DATASET", "{file}: {error}");
        let remedy = format!("delete the folder {}", prepared.folder.display());
        assert!(error.to_string().contains(file) && error.to_string().contains(&remedy), "{file}: {error}");
        fs::remove_dir_all(&prepared.folder).unwrap();
        assert!(!prepare(&given).unwrap().reused);
    }
}

/// Asks to stop at its `n`-th look.
struct StopAt(AtomicU64);

impl Watch for StopAt {
    fn stopped(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

fn work_folders(output: &Path) -> usize {
    let names = fs::read_dir(output).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".work")).count()
}

#[test]
fn a_preparation_that_is_stopped_goes_on_to_the_same_bytes_and_one_that_failed_is_cleared_away() {
    let whole = tempfile::tempdir().unwrap();
    let expected = bytes(&prepare(&options(whole.path(), 200)).unwrap());
    for look in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let given = options(folder.path(), 200);
        match prepare_watched(&given, &StopAt(AtomicU64::new(look))) {
            Ok(_) => {
                assert!(look > 5, "every stage looks at the watch, before it begins and as it goes: {look}");
                break;
            }
            Err(error) => assert_eq!(error.code(), "ERR_ABORTED"),
        }
        let again = prepare(&given).unwrap();
        assert!(!again.reused && bytes(&again) == expected);
        assert_eq!(work_folders(&given.output), 0);
    }
    let failed = PrepareOptions { kind: Some(Kind::Regression), ..options(whole.path(), 200) };
    assert_eq!(prepare(&failed).unwrap_err().code(), "ERR_DATA");
    assert_eq!(work_folders(&failed.output), 0);
}

/// Breaks a block that a stage has left, then lets the preparation go on.
#[test]
fn a_block_that_is_lost_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let given = options(folder.path(), 200);
    let whole = tempfile::tempdir().unwrap();
    let expected = bytes(&prepare(&options(whole.path(), 200)).unwrap());
    for kind in ["text", "ids", "survey"] {
        // The last look but one is within the last stage, when all blocks are there.
        let last = (1..).find(|look| {
            let _cleared = fs::remove_dir_all(&given.output);
            prepare_watched(&given, &StopAt(AtomicU64::new(*look))).is_ok()
        });
        let _cleared = fs::remove_dir_all(&given.output);
        let stop = StopAt(AtomicU64::new(last.unwrap() - 1));
        assert_eq!(prepare_watched(&given, &stop).unwrap_err().code(), "ERR_ABORTED");
        let mut blocks =
            fs::read_dir(&given.output).unwrap().map(|entry| entry.unwrap().path().join("blocks"));
        let blocks = blocks.find(|path| path.is_dir()).unwrap();
        let mut lost = fs::read_dir(blocks).unwrap().map(|entry| entry.unwrap().path());
        let lost = lost.find(|path| path.extension().is_some_and(|extension| extension == kind)).unwrap();
        fs::write(&lost, "torn").unwrap();
        assert!(bytes(&prepare(&given).unwrap()) == expected, "{kind}");
    }
}
