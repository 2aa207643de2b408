//! Prepared folders: made once, made anew when something changes, refused when damaged, gone when stopped.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sagetrain_data::preparation::Watch;
use sagetrain_data::text::CorpusFiles;
use sagetrain_data::translation::{HeldOut, PrepareOptions, Prepared, Vocabulary, prepare, prepare_watched};
use support::{of_text, small};

#[test]
fn two_preparations_of_the_same_are_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, second] = folders.each_ref().map(|folder| prepare(&small(folder.path())).unwrap());
    for file in ["train.dataset", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"] {
        let read = |prepared: &Prepared| fs::read(prepared.folder.join(file)).unwrap();
        assert!(read(&first) == read(&second), "{file}");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let made = [1, 2, 5].map(|threads| {
        let folder = tempfile::tempdir().unwrap();
        let options = PrepareOptions {
            tsv: Some(support::corpus("train")),
            threads: Some(threads),
            max_words: Some(30),
            ..small(folder.path())
        };
        let prepared = prepare(&options).unwrap();
        ["train.dataset", "tokenizer.json", "prepare-report.json"]
            .map(|file| fs::read(prepared.folder.join(file)).unwrap())
    });
    assert!(made[0] == made[1] && made[1] == made[2]);
}

#[test]
fn a_changed_input_or_option_prepares_anew_and_a_touched_or_moved_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let text = support::lines("test").join("\n");
    let options = of_text(folder.path(), &text);
    let first = prepare(&options).unwrap();
    let moved = folder.path().join("moved.tsv");
    fs::write(&moved, &text).unwrap();
    assert!(prepare(&PrepareOptions { tsv: Some(moved), ..options.clone() }).unwrap().reused);
    let mut folders = vec![first.folder];
    let changed = [
        PrepareOptions { max_length: 200, ..options.clone() },
        PrepareOptions { max_words: Some(20), ..options.clone() },
        PrepareOptions {
            vocabulary: Vocabulary { size: Some(501), ..Default::default() },
            ..options.clone()
        },
        PrepareOptions { held_out: HeldOut { valid: Some(5), ..Default::default() }, ..options.clone() },
        PrepareOptions {
            held_out: HeldOut { valid: Some(5), seed: 1, ..Default::default() },
            ..options.clone()
        },
        of_text(folder.path(), text.replacen('a', "o", 1)),
    ];
    for options in changed {
        let prepared = prepare(&options).unwrap();
        assert!(!prepared.reused && !folders.contains(&prepared.folder));
        folders.push(prepared.folder);
    }
}

#[test]
fn a_damaged_cache_is_refused_by_the_name_of_the_file_with_the_remedy() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 9] = [
        ("train.dataset", |path| fs::write(path, &fs::read(path).unwrap()[..100]).unwrap()),
        ("train.dataset", |path| fs::write(path, "something else").unwrap()),
        ("train.dataset", |path| {
            let mut bytes = fs::read(path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("train.dataset", |path| fs::remove_file(path).unwrap()),
        ("tokenizer.json", |path| fs::remove_file(path).unwrap()),
        ("tokenizer.json", |path| fs::write(path, "{}").unwrap()),
        ("tokenizer.json", |path| {
            fs::write(path, fs::read_to_string(path).unwrap().replace("\"Ġ\"", "\"Ġx\"")).unwrap();
        }),
        ("prepared.json", |path| fs::write(path, "{").unwrap()),
        ("prepared.json", |path| fs::remove_file(path).unwrap()),
    ];
    for (file, damage) in cases {
        let folder = tempfile::tempdir().unwrap();
        let prepared = prepare(&small(folder.path())).unwrap();
        damage(&prepared.folder.join(file));
        let error = prepare(&small(folder.path())).unwrap_err();
        assert_eq!(error.code(), "ERR_DATASET", "{error}");
        let (message, remedy) =
            (error.to_string(), format!("delete the folder {}", prepared.folder.display()));
        assert!(message.contains(file) && message.contains(&remedy), "{message}");
        fs::remove_dir_all(&prepared.folder).unwrap();
        assert!(!prepare(&small(folder.path())).unwrap().reused);
    }
}

/// Asks to stop at its `n`-th look.
struct StopAt(AtomicU64);

impl Watch for StopAt {
    fn stopped(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[test]
fn a_preparation_that_is_stopped_goes_on_to_the_same_bytes_and_one_that_failed_is_cleared_away() {
    let whole = tempfile::tempdir().unwrap();
    let expected = fs::read(prepare(&small(whole.path())).unwrap().train).unwrap();
    for look in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let options = small(folder.path());
        match prepare_watched(&options, &StopAt(AtomicU64::new(look))) {
            Ok(_) => {
                assert!(look > 8, "every stage looks at the watch, before it begins and as it goes: {look}");
                break;
            }
            Err(error) => assert_eq!(error.code(), "ERR_ABORTED"),
        }
        let again = prepare(&options).unwrap();
        assert!(!again.reused && fs::read(again.train).unwrap() == expected);
        assert_eq!(work_folders(&options), 0);
    }
    let options = PrepareOptions { max_length: 2, ..small(whole.path()) };
    assert_eq!(prepare(&options).unwrap_err().code(), "ERR_DATA");
    assert_eq!(work_folders(&options), 0);
}

fn work_folders(options: &PrepareOptions) -> usize {
    let names = fs::read_dir(&options.output).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".work")).count()
}

/// Writes to a file at its third look.
struct WriteTo(std::path::PathBuf, AtomicU64);

impl Watch for WriteTo {
    fn stopped(&self) -> bool {
        if self.1.fetch_add(1, Ordering::Relaxed) == 2 {
            let mut text = fs::read_to_string(&self.0).unwrap();
            text.push_str("\nmore\tmehr");
            fs::write(&self.0, text).unwrap();
        }
        false
    }
}

#[test]
fn an_input_that_changes_meanwhile_is_not_published_under_its_old_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let options = of_text(folder.path(), support::lines("test").join("\n"));
    let file = options.tsv.clone().unwrap();
    let error = prepare_watched(&options, &WriteTo(file.clone(), AtomicU64::new(0))).unwrap_err();
    assert_eq!(error.code(), "ERR_DATA");
    assert!(error.to_string().contains(&format!("{}", file.display())), "{error}");
    assert!(error.to_string().contains("changed while"), "{error}");
    assert!(!prepare(&options).unwrap().reused);
}

/// Asks to stop when a stage begins.
struct StopAtStage(&'static str, AtomicU64);

impl Watch for StopAtStage {
    fn progress(&self, stage: &'static str, _lines: u64, _share: f64) {
        self.1.fetch_or(u64::from(stage == self.0), Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.1.load(Ordering::Relaxed) == 1
    }
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            drop(found.insert(path.clone(), fs::read(&path).unwrap()))
        }
    }
    found
}

/// The bytes of everything that is trained on.
fn made(prepared: &Prepared) -> Vec<Vec<u8>> {
    ["train.dataset", "valid.dataset", "tokenizer.json", "prepare-report.json"]
        .map(|file| fs::read(prepared.folder.join(file)).unwrap())
        .into()
}

#[test]
fn whatever_is_damaged_of_the_work_of_a_stage_is_made_again() {
    type Damage = fn(&Path, &[u8]);
    let damages: [Damage; 3] = [
        |path, bytes| fs::write(path, &bytes[..bytes.len() / 2]).unwrap(),
        |path, bytes| fs::write(path, vec![0; bytes.len()]).unwrap(),
        |path, _| fs::remove_file(path).unwrap(),
    ];
    let folder = tempfile::tempdir().unwrap();
    let valid = CorpusFiles { tsv: Some(support::corpus("valid")), ..Default::default() };
    let options = |output: &Path| PrepareOptions {
        valid: Some(valid.clone()),
        held_out: HeldOut::default(),
        output: output.to_owned(),
        ..small(folder.path())
    };
    let expected = made(&prepare(&options(&folder.path().join("whole"))).unwrap());
    let mut kinds = BTreeSet::new();
    for stage in ["tokenizer", "encode", "publish"] {
        let output = folder.path().join(stage);
        let stop = StopAtStage(stage, AtomicU64::new(0));
        assert_eq!(prepare_watched(&options(&output), &stop).unwrap_err().code(), "ERR_ABORTED");
        let left = files(&output);
        let work: Vec<_> =
            left.iter().filter(|(path, _)| path.to_string_lossy().contains(".work/")).collect();
        for (damaged, bytes) in work {
            kinds.insert(damaged.extension().map(|kind| kind.to_string_lossy().into_owned()));
            for damage in damages {
                fs::remove_dir_all(&output).unwrap();
                for (path, bytes) in &left {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, bytes).unwrap();
                }
                damage(damaged, bytes);
                let prepared = prepare(&options(&output)).unwrap_or_else(|error| panic!("{stage}: {error}"));
                assert!(made(&prepared) == expected, "{stage}, {}", damaged.display());
            }
        }
    }
    let expected = [None, Some("ids"), Some("json"), Some("survey"), Some("text")];
    let known: BTreeSet<_> = expected.iter().map(|kind| kind.map(str::to_owned)).collect();
    assert!(kinds.is_superset(&known), "{kinds:?}");
}
