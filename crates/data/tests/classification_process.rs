//! What other processes see of a preparation of labelled text: a killed one is gone on with, a full disk and a folder that
//! cannot be written to are named, and of several preparers one works.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/labelled.rs"]
mod labelled;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use labelled::corpus_pairs;
use sagetrain_data::classification::{Columns, HeldOut, PrepareOptions, Prepared, prepare, prepare_watched};
use sagetrain_data::preparation::Watch;
use support::encoder;

const FOLDER: &str = "SAGETRAIN_TEST_FOLDER";
/// A stage and a number: at its so-many-th look in that stage a child halts until it is killed.
const HALT: &str = "SAGETRAIN_TEST_HALT";

/// Writes files of so many training rows and half as many test rows, and the tokenizer's.
fn write_inputs(folder: &Path, rows: usize) {
    fs::write(folder.join("train.tsv"), corpus_pairs(rows)).unwrap();
    fs::write(folder.join("test.tsv"), corpus_pairs(rows / 2)).unwrap();
    encoder(folder, "bert");
}

/// Options for those files.
fn options(folder: &Path) -> PrepareOptions {
    PrepareOptions {
        train: Some((&*folder.join("train.tsv")).into()),
        test: Some((&*folder.join("test.tsv")).into()),
        columns: Some(Columns { text: 0.into(), pair: Some(1.into()), label: 2.into() }),
        held_out: HeldOut { valid: Some(100), ..Default::default() },
        max_length: Some(64),
        tokenizer: folder.join("bert"),
        threads: Some(2),
        output: folder.join("cache"),
        ..Default::default()
    }
}

/// Halts a preparation, and says so by a file.
struct Halt {
    stage: String,
    looks: AtomicU64,
    said: PathBuf,
}

impl Halt {
    fn asked(folder: &Path) -> Self {
        let asked = std::env::var(HALT).unwrap_or("never 0".into());
        let (stage, looks) = asked.split_once(' ').unwrap();
        Self {
            stage: stage.into(),
            looks: AtomicU64::new(looks.parse().unwrap()),
            said: folder.join("halted"),
        }
    }
}

impl Watch for Halt {
    fn progress(&self, stage: &'static str, _lines: u64, _share: f64) {
        if stage == self.stage && self.looks.fetch_sub(1, Ordering::Relaxed) == 1 {
            fs::write(&self.said, "").unwrap();
            loop {
                std::thread::park();
            }
        }
    }
}

#[test]
#[ignore = "started by the tests below"]
fn child_prepares() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let text = match prepare_watched(&options(&folder), &Halt::asked(&folder)) {
        Ok(prepared) => serde_json::to_string(&prepared).unwrap(),
        Err(error) => format!("{} {error}", error.code()),
    };
    fs::write(folder.join(format!("result-{}", std::process::id())), text).unwrap();
}

/// Runs it in a process of its own, behind the words of `before`.
fn command(before: &[&str], folder: &Path) -> Command {
    let test = std::env::current_exe().unwrap().into_os_string();
    let mut words = before.iter().map(OsString::from).chain([test]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--exact", "child_prepares", "--ignored"]).env(FOLDER, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start(folder: &Path) -> Child {
    command(&[], folder).spawn().unwrap()
}

/// What a child says in the end.
fn result(mut child: Child, folder: &Path) -> String {
    assert!(child.wait().unwrap().success());
    fs::read_to_string(folder.join(format!("result-{}", child.id()))).unwrap()
}

/// Every file of a prepared folder but those that name the files where they lie.
fn bytes(folder: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let made = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with("prepare"));
    made.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
}

/// The bytes that a preparation of so many rows makes in a process that nobody ends, and its folder's name.
fn expected(rows: usize) -> (BTreeMap<OsString, Vec<u8>>, OsString) {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), rows);
    let prepared = prepare(&options(folder.path())).unwrap();
    let bytes = bytes(&prepared.folder);
    assert!(bytes.len() >= 6, "{:?}", bytes.keys());
    (bytes, prepared.folder.file_name().unwrap().to_owned())
}

fn left_over(output: &Path) -> usize {
    let names = fs::read_dir(output).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".work")).count()
}

#[test]
fn a_preparer_killed_at_any_moment_leaves_nothing_torn() {
    let (expected, _) = expected(500);
    let mut left = 0;
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        write_inputs(folder.path(), 500);
        let mut child = start(folder.path());
        std::thread::sleep(Duration::from_millis(round * 6));
        child.kill().unwrap();
        child.wait().unwrap();
        left += left_over(&folder.path().join("cache"));
        // Opens what is there, every byte of it, or makes it.
        let prepared = prepare(&options(folder.path())).unwrap();
        assert!(bytes(&prepared.folder) == expected, "round {round}");
        assert_eq!(left_over(&folder.path().join("cache")), 0, "the next preparer goes on in it");
    }
    assert!(left > 0, "no kill met a preparer at work");
}

/// Files that a work folder keeps of the stages, with the times at which they were made.
fn kept(work: &Path) -> Vec<(OsString, SystemTime)> {
    let entries = fs::read_dir(work.join("blocks")).into_iter().flatten().flatten();
    let entry = |entry: fs::DirEntry| Some((entry.file_name(), entry.metadata().ok()?.modified().ok()?));
    entries.filter(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp")).filter_map(entry).collect()
}

#[test]
fn a_preparer_killed_in_every_stage_is_gone_on_with_and_what_it_had_done_is_not_done_again() {
    let (expected, name) = expected(36_000);
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 36_000);
    let cache = folder.path().join("cache");
    let work = cache.join(format!(".{}.work", name.to_string_lossy()));
    // Training has three blocks, the test two; every part and stage looks before it begins and after each of them.
    let halts = [
        ("survey 3", "train-000000.text"),
        ("survey 6", "train.survey"),
        ("encode 3", "train-000001.ids"),
        ("encode 6", "test-000000.ids"),
        ("publish 4", "test-000001.ids"),
    ];
    for (halt, done) in halts {
        let before = kept(&work);
        let mut child = command(&[], folder.path()).env(HALT, halt).spawn().unwrap();
        while !folder.path().join("halted").exists() {
            assert!(child.try_wait().unwrap().is_none(), "{halt}: it ended instead");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_file(folder.path().join("halted")).unwrap();
        let after = kept(&work);
        assert!(before.iter().all(|entry| after.contains(entry)), "{halt}: something was made anew");
        assert!(work.join("blocks").join(done).exists(), "{halt}: {after:?}");
        assert!(!cache.join(&name).exists(), "{halt}");
    }
    let resumed = prepare(&options(folder.path())).unwrap();
    assert!(bytes(&resumed.folder) == expected);
    assert!(!resumed.folder.join("blocks").exists() && left_over(&cache) == 0);
}

#[test]
fn a_full_disk_is_named_with_the_file_and_gone_on_from() {
    let (expected, _) = expected(36_000);
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 36_000);
    // A limit on the size of files ends a write as a full disk does: with an error, not with a signal. Of blocks only some
    // fit at first, then all, but not the dataset.
    let limited = |kilobytes: u32| {
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$@\"");
        let child = command(&["bash", "-c", &script, "bash"], folder.path()).spawn().unwrap();
        result(child, folder.path())
    };
    for (kilobytes, file) in [(256, "train-"), (3_500, "train.dataset")] {
        let said = limited(kilobytes);
        assert!(said.starts_with("ERR_IO cannot write "), "{kilobytes}: {said}");
        assert!(said.contains(".work/") && said.contains(file), "{kilobytes}: {said}");
    }
    assert_eq!(left_over(&folder.path().join("cache")), 1);
    let resumed = prepare(&options(folder.path())).unwrap();
    assert!(!resumed.reused && bytes(&resumed.folder) == expected);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 200);
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    for output in [file.clone(), file.join("below")] {
        let error =
            prepare(&PrepareOptions { output: output.clone(), ..options(folder.path()) }).unwrap_err();
        assert_eq!(error.code(), "ERR_IO", "{error}");
        assert!(error.to_string().contains(&*output.to_string_lossy()), "{error}");
    }
    let locked = folder.path().join("read only");
    fs::create_dir(&locked).unwrap();
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&locked, permissions).unwrap();
    // Whoever is root writes anywhere.
    if fs::write(locked.join("x"), "").is_err() {
        let error =
            prepare(&PrepareOptions { output: locked.clone(), ..options(folder.path()) }).unwrap_err();
        assert_eq!(error.code(), "ERR_IO", "{error}");
        assert!(error.to_string().contains(&*locked.to_string_lossy()), "{error}");
    }
}

#[test]
fn of_several_preparers_one_works_and_the_others_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path(), 20_000);
    let children: Vec<_> = (0..4).map(|_| start(folder.path())).collect();
    let said = children.into_iter().map(|child| result(child, folder.path()));
    let made: Vec<Prepared> = said.map(|said| serde_json::from_str(&said).unwrap()).collect();
    assert_eq!(made.iter().filter(|prepared| !prepared.reused).count(), 1);
    assert!(made.iter().all(|prepared| prepared.fingerprint == made[0].fingerprint));
    assert_eq!(left_over(&folder.path().join("cache")), 0);
}
