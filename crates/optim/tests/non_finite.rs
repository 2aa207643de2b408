//! Gradients of every kind, for every optimizer: one that is not finite changes no byte of anything, and every finite one is ordinary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/family.rs"]
mod family;
mod support;

use family::{ALL, Which, bits, cast, made};
use sagetrain_optim::{Float, SensitivityReport, Serial, StepInputs};
use serde_json::{Value, json};
use support::{Bench, numbers, options, spec};

const SIZES: [usize; 2] = [40, 7];

fn gradients<F: Float>(step: u64) -> Vec<Vec<F>> {
    SIZES.iter().enumerate().map(|(tensor, size)| numbers(10 * step + tensor as u64, *size)).collect()
}

fn bench<F: Float>(which: Which, extra: &Value) -> Bench<F> {
    let start = [("a", numbers(1, SIZES[0])), ("b", numbers(2, SIZES[1]))];
    let mut extra = extra.clone();
    extra["average"] = json!({ "decay": 0.9 });
    extra["schedule"] = json!({ "type": "inverseSqrt", "warmupSteps": 2 });
    Bench::new(&made(which, 0.8, 1e-2, 0.1, &[]), &options(extra), &start)
}

/// Everything a caller can ask for: parameters and states (the average too), the step counter, the report.
fn everything<F: Float>(bench: &Bench<F>) -> (Vec<u64>, u64, Option<SensitivityReport>) {
    (bench.bits(), bench.optimizer.step_count(), bench.optimizer.sensitivity().cloned())
}

/// Two good steps, a bad one, which must leave no trace, and a good one, which must come out as if the bad one had never been.
fn leaves_no_trace<F: Float>(which: Which, extra: &Value, bad: F) {
    for at in [(0, 0), (0, 39), (1, 3)] {
        let (mut bench, mut undisturbed) = (bench::<F>(which, extra), bench::<F>(which, extra));
        for step in 0..2 {
            bench.step(&gradients(step));
            undisturbed.step(&gradients(step));
        }
        let before = everything(&bench);
        assert_eq!((before.1, before.2.as_ref().unwrap().step), (2, 2));
        let mut wrong = gradients(2);
        wrong[at.0][at.1] = bad;
        match bench.try_step(&wrong, StepInputs::default(), &Serial) {
            Ok(report) => {
                assert!(
                    extra["nonFinite"] == "skip" && report.skipped && report.step == 2,
                    "{which:?} {report:?}"
                );
                assert!(!report.gradient_norm.unwrap().is_finite());
            }
            Err(error) => {
                assert!(extra["nonFinite"] != "skip" && error.code() == "ERR_NON_FINITE", "{which:?} {error}")
            }
        }
        assert!(everything(&bench) == before, "{which:?} {extra} {bad:?} at {at:?}: something changed");
        assert_eq!(
            bench.step(&gradients(3)),
            undisturbed.step(&gradients(3)),
            "{which:?}: norm, step and rate"
        );
        assert!(everything(&bench) == everything(&undisturbed), "{which:?}: the bad step was never taken");
    }
}

#[test]
fn a_gradient_that_is_not_finite_leaves_no_trace_in_any_optimizer() {
    for which in ALL {
        for extra in [
            json!({}),
            json!({ "nonFinite": "skip" }),
            json!({ "maxGradientNorm": 1.0, "nonFinite": "skip" }),
            json!({ "maxGradientNorm": 1.0 }),
        ] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                leaves_no_trace::<f32>(which, &extra, bad);
                leaves_no_trace::<f64>(which, &extra, f64::from(bad));
            }
        }
    }
}

/// Also where nothing has been seen yet, and where the average has not begun.
#[test]
fn a_bad_first_step_leaves_an_optimizer_that_has_not_begun() {
    for which in ALL {
        let (mut bench, fresh) =
            (bench::<f32>(which, &json!({ "nonFinite": "skip" })), bench::<f32>(which, &json!({})));
        let mut wrong = gradients(0);
        wrong[1][6] = f32::NAN;
        assert!(bench.step(&wrong).skipped);
        assert!(everything(&bench) == everything(&fresh), "{which:?}");
        bench.step(&gradients(0));
        assert_eq!(
            bits(&bench.state("a/average")),
            bits(&bench.data[0]),
            "{which:?}: the average begins at the parameters"
        );
    }
}

/// Whether sums of squares find what is not finite by themselves, wherever it is in a block or across blocks.
#[test]
fn one_bad_element_anywhere_is_found() {
    let size = 2 * sagetrain_kernels::BLOCK + 5;
    let mut bench = Bench::<f32>::plain(&spec("sgd", &json!({ "lr": 0.1 })), &[("w", vec![1.0; size])]);
    let block = sagetrain_kernels::BLOCK;
    for at in [0, 127, 128, block - 1, block, block + 1, 2 * block, size - 1] {
        let mut gradient = vec![1.0f32; size];
        gradient[at] = f32::INFINITY;
        let error = bench.try_step(&[gradient], StepInputs::default(), &Serial).unwrap_err();
        assert!(error.to_string().contains(&format!("is inf at element {at};")), "{error}");
    }
    assert!(bench.data[0].iter().all(|value| *value == 1.0));
}

/// Zeros of either sign move nothing but by decay and what momentum there is, and give no NaN.
fn zeros<F: Float>(which: Which) {
    let (_, form, decay) = which;
    let start = cast::<F>(&[0.5, -2.0, 0.0, 1e-30]);
    let mut bench = Bench::plain(&made(which, 0.8, 1e-2, 0.0, &[]), &[("w", start.clone())]);
    for _ in 0..3 {
        bench.step(&[cast(&[0.0, -0.0, 0.0, -0.0])]);
        assert!(bench.data[0] == start, "{which:?} {}: without decay nothing moves", F::DTYPE);
    }
    let mut decaying = Bench::plain(&made(which, 0.8, 1e-2, 0.5, &[]), &[("w", start.clone())]);
    decaying.step(&[cast(&[0.0; 4])]);
    let moved = decaying.data[0][0] != start[0];
    // The released Adamax modulates its decay, and r is 0 where I and E are.
    assert_eq!(moved, form == "paper" || which.0 == "adamw", "{which:?} {decay:?}");
    assert!(decaying.data[0].iter().all(|value| value.to_f64().abs() < 2.1), "{which:?}");
}

/// Subnormal gradients are numbers like others: they count in the norm, and are not taken for bad.
fn subnormal<F: Float>(which: Which) {
    let tiny = F::MIN_POSITIVE.to_f64() / 4.0;
    let start: Vec<F> = numbers(1, 40);
    let mut bench = Bench::plain(&made(which, 0.8, 1e-2, 0.0, &[]), &[("w", start.clone())]);
    for _ in 0..3 {
        let norm = bench.step(&[cast(&[tiny; 40])]).gradient_norm.unwrap();
        // Squares of float64's subnormals are 0.
        let expected = if F::MIN_POSITIVE.to_f64() < 1e-300 { 0.0 } else { tiny * 40f64.sqrt() };
        assert!((norm - expected).abs() <= 1e-12 * expected, "{which:?} {norm:e}");
    }
    for (a, b) in bench.data[0].iter().zip(&start) {
        let moved = (a.to_f64() - b.to_f64()).abs();
        // Adamax of the paper divides by |g| + ε, all others by more: nothing is larger than g/ε.
        assert!(
            moved <= 3e-2 * (19.0 * tiny / 1e-8) + F::UNIT_ROUNDOFF * b.to_f64().abs(),
            "{which:?} {moved:e}"
        );
    }
}

/// The largest gradients that momentum does not overflow by itself: parameters stay finite, then and in ordinary steps after.
fn huge<F: Float>(which: Which, extra: &Value) {
    let large = F::MAX.to_f64() / 16.0;
    let mut bench = bench::<F>(which, extra);
    let alternating = |size: usize| {
        cast(&(0..size).map(|index| if index % 2 == 0 { large } else { -large }).collect::<Vec<_>>())
    };
    bench.step(&gradients(0));
    let report = bench.step(&SIZES.map(alternating));
    let norm = report.gradient_norm.unwrap();
    assert!(!report.skipped && (norm / large / 47f64.sqrt() - 1.0).abs() < 1e-12, "{which:?} {norm:e}");
    for step in 1..4 {
        assert!(
            bench.data.iter().flatten().all(|value| value.is_finite()),
            "{which:?} {} {extra} step {step}",
            F::DTYPE
        );
        let seen = bench.optimizer.sensitivity().unwrap();
        assert!(
            seen.tensors
                .iter()
                .flat_map(|tensor| &tensor.samples)
                .all(|sample| sample.modulation.is_finite()),
            "{which:?}"
        );
        bench.step(&gradients(step));
    }
}

#[test]
fn zero_subnormal_and_huge_gradients_are_ordinary_in_every_optimizer() {
    for which in ALL {
        zeros::<f32>(which);
        zeros::<f64>(which);
        subnormal::<f32>(which);
        subnormal::<f64>(which);
        for extra in [json!({}), json!({ "maxGradientNorm": 1.0 })] {
            huge::<f32>(which, &extra);
            huge::<f64>(which, &extra);
        }
    }
}
