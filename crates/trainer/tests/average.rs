//! The mean of checkpoints against NumPy's, and what has none. `golden/average/make.py` made the numbers.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_trainer::checkpoint::{self, Averaged, Extras, average};
use sagetrain_trainer::{ModelHandle, PrecisionName, TrainerError, wait};
use std::fs;
use std::path::{Path, PathBuf};
use support::{digest, options, start, transformer};

const FILE: &str = "model.safetensors";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/average").join(name)
}

/// A copy of a golden folder that may be changed, with a configuration.
fn copy(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    let copy = folder.path().join(name);
    fs::create_dir(&copy).expect("made");
    fs::copy(golden(name).join(FILE), copy.join(FILE)).expect("copied");
    fs::write(copy.join("config.json"), r#"{ "model_type": "sagetrain-mlp" }"#).expect("written");
    copy
}

fn of(folder: &tempfile::TempDir, names: [&str; 3]) -> Result<Averaged, TrainerError> {
    let sources = names.map(|name| folder.path().join(name));
    average(&sources, &folder.path().join("out").join(names.join("-")))
}

fn copies() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["one", "two", "three"] {
        copy(&folder, name);
    }
    folder
}

/// The tensors' bytes, behind the header.
fn data(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path.join(FILE)).expect("a file");
    let length = u64::from_le_bytes(*bytes.first_chunk().expect("a header"));
    bytes[8 + length as usize..].to_vec()
}

#[test]
fn it_is_numpys_mean_to_the_last_bit_in_whatever_order() {
    let folder = copies();
    for names in [["one", "two", "three"], ["three", "one", "two"], ["two", "three", "one"]] {
        let averaged = of(&folder, names).expect("a mean");
        assert_eq!((averaged.tensors, averaged.elements), (4, 202));
        assert_eq!(data(&averaged.path), data(&golden("mean")), "{names:?}");
        assert!(averaged.path.join("config.json").is_file());
    }
}

#[test]
fn checkpoints_of_a_session_average_to_a_whole_model_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokenizer = folder.path().join("tokenizer.json");
    fs::write(&tokenizer, "{}").expect("written");
    let target = folder.path().join("target");
    fs::create_dir(&target).expect("made");
    fs::write(target.join("tokenizer.json"), "{}").expect("written");
    let (model, session) = start(transformer(), options(PrecisionName::Float32, 1));
    let save = |place: &str| {
        let extras = Extras { attachments: vec![tokenizer.clone(), target.clone()], ..Extras::default() };
        wait(|reply| session.save(folder.path().join(place), extras, reply)).expect("a checkpoint")
    };
    let checkpoints = [save("one"), save("two")];
    let averaged = average(&checkpoints, &folder.path().join("average")).expect("a mean");
    let (loaded, _) = wait(|reply| ModelHandle::load(averaged.path.clone(), reply)).expect("a model");
    assert_eq!(digest(&loaded), digest(&model), "the mean of the same is the same");
    assert!(
        averaged.path.join("tokenizer.json").is_file()
            && averaged.path.join("target/tokenizer.json").is_file()
    );
    let models = checkpoints.each_ref().map(|checkpoint| checkpoint.join("model"));
    for place in ["../average", "average", "new/average"].map(|name| checkpoints[0].join(name)) {
        for sources in [&checkpoints, &models] {
            let among = average(sources, &place).expect_err("an error").to_string();
            assert!(among.contains("among a run's checkpoints"), "{among}");
        }
    }
    fs::write(checkpoints[1].join("state.json"), "{}").expect("written");
    let again = folder.path().join("again");
    let damaged = average(&checkpoints, &again.join("mean")).expect_err("an error");
    assert!(damaged.to_string().contains("state.json"), "{damaged}");
    assert!(checkpoint::verify(&checkpoints[0]).is_ok() && !again.exists());
}

/// Changes the file of `two`, and gives what the mean then fails with.
fn refused(change: impl FnOnce(&Path)) -> String {
    let folder = copies();
    change(&folder.path().join("two"));
    let error = of(&folder, ["one", "two", "three"]).expect_err("an error");
    assert_eq!(error.code(), "ERR_CHECKPOINT");
    assert!(fs::read_dir(folder.path().join("out")).map_or(0, Iterator::count) == 0, "nothing is left");
    error.to_string()
}

/// Replaces a text in the header by one as long.
fn rewrite(folder: &Path, from: &str, to: &str) {
    let bytes = fs::read(folder.join(FILE)).expect("a file");
    let place = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("the text");
    let changed = [&bytes[..place], to.as_bytes(), &bytes[place + from.len()..]].concat();
    fs::write(folder.join(FILE), changed).expect("written");
}

#[test]
fn what_differs_between_the_sources_is_named() {
    let name = refused(|two| rewrite(two, "output.bias", "output.bios"));
    assert!(name.contains("output.bias is not there, in") && name.contains("[2]"), "{name}");
    let shape = refused(|two| rewrite(two, "[40, 2]", "[2, 40]"));
    assert!(shape.contains("hidden.0.weight is [2, 40]"), "{shape}");
    let config = refused(|two| fs::write(two.join("config.json"), "{}").expect("written"));
    assert!(config.contains("config.json is not that of"), "{config}");
    let tokenizer = refused(|two| fs::write(two.join("tokenizer.json"), "{}").expect("written"));
    assert!(tokenizer.contains("tokenizer.json is in one of"), "{tokenizer}");
    let target = refused(|two| {
        fs::create_dir_all(two.join("other/below")).expect("made");
        fs::write(two.join("other/below/file"), "{}").expect("written");
    });
    assert!(target.contains("other/below/file is in one of"), "{target}");
    let truncated = refused(|two| {
        let bytes = fs::read(two.join(FILE)).expect("a file");
        fs::write(two.join(FILE), &bytes[..bytes.len() - 4]).expect("written");
    });
    assert!(truncated.contains("truncated"), "{truncated}");
    let nan = refused(|two| {
        let mut bytes = fs::read(two.join(FILE)).expect("a file");
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        fs::write(two.join(FILE), bytes).expect("written");
    });
    assert!(nan.contains("output.bias holds NaN"), "{nan}");
}

#[test]
fn one_checkpoint_twice_the_same_or_a_place_that_is_taken_are_refused() {
    let folder = copies();
    let one = folder.path().join("one");
    let output = folder.path().join("out");
    assert_eq!(average(std::slice::from_ref(&one), &output).expect_err("an error").code(), "ERR_CONFIG");
    let twice = average(&[one.clone(), one.join("../one")], &output).expect_err("an error");
    assert!(twice.to_string().contains("comes twice"), "{twice}");
    let taken = average(&[one.clone(), folder.path().join("two")], &one).expect_err("an error");
    assert!(taken.to_string().contains("is there already"), "{taken}");
}
