//! Student's t-test against SciPy (`golden/t_test.py` wrote `golden/t_test.json`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sagetrain_metrics::t_test;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_close(actual: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((actual - expected).abs() <= 1e-12 + 1e-9 * expected.abs(), "{actual} is not {expected}");
}

#[test]
fn paired_tests_equal_scipys() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/t_test.json")).unwrap();
    assert_eq!(cases.len(), 20);
    for case in &cases {
        let (baseline, system) = (numbers(&case["baseline"]), numbers(&case["system"]));
        let found = t_test::paired(&baseline, &system).unwrap();
        assert_eq!(found.degrees, baseline.len() - 1);
        assert_close(found.t, &case["t"]);
        assert_close(found.p_value, &case["pValue"]);
        assert_close(found.lower, &case["lower"]);
        assert_close(found.upper, &case["upper"]);
    }
}

#[test]
fn one_value_has_a_mean_and_nothing_else() {
    let found = t_test::one_sample(&[27.3]).unwrap();
    assert_eq!((found.mean, found.degrees), (27.3, 0));
    for value in [found.deviation, found.lower, found.upper, found.t, found.p_value] {
        assert!(value.is_nan());
    }
}

#[test]
fn equal_values_leave_no_doubt() {
    let apart = t_test::paired(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0]).unwrap();
    assert_eq!((apart.lower, apart.upper, apart.p_value), (1.0, 1.0, 0.0));
    let same = t_test::paired(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
    assert_eq!((same.lower, same.upper), (0.0, 0.0));
    assert!(same.t.is_nan() && same.p_value.is_nan());
}

#[test]
fn lists_that_do_not_pair_up_are_refused() {
    let message = t_test::paired(&[1.0], &[1.0, 2.0]).unwrap_err().to_string();
    assert!(message.contains("1 baseline values but 2 system values"), "{message}");
    assert!(t_test::one_sample(&[]).is_err());
}
