//! The exponential moving average of a session's weights: held for evaluations, saved beside them, resumed to the bit.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::LoaderState;
use sagetrain_optim::AverageSpec;
use sagetrain_trainer::checkpoint::{Digest, Extras};
use sagetrain_trainer::{ModelHandle, PrecisionName, Session, SessionOptions, wait};
use std::path::PathBuf;
use support::{batches, options, sentences, start, transformer};

const DECAY: f64 = 0.9;
const NAME: &str = "model.shared.weight";

fn averaging() -> SessionOptions {
    let mut options = options(PrecisionName::Float32, 2);
    options.update.average = Some(AverageSpec { decay: DECAY });
    options
}

fn read(model: &ModelHandle) -> Vec<f32> {
    wait(|reply| model.read(NAME.into(), reply)).expect("a parameter").values
}

fn held(model: &ModelHandle, session: &Session) -> Vec<f32> {
    wait(|reply| session.hold_averages(true, reply)).expect("held");
    let values = read(model);
    wait(|reply| session.hold_averages(false, reply)).expect("released");
    values
}

fn save(session: &Session, folder: &tempfile::TempDir) -> PathBuf {
    wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply)).expect("a checkpoint")
}

fn digests(session: &Session) -> Vec<Digest> {
    wait(|reply| session.digests(reply)).expect("digests")
}

#[test]
fn an_evaluation_sees_the_average_and_training_its_own_weights() {
    let (model, session) = start(transformer(), averaging());
    assert_eq!(held(&model, &session), read(&model), "before the first update there is none");
    let mut expected: Vec<f64> = Vec::new();
    for batch in batches(&sentences(60), 60, LoaderState::default()).take(20) {
        let report = wait(|reply| session.step(batch, reply)).expect("a step");
        let now = read(&model);
        if report.updated && expected.is_empty() {
            expected = now.iter().map(|value| f64::from(*value)).collect();
        } else if report.updated {
            expected
                .iter_mut()
                .zip(now)
                .for_each(|(mean, value)| *mean += (1.0 - DECAY) * (f64::from(value) - *mean));
        }
    }
    let weights = read(&model);
    let average = held(&model, &session);
    let apart = average.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-6, "{apart}");
    assert_ne!(average, weights);
    assert_eq!(read(&model), weights, "to the bit");
}

#[test]
fn while_averages_are_held_nothing_trains_or_saves() {
    let folder = tempfile::tempdir().expect("a folder");
    let (model, session) = start(transformer(), averaging());
    let dataset = sentences(60);
    let mut all = batches(&dataset, 60, LoaderState::default());
    for batch in all.by_ref().take(4) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    let weights = read(&model);
    wait(|reply| session.hold_averages(true, reply)).expect("held");
    wait(|reply| session.hold_averages(true, reply)).expect("held still");
    let batch = all.next().expect("a batch");
    assert_eq!(wait(|reply| session.step(batch, reply)).expect_err("an error").code(), "ERR_STATE");
    let saved = wait(|reply| session.save(folder.path().to_path_buf(), Extras::default(), reply));
    assert_eq!(saved.expect_err("an error").code(), "ERR_STATE");
    wait(|reply| session.dispose(reply)).expect("the session's end");
    assert_eq!(read(&model), weights, "the end of a session gives the weights back");
}

#[test]
fn a_checkpoint_holds_both_and_resumes_to_the_same_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = sentences(60);
    let (model, session) = start(transformer(), averaging());
    let mut position = LoaderState::default();
    for batch in batches(&dataset, 60, position).take(7) {
        position = batch.next;
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    let path = save(&session, &folder);
    for part in ["model", "average"] {
        let (loaded, _) = wait(|reply| ModelHandle::load(path.join(part), reply)).expect("a model");
        let expected = if part == "model" { read(&model) } else { held(&model, &session) };
        assert_eq!(read(&loaded), expected, "{part}");
    }
    let (resumed, again) = start(transformer(), averaging());
    let loaded = wait(|reply| again.load(path, reply)).expect("loaded");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    assert_eq!(digests(&again), digests(&session));
    for batch in batches(&dataset, 60, position).take(10) {
        wait(|reply| session.step(batch.clone(), reply)).expect("a step");
        wait(|reply| again.step(batch, reply)).expect("a step");
    }
    assert_eq!(digests(&again), digests(&session));
    assert_eq!(held(&resumed, &again), held(&model, &session));
    assert!(digests(&session).iter().any(|digest| digest.name == format!("optimizer/{NAME}/average")));
}

#[test]
fn a_run_may_begin_to_average_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_model, session) = start(transformer(), options(PrecisionName::Float32, 2));
    for batch in batches(&sentences(60), 60, LoaderState::default()).take(4) {
        wait(|reply| session.step(batch, reply)).expect("a step");
    }
    let path = save(&session, &folder);
    assert!(!path.join("average").exists());
    let (_model, session) = start(transformer(), averaging());
    let loaded = wait(|reply| session.load(path, reply)).expect("loaded");
    assert!(loaded.warnings[0].starts_with("average"), "{:?}", loaded.warnings);
}

#[test]
fn a_rate_factor_is_kept_and_multiplies_every_rate() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = sentences(60);
    let rates = |session: &Session, batch: usize| {
        let batches = batches(&dataset, 60, LoaderState::default()).skip(batch).take(2);
        let report = batches.map(|batch| wait(|reply| session.step(batch, reply)).expect("a step")).last();
        report.expect("a report").lr.expect("a rate")
    };
    let (_model, plain) = start(transformer(), options(PrecisionName::Float32, 2));
    let (_model, halved) = start(transformer(), options(PrecisionName::Float32, 2));
    wait(|reply| halved.set_rate_factor(0.5, reply)).expect("set");
    assert_eq!(rates(&halved, 0), 0.5 * rates(&plain, 0));
    let path = save(&halved, &folder);
    let (_model, resumed) = start(transformer(), options(PrecisionName::Float32, 2));
    wait(|reply| resumed.load(path, reply)).expect("loaded");
    assert_eq!(digests(&resumed), digests(&halved));
    assert_eq!(rates(&resumed, 2), 0.5 * rates(&plain, 2));
    let refused = wait(|reply| resumed.set_rate_factor(0.0, reply)).expect_err("an error");
    assert_eq!(refused.code(), "ERR_CONFIG");
}
