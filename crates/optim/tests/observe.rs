//! Watching without steering.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{OptimizerSpec, SensitivityReport, Serial, StepInputs};
use serde_json::{Value, json};
use support::{Bench, numbers, options, spec};

const SIZE: usize = 40_001;

fn bench(adam: Value) -> Bench<f64> {
    Bench::new(&spec("adam", &adam), &options(json!({})), &[("w", numbers(1, SIZE)), ("b", numbers(2, 3))])
}

fn gradients(step: u64) -> [Vec<f64>; 2] {
    [numbers(step + 10, SIZE), numbers(step + 60, 3)]
}

#[test]
fn observing_changes_no_bit() {
    for sage in [
        Value::Null,
        json!({ "beta0": 0.6 }),
        json!({ "modulation": "inverse", "scope": { "include": ["b"] } }),
    ] {
        let plain = json!({ "lr": 1e-3, "weightDecay": 0.01, "sage": sage });
        let mut watched = plain.clone();
        watched["observe"] = json!({ "every": 2 });
        let (mut plain, mut watched) = (bench(plain), bench(watched));
        for step in 0..5 {
            plain.step(&gradients(step));
            watched.step(&gradients(step));
            assert!(plain.optimizer.sensitivity().is_none());
            assert_eq!(watched.optimizer.sensitivity().is_some(), step % 2 == 1, "after step {}", step + 1);
        }
        assert!(plain.data == watched.data);
    }
}

/// The equations, for one element.
fn by_hand(thetas: &[f64], gradients: &[f64], beta0: f64) -> [f64; 4] {
    let (mut average, mut last) = (0.0, [0.0; 4]);
    for (t, (theta, gradient)) in thetas.iter().zip(gradients).enumerate() {
        let i = (theta * gradient).abs();
        average = beta0 * average + (1.0 - beta0) * i;
        let corrected = average / (1.0 - beta0.powi(t as i32 + 1));
        let u = (i - corrected).abs();
        last = [i, corrected, u, (u + 1e-12) / (corrected + 1e-12)];
    }
    last
}

fn observed(adam: Value, steps: u64) -> (SensitivityReport, Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let mut bench = bench(adam);
    let (mut thetas, mut all) = (Vec::new(), Vec::new());
    for step in 0..steps {
        thetas.push(bench.data[0].clone());
        all.push(gradients(step)[0].clone());
        bench.step(&gradients(step));
    }
    (bench.optimizer.sensitivity().unwrap().clone(), thetas, all)
}

#[test]
fn reports_are_what_the_equations_say() {
    for (adam, beta0) in [
        (json!({ "lr": 1e-3, "observe": { "every": 4, "beta0": 0.6 } }), 0.6),
        (json!({ "lr": 1e-3, "sage": { "beta0": 0.9 }, "observe": { "every": 4 } }), 0.9),
    ] {
        let (report, thetas, gradients) = observed(adam, 4);
        assert_eq!((report.step, report.tensors.len()), (4, 2));
        let tensor = &report.tensors[0];
        assert_eq!((tensor.name.as_str(), tensor.count), ("w", SIZE as u64));
        let element = |index: usize| {
            let column = |rows: &[Vec<f64>]| rows.iter().map(|row| row[index]).collect::<Vec<_>>();
            by_hand(&column(&thetas), &column(&gradients), beta0)
        };
        let all: Vec<[f64; 4]> = (0..SIZE).map(element).collect();
        let summaries = [&tensor.sensitivity, &tensor.average, &tensor.variation, &tensor.modulation];
        for (quantity, summary) in summaries.into_iter().enumerate() {
            let values: Vec<f64> = all.iter().map(|element| element[quantity]).collect();
            let mean = values.iter().sum::<f64>() / SIZE as f64;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / SIZE as f64;
            let max = values.iter().copied().fold(f64::MIN, f64::max);
            close(summary.mean, mean);
            close(summary.variance, variance);
            close(summary.max, max);
            assert_eq!(summary.zeros, values.iter().filter(|value| **value == 0.0).count() as u64);
            assert_eq!(summary.histogram.iter().sum::<u64>() + summary.zeros, SIZE as u64);
            let binade = |value: f64| (value.log2().floor() + 72.0).clamp(0.0, 95.0) as usize;
            assert!(
                summary.histogram[binade(max)] > 0
                    && summary.histogram[binade(max) + 1..].iter().all(|n| *n == 0)
            );
        }
        let signed: f64 = thetas[3].iter().zip(&gradients[3]).map(|(theta, gradient)| theta * gradient).sum();
        close(tensor.signed_sum, signed);
        assert_eq!(tensor.samples.len(), 32);
        for sample in &tensor.samples {
            let expected = all[sample.index];
            for (found, expected) in [sample.sensitivity, sample.average, sample.variation, sample.modulation]
                .into_iter()
                .zip(expected)
            {
                assert!((found - expected).abs() <= 1e-9 * expected.abs() + 1e-15, "{sample:?} {expected}");
            }
        }
        assert_eq!(
            report.tensors[1].samples.iter().map(|sample| sample.index).collect::<Vec<_>>(),
            [0, 1, 2]
        );
    }
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found:e}, expected {expected:e}");
}

#[test]
fn reports_do_not_depend_on_threads() {
    let pool = sagetrain_optim::Pool::new(3).unwrap();
    let adam = json!({ "lr": 1e-3, "sage": {}, "observe": { "every": 1 } });
    let (mut one, mut three) = (bench(adam.clone()), bench(adam));
    for step in 0..3 {
        one.try_step(&gradients(step), StepInputs::default(), &Serial).unwrap();
        three.try_step(&gradients(step), StepInputs::default(), &pool).unwrap();
        assert!(one.optimizer.sensitivity() == three.optimizer.sensitivity());
    }
}

#[test]
fn only_what_keeps_an_average_is_reported() {
    let scoped = json!({ "lr": 1, "sage": { "scope": { "include": ["b"] } }, "observe": { "every": 1 } });
    let mut scoped = bench(scoped);
    scoped.step(&gradients(0));
    let names = |bench: &Bench<f64>| {
        bench
            .optimizer
            .sensitivity()
            .unwrap()
            .tensors
            .iter()
            .map(|tensor| tensor.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&scoped), ["b"]);
    let none: OptimizerSpec =
        spec("adam", &json!({ "lr": 1, "sage": { "modulation": "none" }, "observe": { "every": 1 } }));
    let mut none = Bench::plain(&none, &[("w", numbers(1, 5))]);
    none.step(&[numbers(2, 5)]);
    assert_eq!(names(&none), ["w"]);
    let json = serde_json::to_value(none.optimizer.sensitivity().unwrap()).unwrap();
    assert!(json["tensors"][0]["signedSum"].is_f64() && json["tensors"][0]["modulation"]["mean"].is_f64());
}
