//! Against torch 2.13 itself: `golden/torch_optimizers.py`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{Float, OptimizerSpec};
use serde_json::{Value, json};
use support::{Bench, floats, golden, rows, spec};

/// torch's words for options, in ours; `modulation: none` must be the base optimizer itself.
fn torch_spec(case: &Value, sage: bool) -> OptimizerSpec {
    let mut options = case["options"].clone();
    if let Some(decay) = options.as_object_mut().unwrap().remove("weight_decay") {
        options["weightDecay"] = decay;
    }
    if sage {
        options["sage"] = json!({ "modulation": "none" });
    }
    spec(case["optimizer"].as_str().unwrap(), &options)
}

fn bits<F: Float>(values: &[F]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

/// For SGD without the sign of zero: its first buffer is g in torch and 0 + g here, which makes 0 of −0.
fn comparable(values: &[f64], case: &Value) -> Vec<u64> {
    let unsigned = |bits: u64| if bits << 1 == 0 { 0 } else { bits };
    bits(values)
        .into_iter()
        .map(|bits| if case["optimizer"] == "sgd" { unsigned(bits) } else { bits })
        .collect()
}

#[test]
fn float64_has_the_bits_of_the_unfused_implementation() {
    for case in golden("torch_optimizers")["trajectories"].as_array().unwrap() {
        for sage in [false, true] {
            let mut bench = Bench::<f64>::plain(&torch_spec(case, sage), &[("w", floats(&case["initial"]))]);
            let steps = rows::<f64>(&case["gradients"]).into_iter().zip(rows::<f64>(&case["expected"]));
            for (step, (gradient, expected)) in steps.enumerate() {
                bench.step(&[gradient]);
                let (found, expected) = (comparable(&bench.data[0], case), comparable(&expected, case));
                assert_eq!(found, expected, "{} step {}", case["options"], step + 1);
            }
            for (name, state) in case["state"].as_object().unwrap() {
                let (found, expected) = (bench.state(&format!("w/{name}")), floats::<f64>(state));
                assert_eq!(comparable(&found, case), comparable(&expected, case), "{name}");
            }
            assert_eq!(bench.optimizer.state().len(), case["state"].as_object().unwrap().len());
        }
    }
}

/// Ours after the one step of `case`, from the state given there.
fn one_step<F: Float>(case: &Value) -> Vec<F> {
    let mut bench = Bench::<F>::plain(&torch_spec(case, false), &[("w", floats(&case["initial"]))]);
    let states: [Vec<F>; 2] = [floats(&case["exp_avg"]), floats(&case["exp_avg_sq"])];
    let shape = [states[0].len()];
    let named = [("w/exp_avg", &shape[..], &states[0][..]), ("w/exp_avg_sq", &shape[..], &states[1][..])];
    bench.optimizer.load(&named, case["step"].as_u64().unwrap() - 1).unwrap();
    bench.step(&[floats(&case["gradient"])]);
    bench.data.remove(0)
}

#[test]
fn float64_is_within_1e_14_of_torch_as_it_comes_after_one_step() {
    for case in golden("torch_optimizers")["float64"].as_array().unwrap() {
        let found = one_step::<f64>(case);
        for implementation in ["unfused", "fused"] {
            for (found, expected) in found.iter().zip(floats::<f64>(&case[implementation])) {
                let error = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
                assert!(
                    error <= 1e-14,
                    "{} {}: {found:e}, {implementation} {expected:e}",
                    case["options"],
                    case["step"]
                );
            }
        }
    }
}

/// One float32 element before its step.
struct Element {
    theta: f64,
    gradient: f64,
    first: f64,
    second: f64,
}

/// The equations in float64: θ' − θ, and η(β1|m| + (1−β1)|g|) / ((1−β1^t)(√v̂+ε)), what an error is measured in.
fn oracle(case: &Value, spec: &OptimizerSpec, element: &Element) -> (f64, f64) {
    let (OptimizerSpec::Adam(adam) | OptimizerSpec::AdamW(adam)) = spec else { panic!("{spec:?}") };
    let [beta1, beta2] = adam.betas;
    let t = case["step"].as_f64().unwrap();
    let &Element { theta, gradient: g, first: m, second: v } = element;
    let (decayed, added) = match spec {
        OptimizerSpec::AdamW(_) => (adam.lr * adam.weight_decay * theta, 0.0),
        _ => (0.0, adam.weight_decay * theta),
    };
    let size = g.abs() + added.abs();
    let g = g + added;
    let root = ((beta2 * v + (1.0 - beta2) * g * g) / (1.0 - beta2.powf(t))).sqrt() + adam.eps;
    let per = adam.lr / ((1.0 - beta1.powf(t)) * root);
    (-decayed - per * (beta1 * m + (1.0 - beta1) * g), per * (beta1 * m.abs() + (1.0 - beta1) * size))
}

/// The largest c such that some element is off by more than roundings of θ alone explain plus c·2⁻²⁴·scale.
fn constant(case: &Value, found: &[f32]) -> f64 {
    let column = |key: &str| floats::<f32>(&case[key]).into_iter().map(f64::from).collect::<Vec<f64>>();
    let (theta, gradient) = (column("initial"), column("gradient"));
    let (first, second) = (column("exp_avg"), column("exp_avg_sq"));
    let spec = torch_spec(case, false);
    // θ(1 − ηλ) has two roundings more: of the factor and of the product.
    let roundings =
        if matches!(spec, OptimizerSpec::AdamW(_)) && spec.weight_decay() > 0.0 { 3.0 } else { 1.0 };
    let beyond = |(index, found): (usize, &f32)| {
        let element = Element {
            theta: theta[index],
            gradient: gradient[index],
            first: first[index],
            second: second[index],
        };
        let (change, scale) = oracle(case, &spec, &element);
        let size = f64::from(found.abs()).max(theta[index].abs()) as f32;
        let half_ulp = f64::from(size.next_up() - size) / 2.0;
        let error = (f64::from(*found) - theta[index] - change).abs() - roundings * half_ulp;
        if error > 0.0 { error / (scale * 2f64.powi(-24)) } else { 0.0 }
    };
    found.iter().enumerate().map(beyond).fold(0.0, f64::max)
}

#[test]
fn float32_is_within_the_bound_and_no_worse_than_torch() {
    let worst = |coupled: bool| {
        let (mut ours, mut unfused, mut fused) = (0f64, 0f64, 0f64);
        for case in golden("torch_optimizers")["float32"].as_array().unwrap() {
            let spec = torch_spec(case, false);
            if coupled == (spec.kind() == "adam" && spec.weight_decay() > 0.0) {
                ours = ours.max(constant(case, &one_step::<f32>(case)));
                unfused = unfused.max(constant(case, &floats(&case["unfused"])));
                fused = fused.max(constant(case, &floats(&case["fused"])));
            }
        }
        eprintln!("coupled {coupled}: ours {ours:.2}, torch unfused {unfused:.2}, fused {fused:.2}");
        (ours, unfused.max(fused))
    };
    let (ours, torch) = worst(false);
    assert!(ours <= 8.0 && ours <= torch, "ours {ours}, torch {torch}");
    // Where g and λθ cancel, g' and with it √v̂ lose digits in either alike: no bound in |g| holds.
    let (ours, torch) = worst(true);
    assert!(ours <= torch, "coupled decay: ours {ours}, torch {torch}");
}
