//! Scores of predicted classes against scikit-learn (`golden/classification.py` wrote `golden/classification.json`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sagetrain_metrics::confusion::MOST_CLASSES;
use sagetrain_metrics::{MetricsError, accuracy, confusion_matrix, f1, matthews};
use serde_json::{Value, json};

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("golden/classification.json")).unwrap()
}

fn integer(value: &Value) -> i32 {
    value.as_i64().unwrap().try_into().unwrap()
}

/// (predictions, labels) of a case, which holds them as [label, prediction, times].
fn samples(case: &Value) -> (Vec<i32>, Vec<i32>) {
    let repeated = case["samples"].as_array().unwrap().iter().flat_map(|sample| {
        let times = sample[2].as_u64().unwrap().try_into().unwrap();
        std::iter::repeat_n((integer(&sample[1]), integer(&sample[0])), times)
    });
    repeated.unzip()
}

#[track_caller]
fn assert_close(actual: f64, expected: &Value, what: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((actual - expected).abs() <= 1e-12, "{what}: {actual} is not {expected}");
}

#[test]
fn scores_equal_scikit_learns() {
    let cases = cases();
    assert!(cases.len() >= 30);
    for case in &cases {
        let (name, (predictions, labels)) = (&case["name"], samples(case));
        assert_close(accuracy(&predictions, &labels).unwrap(), &case["accuracy"], name);
        assert_close(f1::macro_average(&predictions, &labels).unwrap(), &case["macroF1"], name);
        assert_close(matthews(&predictions, &labels).unwrap(), &case["matthews"], name);
        let matrix = confusion_matrix(&predictions, &labels).unwrap();
        assert_eq!(
            json!({ "classes": matrix.classes, "counts": matrix.counts }),
            json!({ "classes": case["classes"], "counts": case["counts"] }),
            "{name}"
        );
    }
}

#[test]
fn binary_f1_equals_scikit_learns_and_refuses_what_it_refuses() {
    let cases = cases();
    let refused = cases.iter().filter(|case| case["f1"].is_null()).count();
    assert!(refused > 3 && cases.len() - refused > 10);
    for case in &cases {
        let (predictions, labels) = samples(case);
        match f1::binary(&predictions, &labels, integer(&case["positive"])) {
            Ok(score) => assert_close(score, &case["f1"], &case["name"]),
            Err(error) => {
                assert!(case["f1"].is_null(), "{}: {error}", case["name"]);
                assert!(matches!(error, MetricsError::NotBinary { .. }), "{error}");
            }
        }
    }
}

#[test]
fn refusals_say_what_to_do() {
    let message = f1::binary(&[0, 1, 2], &[0, 1, 3], 1).unwrap_err().to_string();
    assert_eq!(
        message,
        "f1: 3 classes beside the positive class 1; binary F1 has one: ask for the macro average"
    );
    let many: Vec<i32> = (0..=MOST_CLASSES as i32).collect();
    let message = confusion_matrix(&many, &many).unwrap_err().to_string();
    assert_eq!(message, "confusion matrix: 4097 classes; at most 4096 make a matrix");
    assert_eq!(matthews(&many, &many), Ok(1.0), "of which no matrix is made");
    for error in [
        f1::macro_average(&[1], &[]).unwrap_err(),
        matthews(&[1], &[1, 0]).unwrap_err(),
        confusion_matrix(&[], &[]).unwrap_err(),
    ] {
        assert_eq!(error.code(), "ERR_ARGUMENT");
    }
}
