//! What a damaged, foreign or half-written checkpoint is met with.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_trainer::checkpoint::{self, Extras};
use sagetrain_trainer::{PrecisionName, Session, wait};
use std::fs;
use std::path::{Path, PathBuf};
use support::{options, start, transformer};

fn saved(folder: &Path) -> (Session, PathBuf) {
    let (_model, session) = start(transformer(), options(PrecisionName::Float32, 1));
    let path =
        wait(|reply| session.save(folder.to_path_buf(), Extras::default(), reply)).expect("a checkpoint");
    (session, path)
}

#[test]
fn every_altered_byte_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_session, path) = saved(folder.path());
    for file in ["model/model.safetensors", "model/config.json", "optimizer.safetensors", "state.json"] {
        let file = path.join(file);
        let good = fs::read(&file).expect("a file");
        for place in (0..good.len()).step_by(good.len() / 20 + 1) {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&file, &bad).expect("written");
            let error = checkpoint::verify(&path).expect_err("an error");
            assert_eq!(error.code(), "ERR_CHECKPOINT");
        }
        fs::write(&file, &good[..good.len() - 1]).expect("written");
        assert!(checkpoint::verify(&path).is_err(), "truncated {}", file.display());
        fs::write(&file, &good).expect("written");
        checkpoint::verify(&path).expect("whole again");
    }
}

#[test]
fn a_missing_or_foreign_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_session, path) = saved(folder.path());
    fs::write(path.join("stray"), "x").expect("written");
    assert!(checkpoint::verify(&path).expect_err("an error").to_string().contains("stray"));
    fs::remove_file(path.join("stray")).expect("removed");
    fs::remove_file(path.join("state.json")).expect("removed");
    assert!(checkpoint::verify(&path).expect_err("an error").to_string().contains("state.json is missing"));
}

#[test]
fn the_latest_that_verifies_is_found_and_the_damaged_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_session, path) = saved(folder.path());
    let newer = folder.path().join("step-00000007");
    copy(&path, &newer);
    fs::write(newer.join("state.json"), "{}").expect("written");
    let (found, damaged) = checkpoint::latest(folder.path()).expect("a search");
    assert_eq!(found, Some(path));
    assert!(damaged[0].to_string().contains("step-00000007"), "{}", damaged[0]);
}

#[test]
fn a_failed_save_leaves_the_earlier_one_and_no_litter() {
    let folder = tempfile::tempdir().expect("a folder");
    let (session, path) = saved(folder.path());
    let extras = Extras { attachments: vec![folder.path().join("absent.json")], ..Extras::default() };
    let error = wait(|reply| session.save(folder.path().to_path_buf(), extras, reply)).expect_err("an error");
    assert_eq!(error.code(), "ERR_IO");
    assert!(error.to_string().contains("absent.json"), "{error}");
    checkpoint::verify(&path).expect("the earlier one is whole");
    assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 1);
}

#[test]
fn saving_twice_at_a_step_replaces_and_retaining_keeps_what_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (session, path) = saved(folder.path());
    let again =
        wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
    assert_eq!(again, path);
    checkpoint::verify(&path).expect("whole");
    let newer = folder.path().join("step-00000007");
    copy(&path, &newer);
    assert_eq!(checkpoint::retain(folder.path(), std::slice::from_ref(&newer)).expect("kept"), [newer]);
    assert!(!path.exists());
}

#[test]
fn what_a_killed_save_left_is_swept() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = [".tmp-step-00000001-aB3dEf", ".trash-step-00000001-aB3dEf", ".tmp-4194305-0-step-00000001"];
    let stale = names.map(|name| folder.path().join(name));
    stale.iter().for_each(|stale| fs::create_dir(stale).expect("made"));
    // No folder, so it cannot be removed as one: that is in nobody's way.
    fs::write(folder.path().join(".tmp-4194305-0-x"), "").expect("written");
    saved(folder.path());
    assert!(stale.iter().all(|stale| !stale.exists()));
}

#[test]
fn what_a_living_save_is_writing_is_left_alone_whatever_its_process_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = fs::File::open(folder.path()).expect("a folder");
    lock.lock_shared().expect("a lock");
    let living = folder.path().join(".tmp-4194305-0-step-00000001");
    fs::create_dir(&living).expect("made");
    let (session, path) = saved(folder.path());
    assert!(living.exists());
    checkpoint::retain(folder.path(), &[path]).expect("kept");
    assert!(living.exists());
    drop(lock);
    wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
    assert!(!living.exists());
}

#[test]
fn an_attachment_that_would_replace_the_models_own_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (session, path) = saved(folder.path());
    let attachments = vec![path.join("model/config.json")];
    let extras = Extras { attachments, ..Extras::default() };
    let error = wait(|reply| session.save(folder.path().to_path_buf(), extras, reply)).expect_err("an error");
    assert_eq!(error.code(), "ERR_CONFIG");
    assert!(error.to_string().contains("config.json"), "{error}");
}

#[test]
fn an_attached_folder_is_saved_with_its_files_and_verified_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let (session, _path) = saved(&folder.path().join("other"));
    let target = folder.path().join("target");
    fs::create_dir_all(target.join("below")).expect("made");
    fs::write(target.join("tokenizer.json"), "{}").expect("written");
    fs::write(target.join("below/file"), "x").expect("written");
    let save = || {
        let extras = Extras { attachments: vec![target.clone()], ..Extras::default() };
        wait(|reply| session.save(folder.path().join("run"), extras, reply))
    };
    let path = save().expect("a checkpoint");
    let copy = path.join("model/target/tokenizer.json");
    assert_eq!(fs::read(&copy).expect("a file"), b"{}");
    let manifest = fs::read_to_string(path.join("manifest.json")).expect("a manifest");
    assert!(manifest.contains("model/target/tokenizer.json") && manifest.contains("model/target/below/file"));
    checkpoint::verify(&path).expect("whole");
    fs::write(&copy, "{ }").expect("written");
    let altered = checkpoint::verify(&path).expect_err("an error").to_string();
    assert!(altered.contains("model/target/tokenizer.json is not what was saved"), "{altered}");
    fs::write(&copy, "{}").expect("written");
    fs::write(path.join("model/target/stray"), "x").expect("written");
    assert!(checkpoint::verify(&path).expect_err("an error").to_string().contains("model/target/stray"));
    fs::remove_dir_all(path.join("model/target")).expect("removed");
    let missing = checkpoint::verify(&path).expect_err("an error").to_string();
    assert!(missing.contains("model/target/") && missing.contains("is missing"), "{missing}");

    // What cannot be copied whole leaves the earlier checkpoint as it was.
    std::os::unix::fs::symlink(&target, target.join("round")).expect("a link");
    assert_eq!(save().expect_err("an error").code(), "ERR_IO");
    assert_eq!(fs::read_dir(folder.path().join("run")).expect("a list").count(), 1);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("model")).expect("made");
    for name in ["state.json", "optimizer.safetensors", "manifest.json"] {
        fs::copy(from.join(name), to.join(name)).expect("copied");
    }
    for item in fs::read_dir(from.join("model")).expect("a list") {
        let item = item.expect("an item").path();
        fs::copy(&item, to.join("model").join(item.file_name().expect("a name"))).expect("copied");
    }
}
