//! Optimizer state in a file: what comes back, what is refused, and what is said to have changed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{
    LossScaleState, NamedState, OptimizerOptions, OptimizerSpec, StateArray, StateOrigin, StateValues,
    Values, bf16, read_state, read_torch_state, write_state,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use support::{options, spec};
use tempfile::TempDir;

fn origin() -> StateOrigin {
    StateOrigin {
        step: 12,
        spec: spec("adam", &json!({ "lr": 1e-3, "sage": { "beta0": 0.7 } })),
        options: options(
            json!({ "groups": [{ "include": ["*.bias"], "weightDecay": 0 }], "nonFinite": "skip" }),
        ),
        scope: vec!["a.weight".into(), "a.bias".into()],
        loss_scale: Some(LossScaleState { scale: 32768.0, good_steps: 3 }),
    }
}

/// One array of each type.
fn states() -> Vec<StateArray> {
    let array =
        |name: &str, shape: &[usize], values| StateArray { name: name.into(), shape: shape.into(), values };
    vec![
        array("a.weight/exp_avg", &[1, 2], StateValues::Float64(vec![0.1, -0.0])),
        array("a.bias/exp_avg", &[], StateValues::Float32(vec![0.1])),
        array("a.bias/sensitivity", &[], StateValues::BFloat16(vec![bf16::from_f32(0.3)])),
        array("empty/exp_avg_sq", &[0, 4], StateValues::Float32(vec![])),
    ]
}

fn named(states: &[StateArray]) -> Vec<NamedState<'_>> {
    states.iter().map(StateArray::named).collect()
}

/// A folder and the path of a file written there.
fn written() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("optimizer.safetensors");
    write_state(&path, &origin(), &named(&states())).unwrap();
    (folder, path)
}

fn sorted(mut states: Vec<StateArray>) -> Vec<StateArray> {
    states.sort_by(|a, b| a.name.cmp(&b.name));
    states
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn what_was_written_comes_back_and_any_safetensors_reader_opens_it() {
    let (folder, path) = written();
    let saved = read_state(&path).unwrap();
    assert_eq!(saved.origin, Some(origin()));
    assert_eq!(sorted(saved.states), sorted(states()));
    assert_eq!((saved.gradients, files(folder.path())), (vec![], 1));
    let bytes = std::fs::read(&path).unwrap();
    let other = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(other.tensor("a.weight/exp_avg").unwrap().shape(), [1, 2]);
    write_state(&path, &origin(), &named(&states())).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the same state has the same bytes");
}

#[test]
#[cfg(unix)]
fn the_file_may_be_read_by_whom_the_mask_lets() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = written();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let (folder, path) = written();
    let before = std::fs::read(&path).unwrap();
    let twice = [states().remove(0), states().remove(0)];
    let error = write_state(&path, &origin(), &named(&twice)).unwrap_err();
    assert!(error.to_string().contains("'a.weight/exp_avg' comes twice"), "{error}");
    let shape = [3];
    let uneven = [("a/momentum".to_owned(), &shape[..], Values::Float32(&[0.0; 2]))];
    assert_eq!(write_state(&path, &origin(), &uneven).unwrap_err().code(), "ERR_CHECKPOINT");
    assert_eq!((std::fs::read(&path).unwrap(), files(folder.path())), (before, 1));
    let nowhere = folder.path().join("none/state.safetensors");
    let error = write_state(&nowhere, &origin(), &[]).unwrap_err();
    assert!(error.to_string().contains("none: "), "{error}");
    assert_eq!(error.code(), "ERR_IO");
    assert_eq!(read_state(&nowhere).unwrap_err().code(), "ERR_IO");
}

#[test]
fn a_truncated_file_is_refused_by_name() {
    let (_folder, path) = written();
    let bytes = std::fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        for error in [read_state(&path).unwrap_err(), read_torch_state(&path).unwrap_err()] {
            assert_eq!(error.code(), "ERR_CHECKPOINT");
            assert!(error.to_string().contains("optimizer.safetensors: is "), "{length}: {error}");
        }
    }
    std::fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
    assert!(read_state(&path).unwrap_err().to_string().contains("is longer than its header says"));
}

#[test]
fn no_damaged_byte_makes_a_panic() {
    let (_folder, path) = written();
    let bytes = std::fs::read(&path).unwrap();
    for index in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[index] ^= 1 << (index % 8);
        std::fs::write(&path, damaged).unwrap();
        let _any = (read_state(&path), read_torch_state(&path));
    }
}

/// A file of this header and so many bytes of data.
fn raw(header: &str, data: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("raw.safetensors");
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat();
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn a_header_is_not_believed() {
    let huge = 1u64 << 52;
    for (header, message) in [
        (
            json!({ "a/momentum": { "dtype": "F32", "shape": [huge], "data_offsets": [0, huge] } }),
            "malformed",
        ),
        (
            json!({ "a/momentum": { "dtype": "F32", "shape": [huge / 4], "data_offsets": [0, huge] } }),
            "truncated",
        ),
        (json!({ "a/momentum": { "dtype": "F32", "shape": [1], "data_offsets": [4, 8] } }), "malformed"),
        (
            json!({ "a/momentum": { "dtype": "I64", "shape": [1], "data_offsets": [0, 8] } }),
            "'a/momentum' is I64; save it",
        ),
        (json!([]), "malformed"),
    ] {
        let (_folder, path) = raw(&header.to_string(), 8);
        let error = read_state(&path).unwrap_err().to_string();
        assert!(error.contains(message) && error.contains("raw.safetensors"), "{header}: {error}");
    }
    let (_folder, path) = raw("", 0);
    std::fs::write(&path, u64::MAX.to_le_bytes()).unwrap();
    assert!(
        read_state(&path).unwrap_err().to_string().contains("a header of 18446744073709551615 bytes in 8")
    );
}

#[test]
fn a_foreign_file_is_refused_with_what_it_is() {
    let refused = |header: Value, message: &str| {
        let (_folder, path) = raw(&header.to_string(), 4);
        let error = read_state(&path).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.code(), "ERR_CHECKPOINT");
    };
    let with = |name: &str, metadata: Value| {
        let mut header = json!({ name: { "dtype": "F32", "shape": [1], "data_offsets": [0, 4] } });
        if !metadata.is_null() {
            header["__metadata__"] = metadata;
        }
        header
    };
    refused(with("a.weight", json!({ "format": "pt" })), "holds 'pt', not optimizer state");
    refused(with("a.weight", Value::Null), "'a.weight' is no optimizer state");
    let own = |more: Value| {
        let mut metadata = json!({ "format": "sagetrain-optimizer", "version": "1", "step": "1" });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with("a/momentum", metadata)
    };
    refused(own(json!({ "version": "2" })), "has version 2, this sagetrain reads 1; update sagetrain");
    refused(own(json!({})), "its metadata lacks 'spec'");
    refused(own(json!({ "step": "-1" })), "its 'step' is malformed");
    let most = u64::MAX.to_string();
    refused(own(json!({ "step": most, "spec": "{}" })), "18446744073709551615 is more than 2^53");
    refused(
        own(json!({ "spec": r#"{"type":"lion"}"# })),
        "its 'spec' is malformed: optimizer.type: is 'lion'",
    );
}

#[test]
fn a_checkpoints_file_opens_with_its_gradients_apart() {
    let header = json!({
        "a/momentum": { "dtype": "F32", "shape": [1], "data_offsets": [0, 4] },
        "a/gradient": { "dtype": "F32", "shape": [1], "data_offsets": [4, 8] },
    });
    let (_folder, path) = raw(&header.to_string(), 8);
    let saved = read_state(&path).unwrap();
    assert_eq!(saved.origin, None);
    let names = |states: &[StateArray]| states.iter().map(|array| array.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&saved.states), names(&saved.gradients)),
        (vec!["a/momentum".into()], vec!["a/gradient".into()])
    );
}

#[test]
fn every_change_has_its_line() {
    let before = origin();
    assert_eq!(before.changes(&before).unwrap().lines(), [""; 0]);
    let now = StateOrigin {
        spec: spec("adam", &json!({ "lr": 2e-3, "sage": { "beta0": 0.8 }, "observe": { "every": 10 } })),
        options: options(json!({
            "groups": [{ "include": ["*.bias"], "weightDecay": 0.1, "beta0": 0.9 }], "maxGradientNorm": 1, "totalSteps": 50,
            "nonFinite": "skip",
        })),
        scope: vec!["a.weight".into(), "b.weight".into()],
        step: 0,
        loss_scale: None,
    };
    assert_eq!(
        before.changes(&now).unwrap().lines(),
        [
            "optimizer.lr: 0.001 → 0.002",
            "optimizer.sage.beta0: 0.7 → 0.8",
            "groups[0].weightDecay: 0.0 → 0.1",
            "groups[0].beta0: the default → 0.9",
            "maxGradientNorm: the default → 1.0",
            "sage.scope: 'b.weight' came in",
            "sage.scope: 'a.bias' fell out",
        ]
    );
}

#[test]
fn a_total_that_a_schedule_is_stretched_over_is_a_change() {
    let of = |total: u64| StateOrigin {
        options: options(json!({ "schedule": { "type": "linear", "warmupSteps": 1 }, "totalSteps": total })),
        ..origin()
    };
    assert_eq!(of(10).changes(&of(20)).unwrap().lines(), ["totalSteps: 10 → 20"]);
}

#[test]
fn an_optimizer_of_another_kind_is_refused() {
    let now = StateOrigin { spec: OptimizerSpec::sgd(0.1), options: OptimizerOptions::default(), ..origin() };
    let error = origin().changes(&now).unwrap_err();
    assert_eq!(error.code(), "ERR_CHECKPOINT");
    assert!(
        error.to_string().contains("optimizer.type was 'adam' and is 'sgd'; use 'adam', or begin anew"),
        "{error}"
    );
}
