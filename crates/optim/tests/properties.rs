//! What must hold of a step of every optimizer that has SAGE, in both forms, with every decay, in float32 and float64.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/family.rs"]
mod family;
mod support;

use family::{ALL, ELEMENTS, Which, bits, cast, made, seen, state_bits};
use sagetrain_optim::{Float, Optimizer, OptimizerOptions, Owned, ParameterInfo, Serial, StepInputs};
use serde_json::{Value, json};
use support::{Bench, numbers, options, spec};

/// Step 1 of Adam(W) and of the paper's Adamax moves nothing whose I is far above ε, but by a decay that is not modulated; what is out
/// of scope takes the base optimizer's own step.
fn null_step<F: Float>(which: Which) {
    let (kind, form, decay) = which;
    let scope = json!({ "form": form, "beta0": 0.75, "scope": { "include": ["in"] } });
    let (lr, weight_decay) = (1e-2, 0.1);
    let start: Vec<F> = cast(&[0.5, -0.25, 1.0, 0.0]);
    let gradient: Vec<F> = cast(&[0.5, 1.0, -2.0, 0.5]);
    let both = [("in", start.clone()), ("out", start.clone())];
    let mut bench = Bench::plain(&made(which, 0.75, lr, weight_decay, &[("sage", scope)]), &both);
    bench.step(&[gradient.clone(), gradient.clone()]);
    for (index, theta) in start.iter().enumerate().take(3) {
        let decays = (form, kind) == ("released", "adamw") || decay == Some("decoupled");
        let expected = theta.to_f64() * if decays { 1.0 - lr * weight_decay } else { 1.0 };
        let off = (bench.data[0][index].to_f64() - expected).abs();
        let allowed = 1e-10 + 2.0 * F::UNIT_ROUNDOFF;
        assert!(off <= allowed, "{which:?} {}: element {index} off by {off:e}", F::DTYPE);
        assert_ne!(bench.data[1][index], *theta, "{which:?}: what is out of scope moves");
    }
    match form {
        "paper" => assert_ne!(bench.data[0][3], F::ZERO, "{which:?}: what is exactly 0 moves"),
        _ => assert_eq!(bench.data[0][3], F::ZERO, "{which:?}: what is exactly 0 stays"),
    }
    if form == "paper" {
        let mut base = json!({ "lr": lr, "weightDecay": weight_decay });
        base["decay"] = json!(if decay == Some("modulated") { "decoupled" } else { decay.unwrap() });
        let mut base = Bench::plain(&spec(kind, &base), &[("out", start)]);
        base.step(&[gradient]);
        let apart = |(a, b): (&F, &F)| (a.to_f64() - b.to_f64()).abs() / b.to_f64().abs().max(1e-3);
        assert!(
            bench.data[1].iter().zip(&base.data[0]).map(apart).fold(0.0, f64::max) <= 4.0 * F::UNIT_ROUNDOFF,
            "{which:?}"
        );
    }
}

#[test]
fn the_first_step_is_null_but_for_decay_and_what_is_out_of_scope() {
    let corrected = |which: &&Which| which.0 != "sgd" && (which.0, which.1) != ("adamax", "released");
    for which in ALL.iter().filter(corrected) {
        null_step::<f32>(*which);
        null_step::<f64>(*which);
    }
}

/// r = 1 in the paper's form, so it takes the base optimizer's very step; 0 in the released one, for ever.
fn exactly_zero<F: Float>(which: Which) {
    let (kind, form, decay) = which;
    let gradient: Vec<F> = cast(&[0.5, -0.25, 1e-6]);
    let zeros = [("w", vec![F::ZERO; 3])];
    let mut bench = Bench::plain(&made(which, 0.9, 1e-2, 0.1, &[]), &zeros);
    bench.step(std::slice::from_ref(&gradient));
    if form == "paper" {
        assert!(seen(&bench).iter().all(|(i, r)| (*i, *r) == (0.0, 1.0)), "{which:?}");
        let mut base = json!({ "lr": 1e-2, "weightDecay": 0.1, "decay": decay.unwrap() });
        if kind == "sgd" {
            base["momentum"] = json!(0.9);
        }
        let mut base = Bench::plain(&spec(kind, &base), &zeros);
        base.step(&[gradient]);
        assert_eq!(bits(&bench.data[0]), bits(&base.data[0]), "{which:?}");
        assert!(bench.data[0].iter().all(|value| *value != F::ZERO), "{which:?}");
        return;
    }
    for step in 0..5 {
        bench.step(&[numbers(step, 3)]);
        assert!(
            bench.data[0].iter().all(|value| *value == F::ZERO)
                && seen(&bench).iter().all(|(_, r)| *r == 0.0),
            "{which:?}"
        );
    }
}

#[test]
fn a_parameter_that_is_exactly_0_moves_in_the_papers_form_and_never_in_the_released() {
    for which in ALL {
        exactly_zero::<f32>(which);
        exactly_zero::<f64>(which);
    }
}

/// θ and every state, E too, keep their bits, in the first step and later.
fn untouched<F: Float>(which: Which) {
    let made = made(which, 0.75, 1e-2, 0.3, &[]);
    let infos = [ParameterInfo::new("a", [9]), ParameterInfo::new("b", [9])];
    let mut optimizer = Optimizer::<F>::new(&made, &infos, &OptimizerOptions::default(), &Owned).unwrap();
    let (mut a, mut b): (Vec<F>, Vec<F>) = (numbers(1, 9), numbers(2, 9));
    let gradient: Vec<F> = numbers(3, 9);
    let kept = |optimizer: &Optimizer<F>| -> Vec<u64> {
        optimizer
            .state()
            .iter()
            .filter(|(name, ..)| name.starts_with("b/"))
            .flat_map(|(_, _, values)| state_bits(*values))
            .collect()
    };
    for given in [false, true, false, false, true] {
        let before = (bits(&b), kept(&optimizer));
        let second = given.then_some(gradient.as_slice());
        optimizer
            .step(&mut [&mut a, &mut b], &[Some(&gradient), second], StepInputs::default(), &Serial)
            .unwrap();
        assert_eq!((bits(&b), kept(&optimizer)) == before, !given, "{which:?}");
        let reported = optimizer.sensitivity().unwrap().tensors.iter().any(|tensor| tensor.name == "b");
        assert_eq!(reported, given, "{which:?}: nothing is seen of what has no gradient");
    }
    assert_eq!(optimizer.step_count(), 5, "one counter, whoever has a gradient");
}

#[test]
fn a_parameter_without_a_gradient_is_untouched_decay_included() {
    for which in ALL {
        untouched::<f32>(which);
        untouched::<f64>(which);
    }
}

#[test]
fn sage_never_changes_where_decay_enters_by_default() {
    for (kind, default) in
        [("sgd", "coupled"), ("adam", "coupled"), ("adamw", "decoupled"), ("adamax", "coupled")]
    {
        for modulation in ["sage", "product", "inverse", "average", "reciprocal", "variation", "none"] {
            let sage = json!({ "modulation": modulation });
            let run = |decay: Option<&str>| {
                let mut value = json!({ "lr": 1e-3, "weightDecay": 0.3, "sage": sage });
                if let Some(decay) = decay {
                    value["decay"] = json!(decay);
                }
                let made = spec(kind, &value);
                assert_eq!(serde_json::to_value(&made).unwrap()["decay"], json!(decay.unwrap_or(default)));
                let mut bench = Bench::<f64>::plain(&made, &[("w", numbers(1, ELEMENTS))]);
                for step in 2..6 {
                    bench.step(&[numbers(step, ELEMENTS)]);
                }
                bench.bits()
            };
            let other = if default == "coupled" { "decoupled" } else { "coupled" };
            assert_eq!(run(None), run(Some(default)), "{kind} {modulation}");
            assert_ne!(run(None), run(Some(other)), "{kind} {modulation}: the decays must be told apart");
        }
    }
}

/// I is of the loss's gradient alone: with any decay E after a step is that without, while m has λθ in it where decay is coupled.
#[test]
fn sensitivity_is_of_the_loss_alone_whatever_the_decay() {
    for kind in ["sgd", "adam", "adamw", "adamax"] {
        let run = |decay: &str, weight_decay: f64| {
            let mut bench = Bench::<f64>::plain(
                &made((kind, "paper", None), 0.75, 1e-2, weight_decay, &[("decay", json!(decay))]),
                &[("w", numbers(1, ELEMENTS))],
            );
            bench.step(&[numbers(2, ELEMENTS)]);
            let first = if kind == "sgd" { "w/momentum" } else { "w/exp_avg" };
            (bits(&bench.state("w/sensitivity")), bits(&bench.state(first)))
        };
        let plain = run("coupled", 0.0);
        for decay in ["coupled", "decoupled", "modulated"] {
            let decayed = run(decay, 0.3);
            assert_eq!(decayed.0, plain.0, "{kind} {decay}: E");
            assert_eq!(decayed.1 == plain.1, decay != "coupled", "{kind} {decay}: first state");
        }
    }
}

/// Watching a base optimizer or an ablation changes no bit, whichever it is.
fn watching_changes_nothing<F: Float>(kind: &str, decay: &str, sage: &Value) {
    let mut value = json!({ "lr": 1e-3, "weightDecay": 0.1, "decay": decay });
    if !sage.is_null() {
        value["sage"] = sage.clone();
    }
    let mut watched = value.clone();
    watched["observe"] = json!({ "every": 3 });
    let start = [("w", numbers::<F>(1, 1000)), ("b", numbers(2, 3))];
    let extra = options(json!({ "maxGradientNorm": 1.0, "average": { "decay": 0.9 } }));
    let (mut plain, mut watched) =
        (Bench::new(&spec(kind, &value), &extra, &start), Bench::new(&spec(kind, &watched), &extra, &start));
    for step in 0..7 {
        let gradients = [numbers(step + 10, 1000), numbers(step + 60, 3)];
        assert_eq!(plain.step(&gradients), watched.step(&gradients));
        assert_eq!(
            watched.optimizer.sensitivity().map(|report| report.step),
            ((step + 1) % 3 == 0).then_some(step + 1)
        );
    }
    for (a, b) in plain.data.iter().zip(&watched.data) {
        assert_eq!(bits(a), bits(b), "{kind} {decay} {sage}");
    }
    for (name, _, values) in plain.optimizer.state() {
        assert_eq!(state_bits(values), bits(&watched.state(&name)), "{kind} {decay} {sage}: {name}");
    }
}

#[test]
fn observing_changes_no_bit_of_any_optimizer() {
    for kind in ["sgd", "adam", "adamw", "adamax"] {
        for decay in ["coupled", "decoupled", "modulated"] {
            for sage in [
                Value::Null,
                json!({}),
                json!({ "modulation": "product", "scope": { "include": ["b"] } }),
                json!({ "modulation": "none" }),
            ] {
                watching_changes_nothing::<f32>(kind, decay, &sage);
                watching_changes_nothing::<f64>(kind, decay, &sage);
            }
        }
    }
}
