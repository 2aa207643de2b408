//! Float64 trajectories against an implementation that shares nothing with this one: `golden/trajectories.py`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::{Bench, floats, golden, rows, spec};

/// Legal reorderings of the arithmetic differ by up to 7e-13.
const RELATIVE: f64 = 1e-11;

#[test]
fn every_case_follows_the_equations() {
    let cases = golden("trajectories");
    let mut checked = 0;
    for case in cases.as_array().unwrap() {
        let kind = case["optimizer"].as_str().unwrap();
        let spec = spec(kind, &case["options"]);
        let tensors = case["parameters"].as_array().unwrap();
        let parameters: Vec<_> = tensors
            .iter()
            .map(|tensor| (tensor["name"].as_str().unwrap(), floats(&tensor["initial"])))
            .collect();
        let gradients: Vec<Vec<Vec<f64>>> = tensors.iter().map(|tensor| rows(&tensor["gradients"])).collect();
        let mut bench = Bench::plain(&spec, &parameters);
        for step in 0..gradients[0].len() {
            bench.step(&gradients.iter().map(|rows| rows[step].clone()).collect::<Vec<_>>());
            for (tensor, found) in tensors.iter().zip(&bench.data) {
                let expected = &tensor["expected"][(step + 1).to_string()];
                if !expected.is_null() {
                    close(
                        found,
                        &floats(expected),
                        &format!("{} {spec:?} step {}", tensor["name"], step + 1),
                    );
                }
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 32);
}

fn close(found: &[f64], expected: &[f64], what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / expected.abs().max(1e-300);
        assert!(
            found == expected || error <= RELATIVE,
            "{what} element {index}: {found:e}, expected {expected:e}"
        );
    }
}
