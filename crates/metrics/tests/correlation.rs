//! Correlations against SciPy and against exact arithmetic (`golden/correlation.py` wrote `golden/correlation.json`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sagetrain_metrics::{pearson, spearman};
use serde_json::Value;

const TOLERANCE: f64 = 1e-12;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("golden/correlation.json")).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The variables of a case, made as the generating program makes them where they are too long to be listed.
fn variables(case: &Value) -> (Vec<f64>, Vec<f64>) {
    let Some(samples) = case["samples"].as_u64() else { return (numbers(&case["x"]), numbers(&case["y"])) };
    let offset = number(&case["offset"]);
    let made = (0..samples).map(|index| {
        let x = (index * 7919 % 100_003) as f64 / 97.0;
        (x + offset, x + (index * 104_729 % 99_991) as f64 / 89.0)
    });
    made.unzip()
}

#[track_caller]
fn assert_close(actual: f64, expected: &Value, what: &Value) {
    match expected.as_f64() {
        Some(expected) => {
            assert!((actual - expected).abs() <= TOLERANCE, "{what}: {actual} is not {expected}");
        }
        None => assert!(actual.is_nan(), "{what}: {actual} is a number"),
    }
}

/// Whether SciPy's own Pearson is right to the tolerance.
fn is_sound(case: &Value) -> bool {
    match (case["pearson"].as_f64(), case["exact"].as_f64()) {
        (Some(found), Some(exact)) => (found - exact).abs() <= TOLERANCE / 2.0,
        (found, exact) => found == exact,
    }
}

#[test]
fn spearman_equals_scipys() {
    for case in &cases() {
        let (x, y) = variables(case);
        assert_close(spearman(&x, &y).unwrap(), &case["spearman"], &case["name"]);
        assert_close(spearman(&y, &x).unwrap(), &case["spearman"], &case["name"]);
    }
}

#[test]
fn pearson_equals_scipys_where_that_is_right() {
    let cases = cases();
    let sound: Vec<&Value> = cases.iter().filter(|case| is_sound(case)).collect();
    assert!(sound.len() >= 45, "{} of {}", sound.len(), cases.len());
    for case in sound {
        let (x, y) = variables(case);
        assert_close(pearson(&x, &y).unwrap(), &case["pearson"], &case["name"]);
    }
}

#[test]
fn pearson_is_exact_however_large_the_offset() {
    let cases = cases();
    assert!(cases.iter().any(|case| !is_sound(case)), "there is a case in which SciPy loses digits");
    for case in cases.iter().filter(|case| !case["exact"].is_null()) {
        let (x, y) = variables(case);
        assert_close(pearson(&x, &y).unwrap(), &case["exact"], &case["name"]);
    }
}

#[test]
fn too_few_samples_and_lists_that_do_not_pair_up_are_refused() {
    let message = pearson(&[1.0], &[1.0]).unwrap_err().to_string();
    assert_eq!(message, "pearson: a correlation takes at least two samples, got 1");
    let message = spearman(&[], &[]).unwrap_err().to_string();
    assert_eq!(message, "spearman: a correlation takes at least two samples, got 0");
    let message = spearman(&[1.0, 2.0], &[1.0]).unwrap_err().to_string();
    assert_eq!(message, "spearman: 2 predictions but 1 targets; give one of each a sample");
}
