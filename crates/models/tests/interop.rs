//! A folder saved here opens in transformers. Runs where SAGETRAIN_PYTHON names a Python with torch and transformers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use sagetrain_models::{Model, create};
use sagetrain_torch::Precision;
use serde_json::{Value, json};
use support::*;
use tch::Tensor;

const BATCH: &str =
    r#"{"source": [[5, 9, 2, 17, 0], [33, 0]], "target": [[7, 12, 0], [20, 31, 6, 2, 19, 0]]}"#;

fn model(normalization: &str) -> Box<dyn Model> {
    let spec = json!({
        "preset": "transformer-small", "vocabularySize": 50, "hiddenSize": 32, "heads": 4, "feedForwardSize": 48,
        "normalization": normalization, "maxPositions": 40,
    });
    create(&serde_json::from_value(spec).unwrap(), 11).unwrap()
}

/// `None`, with the reason on stderr, where there is no such Python.
fn transformers(folder: &Path) -> Option<Output> {
    let Some(python) = std::env::var_os("SAGETRAIN_PYTHON") else {
        eprintln!("skipped: SAGETRAIN_PYTHON names no Python with torch and transformers");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/transformers_logits.py");
    let output = Command::new(&python).arg(script).arg(folder).arg(BATCH).env("HF_HUB_OFFLINE", "1").output();
    Some(output.unwrap_or_else(|error| panic!("SAGETRAIN_PYTHON {}: {error}", python.display())))
}

#[test]
fn transformers_computes_the_same_logits() {
    let (model, folder) = (model("post"), tempfile::tempdir().unwrap());
    model.save(folder.path()).unwrap();
    let Some(output) = transformers(folder.path()) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["class"], "MarianMTModel");
    for keys in ["missing", "unexpected", "mismatched"] {
        assert_eq!(report[keys], json!([]), "{keys}");
    }
    assert_eq!(report["generation"]["bad_words_ids"], json!([[49]]));
    let found = logits(model.as_ref(), &golden_batch(&serde_json::from_str(BATCH).unwrap()));
    let difference = difference(&found, &floats(&report["logits"]));
    assert!(difference < 1e-5, "{difference}");
    assert_eq!(report["greedy"], json!(greedy(model.as_ref())));
}

/// What transformers' `generate` does with one beam and a `max_length` of 9: start, seven tokens, a forced end.
fn greedy(model: &dyn Model) -> Vec<Vec<i64>> {
    let translator = model.as_translator().unwrap();
    let sources: Vec<Vec<i32>> =
        serde_json::from_value(serde_json::from_str::<Value>(BATCH).unwrap()["source"].clone()).unwrap();
    let tokens = translator.tokens();
    let translate = |source: Vec<i32>| {
        let mut cache = translator.start(&ragged(&[source]), Precision::Float32).unwrap();
        let mut output = vec![tokens.start];
        while output.len() < 8 && *output.last().unwrap() != tokens.end {
            let scores =
                translator.step(&mut cache, &Tensor::from_slice(&output[output.len() - 1..])).unwrap();
            output.push(scores.argmax(1, false).int64_value(&[0]));
        }
        if *output.last().unwrap() != tokens.end {
            output.push(tokens.end);
        }
        output
    };
    sources.into_iter().map(translate).collect()
}

#[test]
fn transformers_refuses_pre_norm_by_name() {
    let folder = tempfile::tempdir().unwrap();
    model("pre").save(folder.path()).unwrap();
    let Some(output) = transformers(folder.path()) else { return };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains("sagetrain-transformer"), "{errors}");
}
