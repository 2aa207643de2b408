//! Un-scaling, division, clipping, and what is not finite.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{Float, OptimError, OptimizerSpec, Serial, StepInputs};
use serde_json::{Value, json};
use support::{Bench, numbers, options, spec};

fn adam_sage() -> OptimizerSpec {
    spec("adam", &json!({ "lr": 1e-2, "sage": { "beta0": 0.8 } }))
}

fn bench<F: Float>(value: Value) -> Bench<F> {
    Bench::new(&adam_sage(), &options(value), &[("a", numbers(1, 40)), ("b", numbers(2, 7))])
}

fn gradients<F: Float>(step: u64) -> Vec<Vec<F>> {
    vec![numbers(10 + step, 40), numbers(20 + step, 7)]
}

fn scaled<F: Float>(gradients: &[Vec<F>], factor: f64) -> Vec<Vec<F>> {
    gradients.iter().map(|g| g.iter().map(|value| *value * F::from_f64(factor)).collect()).collect()
}

fn norm(gradients: &[Vec<f64>]) -> f64 {
    gradients.iter().flatten().map(|value| value * value).sum::<f64>().sqrt()
}

#[test]
fn loss_scale_and_divisor_cancel_to_the_bit_where_they_are_powers_of_two() {
    let (mut plain, mut both) = (bench::<f32>(json!({})), bench::<f32>(json!({})));
    let inputs = StepInputs { loss_scale: Some(1024.0), divisor: 0.25, ..StepInputs::default() };
    for step in 0..5 {
        let report = plain.step(&gradients(step));
        let other = both.try_step(&scaled(&gradients(step), 256.0), inputs, &Serial).unwrap();
        assert_eq!(report, other);
    }
    assert_eq!(plain.bits(), both.bits());
}

#[test]
fn the_norm_is_of_the_divided_gradient_before_clipping() {
    for value in [
        json!({}),
        json!({ "maxGradientNorm": 0.1 }),
        json!({ "maxGradientNorm": 1e9, "nonFinite": "unchecked" }),
    ] {
        let mut bench = bench::<f64>(value);
        let inputs = StepInputs { divisor: 3.0, ..StepInputs::default() };
        let report = bench.try_step(&gradients(1), inputs, &Serial).unwrap();
        let expected = norm(&gradients(1)) / 3.0;
        assert!((report.gradient_norm.unwrap() / expected - 1.0).abs() < 1e-14);
    }
    assert_eq!(bench::<f32>(json!({ "nonFinite": "unchecked" })).step(&gradients(1)).gradient_norm, None);
}

#[test]
fn clipping_is_a_factor_on_all_gradients_as_torchs() {
    let max = 0.5;
    let (mut clipped, mut plain) = (bench::<f64>(json!({ "maxGradientNorm": max })), bench::<f64>(json!({})));
    for step in 0..4 {
        let raw = gradients(step);
        clipped.step(&raw);
        plain.step(&scaled(&raw, (max / (norm(&raw) + 1e-6)).min(1.0)));
    }
    for (a, b) in clipped.data.iter().flatten().zip(plain.data.iter().flatten()) {
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} {b}");
    }
    let (mut never, mut plain) = (bench::<f64>(json!({ "maxGradientNorm": 1e6 })), bench::<f64>(json!({})));
    never.step(&gradients(0));
    plain.step(&gradients(0));
    assert_eq!(never.bits(), plain.bits());
}

/// Runs two good steps, then a bad one, and expects no changed byte.
fn bad_step<F: Float>(
    value: &Value,
    at: (usize, usize),
    bad: F,
) -> (Result<sagetrain_optim::StepReport, OptimError>, u64) {
    let mut bench = bench::<F>(value.clone());
    bench.step(&gradients(0));
    bench.step(&gradients(1));
    let before = bench.bits();
    let mut wrong = gradients(2);
    wrong[at.0][at.1] = bad;
    let result = bench.try_step(&wrong, StepInputs::default(), &Serial);
    assert_eq!(bench.bits(), before, "something changed");
    (result, bench.optimizer.step_count())
}

#[test]
fn a_gradient_that_is_not_finite_changes_no_byte() {
    for clip in [Value::Null, json!(1.0)] {
        for at in [(0, 0), (0, 39), (1, 3)] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let (result, step) =
                    bad_step(&json!({ "maxGradientNorm": clip, "nonFinite": "skip" }), at, bad);
                let report = result.unwrap();
                assert!(
                    report.skipped
                        && report.step == 2
                        && step == 2
                        && !report.gradient_norm.unwrap().is_finite()
                );

                let (result, step) = bad_step(&json!({ "maxGradientNorm": clip }), at, f64::from(bad));
                let error = result.unwrap_err();
                assert_eq!((error.code(), step), ("ERR_NON_FINITE", 2));
                let expected = format!("of '{}' is {} at element {}", ["a", "b"][at.0], f64::from(bad), at.1);
                assert!(error.to_string().contains(&expected), "{error}");
            }
        }
    }
}

#[test]
fn unchecked_lets_everything_through() {
    let mut bench = bench::<f32>(json!({ "nonFinite": "unchecked" }));
    let mut wrong = gradients(0);
    wrong[1][3] = f32::NAN;
    let report = bench.step(&wrong);
    assert!(!report.skipped && bench.data[1][3].is_nan() && bench.data[1][2].is_finite());
}

#[test]
fn a_finite_gradient_that_overflows_when_divided_is_not_finite() {
    let mut bench = bench::<f32>(json!({}));
    let before = bench.bits();
    let mut large = gradients(0);
    large[0][5] = 1e38;
    let inputs = StepInputs { divisor: 1e-3, ..StepInputs::default() };
    let error = bench.try_step(&large, inputs, &Serial).unwrap_err();
    assert!(matches!(&error, OptimError::NonFinite { index: 5, .. }), "{error}");
    assert_eq!(bench.bits(), before);
}

#[test]
fn huge_finite_gradients_keep_every_parameter_finite() {
    for clip in [Value::Null, json!(1.0)] {
        let mut single = bench::<f32>(json!({ "maxGradientNorm": clip }));
        single.step(&[vec![f32::MAX; 40], vec![-f32::MAX; 7]]);
        let report = single.step(&gradients(1));
        assert!(!report.skipped && single.data.iter().flatten().all(|value| value.is_finite()));

        let mut double = bench::<f64>(json!({ "maxGradientNorm": clip }));
        let report = double.step(&[vec![1e200; 40], vec![1e-200; 7]]);
        assert!((report.gradient_norm.unwrap() / (1e200 * 40f64.sqrt()) - 1.0).abs() < 1e-12);
        double.step(&gradients(1));
        assert!(double.data.iter().flatten().all(|value| value.is_finite()));
    }
}

#[test]
fn zero_and_subnormal_gradients_are_ordinary() {
    let mut bench = bench::<f32>(json!({}));
    let tiny = f32::MIN_POSITIVE / 4.0;
    assert_eq!(bench.step(&[vec![0.0; 40], vec![-0.0; 7]]).gradient_norm, Some(0.0));
    let before = bench.data.clone();
    let report = bench.step(&[vec![tiny; 40], vec![-tiny; 7]]);
    let expected = f64::from(tiny) * 47f64.sqrt();
    assert!((report.gradient_norm.unwrap() / expected - 1.0).abs() < 1e-12);
    assert!(bench.data.iter().flatten().zip(before.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-20));
}

#[test]
fn arguments_out_of_range_change_nothing() {
    for (inputs, argument) in [
        (StepInputs { divisor: 0.0, ..StepInputs::default() }, "divisor"),
        (StepInputs { divisor: f64::NAN, ..StepInputs::default() }, "divisor"),
        (StepInputs { divisor: 1e45, ..StepInputs::default() }, "divisor"),
        (StepInputs { loss_scale: Some(-1.0), ..StepInputs::default() }, "lossScale"),
        (StepInputs { multiplier: Some(-0.5), ..StepInputs::default() }, "multiplier"),
        (StepInputs { multiplier: Some(f64::INFINITY), ..StepInputs::default() }, "multiplier"),
    ] {
        let mut bench = bench::<f32>(json!({}));
        let before = bench.bits();
        let error = bench.try_step(&gradients(0), inputs, &Serial).unwrap_err();
        assert_eq!(error.code(), "ERR_ARGUMENT");
        assert!(error.to_string().starts_with(argument), "{error}");
        assert_eq!((bench.bits(), bench.optimizer.step_count()), (before, 0));
    }
}
