//! What must hold of r for any parameters and gradients: for every optimizer that has SAGE, both forms, every decay, in float32 and float64.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/family.rs"]
mod family;
mod support;

use family::{ALL, ELEMENTS, EPSILON, Which, cast, made, seen};
use proptest::prelude::*;
use sagetrain_optim::{Float, Serial, StepInputs};
use support::{Bench, numbers};

/// 0 < r (paper) or 0 ≤ r (released), and r ≤ max(1, β0/(1−β0))·(1+8u), at every step of a run.
fn bounded<F: Float>(
    which: Which,
    beta0: f64,
    start: &[f64],
    gradients: &[Vec<f64>],
) -> Result<(), TestCaseError> {
    let bound = f64::max(1.0, beta0 / (1.0 - beta0)) * (1.0 + 8.0 * F::UNIT_ROUNDOFF);
    let mut bench = Bench::<F>::plain(&made(which, beta0, 1e-3, 0.01, &[]), &[("w", cast(start))]);
    for gradient in gradients {
        bench.step(&[cast(gradient)]);
        for (i, r) in seen(&bench) {
            let least = if which.1 == "paper" { r > 0.0 } else { r >= 0.0 };
            prop_assert!(
                least && r <= bound,
                "{which:?} {} β0 {beta0} I {i:e}: r {r:e}, bound {bound:e}",
                F::DTYPE
            );
        }
    }
    Ok(())
}

/// Numbers from 1e-20 to 1e10 in size, and zeros; what makes bounds tight: runs of nothing, then something.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => Just(0.0),
        8 => (-20.0..10.0f64, any::<bool>()).prop_map(|(size, minus)| if minus { -10f64.powf(size) } else { 10f64.powf(size) }),
        4 => -2.0..2.0f64,
    ]
}

fn column(elements: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(number(), elements)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn r_is_positive_and_bounded(
        beta0 in prop_oneof![0.001..0.999f64, Just(0.5), Just(0.4), Just(0.75), Just(0.95)],
        start in column(8),
        gradients in prop::collection::vec(prop_oneof![1 => Just(vec![0.0; 8]), 2 => column(8)], 1..25),
    ) {
        for which in ALL {
            bounded::<f32>(which, beta0, &start, &gradients)?;
            bounded::<f64>(which, beta0, &start, &gradients)?;
        }
    }

    /// A loss multiplied by c multiplies every gradient by c and leaves r alone, but for ε and what rounding makes of other products.
    #[test]
    fn r_does_not_change_with_the_scale_of_the_loss(
        beta0 in 0.1..0.95f64,
        scale in prop_oneof![Just(1024.0), Just(0.125), 1e-2..1e2f64],
        seed in 0..1000u64,
    ) {
        for which in ALL {
            scale_invariant::<f32>(which, beta0, scale, seed)?;
            scale_invariant::<f64>(which, beta0, scale, seed)?;
        }
    }
}

fn scale_invariant<F: Float>(which: Which, beta0: f64, scale: f64, seed: u64) -> Result<(), TestCaseError> {
    // Of size 0.5 and more, where ε is nothing beside I.
    let ordinary = |seed| -> Vec<f64> {
        numbers::<f64>(seed, 8).iter().map(|value| (0.5 + value.abs() % 1.0).copysign(*value)).collect()
    };
    let start = cast::<F>(&ordinary(seed));
    let make = || Bench::<F>::plain(&made(which, beta0, 1e-3, 0.0, &[]), &[("w", start.clone())]);
    let (mut plain, mut scaled) = (make(), make());
    for step in 1..=12 {
        let gradient = cast::<F>(&ordinary(1000 + 20 * seed + step));
        let louder = gradient.iter().map(|g| *g * F::from_f64(scale)).collect();
        // The same parameters in every step, so that only the gradient's scale differs.
        scaled.data.clone_from(&plain.data);
        plain.step(&[gradient]);
        scaled.step(&[louder]);
        for ((i, a), (_, b)) in seen(&plain).into_iter().zip(seen(&scaled)) {
            let allowed = 40.0 * F::UNIT_ROUNDOFF / (1.0 - beta0) + 400.0 * EPSILON / (i * scale.min(1.0));
            prop_assert!(
                (a - b).abs() <= allowed,
                "{which:?} {} × {scale} step {step}: {a} and {b}",
                F::DTYPE
            );
        }
    }
    Ok(())
}

/// The same with un-scaling: a loss scale that is a power of two changes no bit of anything.
fn unscaling_is_exact<F: Float>(which: Which) {
    let make = || Bench::<F>::plain(&made(which, 0.8, 1e-2, 0.1, &[]), &[("w", numbers(1, ELEMENTS))]);
    let (mut plain, mut scaled) = (make(), make());
    for step in 2..8 {
        let gradient: Vec<F> = numbers(step, ELEMENTS);
        let louder = gradient.iter().map(|g| *g * F::from_f64(4096.0)).collect();
        plain.step(&[gradient]);
        scaled
            .try_step(&[louder], StepInputs { loss_scale: Some(4096.0), ..StepInputs::default() }, &Serial)
            .unwrap();
        assert_eq!(plain.optimizer.sensitivity(), scaled.optimizer.sensitivity(), "{which:?}");
    }
    assert_eq!(plain.bits(), scaled.bits(), "{which:?}");
}

#[test]
fn sensitivity_is_that_of_the_loss_before_scaling() {
    for which in ALL {
        unscaling_is_exact::<f32>(which);
        unscaling_is_exact::<f64>(which);
    }
}

/// The first r: ε/(I+ε) within 2u where Î is corrected, β0/(1−β0) where it is not and I is far above ε.
fn first_r<F: Float>(which: Which) {
    let (kind, form, _) = which;
    for beta0 in [0.3, 0.5, 0.75, 0.95] {
        let mut start: Vec<F> = numbers(1, ELEMENTS);
        start[7] = F::ZERO;
        let mut gradient: Vec<F> = numbers(2, ELEMENTS);
        // Sensitivities about ε and below it.
        for (index, g) in gradient.iter_mut().enumerate().take(12) {
            *g = *g * F::from_f64(10f64.powi(-(index as i32)) * 1e-8);
        }
        let mut bench = Bench::plain(&made(which, beta0, 1e-3, 0.0, &[]), &[("w", start)]);
        bench.step(&[gradient]);
        for (i, r) in seen(&bench) {
            let expected = match (kind, form) {
                ("sgd", _) => (beta0 * i + EPSILON) / ((1.0 - beta0) * i + EPSILON),
                ("adamax", "released") => beta0 * i / ((1.0 - beta0) * i + EPSILON),
                (_, "released") => 0.0,
                _ => EPSILON / (i + EPSILON),
            };
            // The uncorrected one is a quotient near 19: 8u of it, as in its bound.
            let uncorrected = kind == "sgd" || (kind, form) == ("adamax", "released");
            let allowed = F::UNIT_ROUNDOFF * if uncorrected { 8.0 * f64::max(1.0, expected) } else { 2.0 };
            assert!(
                (r - expected).abs() <= allowed,
                "{which:?} {} β0 {beta0} I {i:e}: {r:e}, must be {expected:e}",
                F::DTYPE
            );
        }
    }
}

#[test]
fn the_first_r_is_what_the_equations_make_it() {
    for which in ALL {
        first_r::<f32>(which);
        first_r::<f64>(which);
    }
}
