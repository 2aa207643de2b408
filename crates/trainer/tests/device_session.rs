//! Sessions on a device: what a GPU runs against the CPU's fused operations, here composed on the CPU, and on a GPU where there is one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use sagetrain_data::LoaderState;
use sagetrain_trainer::checkpoint::{Extras, read_state};
use sagetrain_trainer::{
    ModelHandle, PrecisionName, Request, SearchOptions, Session, SessionOptions, StepReport, wait,
};
use serde_json::json;
use std::path::Path;
use support::{batches, options, sentences, start, transformer};

/// Devices to compare with the CPU: its own composed operations, and a GPU.
fn others() -> Vec<Option<&'static str>> {
    let mut others = vec![None];
    match load_cuda() {
        Ok(()) => others.push(Some("cuda:0")),
        Err(reason) => eprintln!("skipped on a GPU: {reason}"),
    }
    others
}

/// libtorch's CUDA half, where there is a driver: as the addon loads it.
fn load_cuda() -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the initialisers of the driver and of libtorch_cuda have no preconditions.
    let open = |name, scope| unsafe { Library::open(Some(name), RTLD_NOW | scope) };
    open("libcuda.so.1", RTLD_LOCAL).map_err(|error| format!("no NVIDIA driver: {error:?}"))?;
    std::mem::forget(open("libtorch_cuda.so", RTLD_GLOBAL).map_err(|error| error.to_string())?);
    sagetrain_torch::cuda::devices().map(drop).map_err(|reason| reason.to_string())
}

fn on(device: Option<&str>, mut options: SessionOptions) -> SessionOptions {
    options.run.composed = device.is_none();
    options.run.device = device.unwrap_or("cpu").to_owned();
    options.run.log_every = Some(1);
    options
}

fn train(session: &Session, batch_count: usize) -> Vec<StepReport> {
    let data = sentences(120);
    let batches = batches(&data, 120, LoaderState::default()).take(batch_count);
    batches.map(|batch| wait(|reply| session.step(batch, reply)).unwrap()).collect()
}

fn weights(model: &ModelHandle) -> Vec<Vec<f32>> {
    let parameters = wait(|reply| model.parameters(reply)).unwrap();
    parameters.into_iter().map(|one| wait(|reply| model.read(one.name, reply)).unwrap().values).collect()
}

fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    // Adam makes steps of the rate, 4e-3, even from gradients that are zero but for rounding, such as those of key biases.
    let scale = expected.iter().fold(1e-2f32, |most, value| most.max(value.abs()));
    let error = found.iter().zip(expected).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(error <= tolerance * scale, "{what}: off by {error:e} of {scale:e}");
}

/// Dropout, label smoothing, clipping, accumulation and Adam-SAGE: one update has the same loss and norm and moves weights alike.
#[test]
fn a_step_is_the_cpus() {
    let options = || options(PrecisionName::Float32, 2);
    let (_model, session) = start(transformer(), options());
    let expected = train(&session, 8);
    for device in others() {
        let (_model, session) = start(transformer(), on(device, options()));
        for (found, expected) in train(&session, 8).iter().zip(&expected) {
            let near =
                |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-4, "{device:?} {found:?} {expected:?}");
            near(found.loss, expected.loss);
            near(found.nll, expected.nll);
            assert_eq!(
                (found.step, found.updated, found.count),
                (expected.step, expected.updated, expected.count)
            );
            assert_eq!(found.gradient_norm.is_some(), expected.gradient_norm.is_some());
            if let Some((found, expected)) = found.gradient_norm.zip(expected.gradient_norm) {
                near(found, expected);
            }
        }
    }
}

/// Losses that wait are the mean of all updates since the last reading, and change nothing else.
#[test]
fn losses_may_wait() {
    let each = || on(None, options(PrecisionName::Float32, 2));
    let (model, session) = start(transformer(), each());
    let single: Vec<StepReport> = train(&session, 12).into_iter().filter(|report| report.updated).collect();
    let mut waiting = each();
    waiting.run.log_every = Some(3);
    let (other, session) = start(transformer(), waiting);
    let reports = train(&session, 12);
    let read: Vec<&StepReport> = reports.iter().filter(|report| report.read).collect();
    assert_eq!(read.iter().map(|report| report.step).collect::<Vec<_>>(), [3, 6]);
    assert!(reports.iter().all(|report| report.read != report.loss.is_nan()));
    for (read, singles) in read.iter().zip(single.chunks(3)) {
        let (count, sum) = singles
            .iter()
            .fold((0, 0.0), |(count, sum), one| (count + one.count, sum + one.loss * one.count as f64));
        assert_eq!(read.count, count);
        let mean = sum / count as f64;
        assert!(
            (read.loss - mean).abs() < 1e-12,
            "step {}: {} at once, {mean} one by one",
            read.step,
            read.loss
        );
    }
    assert_eq!(weights(&model), weights(&other));
}

/// The dynamic loss scale is in force, is saved, and goes on from where it stood.
#[test]
fn float16_trains_with_a_loss_scale() {
    let half = |initial: f64| {
        let mut options = SessionOptions::from_json(&json!({
            "optimizer": { "type": "adam", "lr": 4e-3, "sage": { "beta0": 0.8 } }, "precision": "float16", "labelSmoothing": 0.1,
            "maxGradientNorm": 1.0, "seed": 11, "threads": 2, "lossScale": { "initial": initial, "growthInterval": 2 }
        }))
        .unwrap();
        options.run.log_every = Some(1);
        options
    };
    let mut reference = options(PrecisionName::Float32, 2);
    (reference.run.accumulate, reference.update.schedule) = (1, half(1.0).update.schedule);
    let (_model, session) = start(transformer(), reference);
    let expected = train(&session, 6);
    for device in [Some("cpu")].into_iter().chain(others()) {
        let (_model, session) = start(transformer(), on(device, half(128.0)));
        let reports = train(&session, 6);
        assert!(reports.iter().all(|report| report.updated), "{device:?} {reports:?}");
        for (found, expected) in reports.iter().zip(&expected) {
            assert!((found.loss / expected.loss - 1.0).abs() < 2e-2, "{device:?} {found:?} {expected:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let saved = save(&session, folder.path());
        assert_eq!(read_state(&saved).unwrap().loss_scale, 128.0 * 8.0, "three growths in six good steps");

        // A scale that no float16 gradient can bear is backed off from, step by step, and each is reported.
        let (_model, session) = start(transformer(), on(device, half(1e9)));
        let reports = train(&session, 3);
        assert!(
            reports.iter().all(|report| report.skipped && !report.updated && report.step == 0),
            "{device:?}"
        );
        assert_eq!(read_state(&save(&session, folder.path())).unwrap().loss_scale, f64::from(1e9f32) / 8.0);
    }
}

fn save(session: &Session, folder: &Path) -> std::path::PathBuf {
    wait(|reply| session.save(folder.to_path_buf(), Extras::default(), reply)).unwrap()
}

/// A checkpoint of one device opens on another, in the middle of an accumulation, averages included.
#[test]
fn checkpoints_change_devices() {
    let with_average = || {
        let mut options = options(PrecisionName::Float32, 2);
        options.update.average = Some(sagetrain_optim::AverageSpec { decay: 0.9 });
        options
    };
    for device in others() {
        for [from, to] in [[Some("cpu"), device], [device, Some("cpu")]] {
            let folder = tempfile::tempdir().unwrap();
            let (model, session) = start(transformer(), on(from, with_average()));
            train(&session, 5);
            let saved = save(&session, folder.path());
            let (other, resumed) = start(transformer(), on(to, with_average()));
            let loaded = wait(|reply| resumed.load(saved, reply)).unwrap();
            assert_eq!(loaded.step, 2);
            assert_eq!(weights(&model), weights(&other));
            let next = |session: &Session| {
                let batch = batches(&sentences(120), 120, LoaderState::default()).nth(5).unwrap();
                wait(|reply| session.step(batch, reply)).unwrap()
            };
            let (expected, found) = (next(&session), next(&resumed));
            assert!((found.loss / expected.loss - 1.0).abs() < 1e-4, "{found:?} {expected:?}");
            for (found, expected) in weights(&other).iter().zip(weights(&model)) {
                close("weights", found, &expected, 1e-2);
            }
            for session in [&session, &resumed] {
                wait(|reply| session.hold_averages(true, reply)).unwrap();
            }
            for (found, expected) in weights(&other).iter().zip(weights(&model)) {
                close("averages", found, &expected, 1e-2);
            }
        }
    }
}

/// A search finds what it finds on the CPU, forced prefixes and alignment included.
#[test]
fn searches_find_the_same() {
    let requests = || {
        let sources = [vec![3, 4, 5, 0], vec![9, 8, 0], vec![20, 21, 22, 23, 24, 0]];
        let mut requests = Request::all(sources.to_vec());
        requests[1].prefix = vec![5, 6];
        requests
    };
    let search = SearchOptions { alignment: true, ..SearchOptions::default() };
    let find = |model: &ModelHandle| wait(|reply| model.translate(requests(), search, reply)).unwrap();
    let (model, session) = start(transformer(), options(PrecisionName::Float32, 2));
    train(&session, 20);
    let expected = find(&model);
    let folder = tempfile::tempdir().unwrap();
    wait(|reply| model.save(folder.path().to_path_buf(), None, reply)).unwrap();
    for device in others() {
        let (model, _) = wait(|reply| ModelHandle::load(folder.path().to_path_buf(), reply)).unwrap();
        let (_session, _) =
            wait(|reply| Session::create(&model, on(device, options(PrecisionName::Float32, 2)), reply))
                .unwrap();
        for (found, expected) in find(&model).iter().flatten().zip(expected.iter().flatten()) {
            assert_eq!(found.tokens, expected.tokens);
            assert!((found.score - expected.score).abs() < 1e-4);
        }
    }
}

#[test]
fn what_is_not_there_is_said() {
    let refused = |device: &str, precision: PrecisionName, more: serde_json::Value| {
        let mut all = json!({ "optimizer": { "type": "adam", "lr": 1e-3 } });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut options = SessionOptions::from_json(&all).unwrap();
        options.run.precision = Some(precision);
        options.run.device = device.to_owned();
        options.resolve().unwrap_err()
    };
    let error = refused("cuda:900", PrecisionName::Float32, json!({}));
    assert_eq!(error.code(), "ERR_DEVICE");
    eprintln!("{error}");
    assert_eq!(refused("gpu", PrecisionName::Float32, json!({})).code(), "ERR_CONFIG");
    let error = refused("cpu", PrecisionName::Float32, json!({ "lossScale": "dynamic" }));
    assert!(error.to_string().contains("float16"), "{error}");
    let error = SessionOptions::from_json(&json!({
        "optimizer": { "type": "adam", "lr": 1e-3 }, "precision": "float16", "nonFinite": "error"
    }));
    assert_eq!(error.unwrap_err().code(), "ERR_CONFIG");
}
