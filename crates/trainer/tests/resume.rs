//! A resumed run continues to the same bits as the undisturbed one.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::{Column, Dataset, LoaderState};
use sagetrain_models::ModelSpec;
use sagetrain_trainer::checkpoint::{self, Extras, Loaded};
use sagetrain_trainer::{PrecisionName, SessionOptions, TrainerError, wait};
use serde_json::json;
use std::sync::Arc;
use support::{batches, digest, options, sentences, start, transformer};

/// Trains `total` batches; in between saves after `stop`, throws everything away, and goes on from the checkpoint.
fn interrupted(stop: usize, total: usize, precision: PrecisionName) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = sentences(60);
    let (_model, session) = start(transformer(), options(precision, 2));
    let mut position = LoaderState::default();
    for batch in batches(&dataset, 60, position).take(stop) {
        wait(|reply| session.step(batch.clone(), reply)).expect("a step");
        position = batch.next;
    }
    let extras = Extras { run: json!({ "position": position }), attachments: Vec::new() };
    let path = wait(|reply| session.save(folder.path().to_path_buf(), extras, reply)).expect("a checkpoint");
    drop((session, _model));

    let (model, session) = start(transformer(), options(precision, 2));
    let loaded = wait(|reply| session.load(path, reply)).expect("a loaded checkpoint");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let position = serde_json::from_value(loaded.run["position"].clone()).expect("a position");
    for batch in batches(&dataset, 60, position).take(total - stop) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    digest(&model)
}

fn undisturbed(total: usize, precision: PrecisionName) -> Vec<u8> {
    let (model, session) = start(transformer(), options(precision, 2));
    for batch in batches(&sentences(60), 60, LoaderState::default()).take(total) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    digest(&model)
}

#[test]
fn resuming_mid_epoch_with_dropout_gives_the_same_bits() {
    for precision in [PrecisionName::Float32, PrecisionName::Bfloat16] {
        assert_eq!(interrupted(8, 20, precision), undisturbed(20, precision), "{precision:?}");
    }
}

#[test]
fn resuming_inside_an_accumulation_gives_the_same_bits() {
    assert_eq!(interrupted(7, 20, PrecisionName::Float32), undisturbed(20, PrecisionName::Float32));
}

#[test]
fn another_number_of_threads_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_model, session) = start(transformer(), options(PrecisionName::Float32, 2));
    let path =
        wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
    let (_model, session) = start(transformer(), options(PrecisionName::Float32, 1));
    let loaded = wait(|reply| session.load(path, reply)).expect("loaded");
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("threads changed from 2 to 1"), "{}", loaded.warnings[0]);
}

#[test]
fn other_kernels_are_said() {
    const FOLDER: &str = "SAGETRAIN_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let (_model, session) = start(transformer(), options(PrecisionName::Float32, 1));
        wait(|reply| session.save(folder.into(), Extras::default(), reply)).expect("saved");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // The choice is made once a process: another one saves.
    let program = std::env::current_exe().expect("this program");
    let mut other = std::process::Command::new(program);
    other
        .args(["--exact", "other_kernels_are_said"])
        .env(FOLDER, folder.path())
        .env("SAGETRAIN_CPU", "baseline");
    assert!(other.output().expect("a run").status.success());
    let (path, _damaged) = checkpoint::latest(folder.path()).expect("a search");
    let (_model, session) = start(transformer(), options(PrecisionName::Float32, 1));
    let loaded = wait(|reply| session.load(path.expect("a checkpoint"), reply)).expect("loaded");
    if sagetrain_torch::runtime().expect("runtime").kernels == "baseline" {
        return;
    }
    assert!(loaded.warnings[0].contains("kernels changed from baseline to"), "{:?}", loaded.warnings);
}

#[test]
fn another_seed_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_model, session) = start(transformer(), options(PrecisionName::Float32, 1));
    let path =
        wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
    let mut other = options(PrecisionName::Float32, 1);
    other.run.seed = 12;
    let (_model, session) = start(transformer(), other);
    let error = wait(|reply| session.load(path, reply)).err().expect("an error");
    assert_eq!(error.code(), "ERR_CHECKPOINT");
    assert!(error.to_string().contains("seed 11"), "{error}");
    assert!(checkpoint::list(folder.path()).expect("a list").len() == 1);
}

/// What comes of a checkpoint of `saved` in a session of `now`, and whether that session's model has been touched.
fn reopened(saved: SessionOptions, now: SessionOptions) -> (Result<Loaded, TrainerError>, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = sentences(60);
    let (_model, session) = start(transformer(), saved);
    for batch in batches(&dataset, 60, LoaderState::default()).take(4) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    let path =
        wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
    let (model, session) = start(transformer(), now);
    let before = digest(&model);
    let loaded = wait(|reply| session.load(path, reply));
    let touched = digest(&model) != before;
    (loaded, touched)
}

fn changed(change: &serde_json::Value) -> SessionOptions {
    let mut all = serde_json::Value::from(options(PrecisionName::Float32, 1));
    for (key, value) in change.as_object().expect("an object") {
        all[key] = value.clone();
    }
    SessionOptions::from_json(&all).expect("valid options")
}

#[test]
fn another_optimizer_is_refused_and_nothing_has_changed() {
    let cases = [
        json!({ "optimizer": { "type": "adamw", "lr": 4e-3, "betas": [0.9, 0.98], "sage": { "beta0": 0.8 } } }),
        json!({ "optimizer": { "type": "adam", "lr": 4e-3, "betas": [0.9, 0.98] } }),
        json!({ "accumulate": 1 }),
    ];
    for change in cases {
        let (loaded, touched) = reopened(options(PrecisionName::Float32, 1), changed(&change));
        assert_eq!(loaded.err().expect("an error").code(), "ERR_CHECKPOINT", "{change}");
        assert!(!touched, "{change}");
    }
}

#[test]
fn states_that_do_not_fit_are_found_before_anything_is_restored() {
    let plain = json!({ "optimizer": { "type": "adam", "lr": 4e-3, "betas": [0.9, 0.98] } });
    let observed = json!({ "optimizer": { "type": "adam", "lr": 4e-3, "betas": [0.9, 0.98], "observe": { "every": 2 } } });
    for (saved, now) in [(&plain, &observed), (&observed, &plain)] {
        let (loaded, touched) = reopened(changed(saved), changed(now));
        let error = loaded.err().expect("an error");
        assert!(error.to_string().contains("/sensitivity"), "{error}");
        assert!(!touched);
    }
}

#[test]
fn options_that_change_the_course_are_said_by_their_keys() {
    let change = json!({
        "optimizer": { "type": "adam", "lr": 2e-3, "betas": [0.9, 0.999], "sage": { "beta0": 0.7 } },
        "schedule": { "type": "constant" }, "labelSmoothing": 0.2, "maxGradientNorm": null
    });
    let (loaded, touched) = reopened(options(PrecisionName::Float32, 1), changed(&change));
    let warnings = loaded.expect("loaded").warnings;
    assert!(touched);
    let keys = [
        "optimizer.lr",
        "optimizer.betas",
        "optimizer.sage.beta0",
        "schedule",
        "labelSmoothing",
        "maxGradientNorm",
    ];
    for key in keys {
        assert!(
            warnings.iter().any(|text| text.starts_with(&format!("{key} changed from"))),
            "{key} {warnings:?}"
        );
    }
    assert_eq!(warnings.len(), keys.len(), "{warnings:?}");
}

#[test]
fn a_run_is_made_longer_in_silence_unless_its_schedule_is_stretched_over_it() {
    let long = |schedule: &str, steps: u64| {
        changed(&json!({ "schedule": { "type": schedule, "warmupSteps": 10 }, "totalSteps": steps }))
    };
    let warnings = |schedule| reopened(long(schedule, 100), long(schedule, 200)).0.expect("loaded").warnings;
    assert!(warnings("inverseSqrt").is_empty());
    let stretched = warnings("cosine");
    assert!(
        stretched.len() == 1 && stretched[0].starts_with("totalSteps changed from 100 to 200"),
        "{stretched:?}"
    );
}

/// The names that a config.json has where there are none.
#[test]
fn a_run_whose_classes_are_only_numbered_is_resumed_and_rolled_back() {
    let spec = || {
        let spec = json!({
            "type": "bert", "vocabularySize": 40, "hiddenSize": 16, "layers": 1, "heads": 2, "feedForwardSize": 32,
            "head": { "kind": "classification", "labels": ["LABEL_0", "LABEL_1", "LABEL_2"] },
        });
        ModelSpec::read("model", &spec).expect("a valid spec")
    };
    let columns = vec![
        ("tokens".to_owned(), Column::ragged((1..31).map(|sample| [sample, sample + 7, 3]))),
        ("label".to_owned(), Column::ragged((0..30).map(|sample| [sample % 3]))),
    ];
    let dataset = Arc::new(Dataset::from_columns(columns).expect("a data set"));
    let folder = tempfile::tempdir().expect("a folder");
    let (model, session) = start(spec(), options(PrecisionName::Float32, 1));
    let path =
        wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("saved");
    let begun = digest(&model);
    for batch in batches(&dataset, 30, LoaderState::default()).take(4) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    assert_ne!(digest(&model), begun);
    wait(|reply| session.load(path.clone(), reply)).expect("rolled back");
    assert_eq!(digest(&model), begun);
    let (model, session) = start(spec(), options(PrecisionName::Float32, 1));
    wait(|reply| session.load(path, reply)).expect("resumed");
    assert_eq!(digest(&model), begun);
}
