//! The layout of torch.optim's state dicts by itself: names, counts, types, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{
    OptimError, OptimizerOptions, OptimizerSpec, ParameterInfo, StateArray, StateValues, TorchEntry,
    TorchState, Values, bf16, read_torch_state, write_torch_state,
};
use serde_json::json;
use support::{options, spec};

fn two() -> [ParameterInfo; 2] {
    [ParameterInfo::new("a", [2]), ParameterInfo::new("b", [1])]
}

fn array(name: &str, values: &[f32]) -> StateArray {
    StateArray { name: name.into(), shape: vec![values.len()], values: StateValues::Float32(values.to_vec()) }
}

fn entry(step: u64, values: &[f32]) -> TorchEntry {
    TorchEntry { step: Some(step), arrays: vec![array("exp_avg", values), array("exp_avg_sq", values)] }
}

/// torch's Adam over [`two`].
fn adam() -> TorchState {
    let group = json!({
        "lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0, "amsgrad": false, "maximize": false, "foreach": null,
        "capturable": false, "differentiable": false, "fused": null, "decoupled_weight_decay": false, "params": [0, 1],
    });
    let state = [(0, entry(5, &[1.0, 2.0])), (1, entry(5, &[3.0]))].into();
    TorchState { state, param_groups: vec![group], ..TorchState::default() }
}

#[track_caller]
fn refused(torch: &TorchState, code: &str, message: &str) {
    let error = torch.import(&two()).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
    assert_eq!(error.code(), code, "{error}");
}

#[test]
fn a_group_that_sagetrain_has_not_is_refused_by_its_key() {
    for (key, value, message) in [
        (
            "amsgrad",
            json!(true),
            "param_groups[0].amsgrad: is true, which sagetrain has not; train without it",
        ),
        ("maximize", json!(true), "param_groups[0].maximize: is true"),
        ("momentum_decay", json!(0.004), "param_groups[0].momentum_decay: unknown key"),
        ("eps", json!(0), "param_groups[0].eps: is 0, must be a number above 0"),
        ("lr", json!("fast"), "param_groups[0].lr: is 'fast'"),
        ("params", json!([0, -1]), "param_groups[0].params: must be a list of indices"),
        ("param_names", json!(["a"]), "param_groups[0].param_names: has 1 names for 2 params"),
    ] {
        let mut torch = adam();
        torch.param_groups[0][key] = value;
        refused(&torch, "ERR_CONFIG", message);
    }
    let sgd = json!({ "lr": 1, "momentum": 0.9, "dampening": 0.5, "params": [0, 1] });
    let torch = TorchState { param_groups: vec![sgd], ..TorchState::default() };
    refused(&torch, "ERR_CONFIG", "param_groups[0].dampening: is 0.5, and sagetrain's momentum has none");
    refused(
        &TorchState { optimizer: Some("NAdam".into()), ..adam() },
        "ERR_CONFIG",
        "optimizer: is 'NAdam', must be one of",
    );
    let mut old = adam();
    old.param_groups[0].as_object_mut().unwrap().remove("decoupled_weight_decay");
    refused(&old, "ERR_CONFIG", "save `type(optimizer).__name__`");
    assert_eq!(
        TorchState { optimizer: Some("AdamW".into()), ..old }.import(&two()).unwrap().groups[0].spec.kind(),
        "adamw"
    );
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_its_name() {
    let with = |index: usize, entry: TorchEntry| {
        let mut torch = adam();
        torch.state.insert(index, entry);
        torch
    };
    refused(&with(1, entry(7, &[3.0])), "ERR_CHECKPOINT", "'a' has seen 5 steps and 'b' 7");
    refused(&with(2, entry(5, &[3.0])), "ERR_CHECKPOINT", "state.2: no group has a parameter 2");
    refused(&with(1, entry(5, &[3.0, 4.0])), "ERR_SHAPE", "exp_avg of 'b' has 2 elements");
    let mut amsgrad = entry(5, &[3.0]);
    amsgrad.arrays.push(array("max_exp_avg_sq", &[1.0]));
    refused(&with(1, amsgrad), "ERR_CHECKPOINT", "state.1 ('b') has max_exp_avg_sq, which amsgrad keeps");
    let mut other = entry(5, &[3.0]);
    other.arrays.push(array("exp_inf", &[1.0]));
    refused(&with(1, other), "ERR_CHECKPOINT", "has exp_inf, which its optimizer does not keep");
    let mut half = entry(5, &[3.0]);
    half.arrays.pop();
    refused(&with(1, half), "ERR_CHECKPOINT", "state.1 ('b') lacks exp_avg_sq");
    refused(&TorchState::default(), "ERR_CHECKPOINT", "param_groups is empty");
    let mut twice = adam();
    twice.param_groups[0]["params"] = json!([1, 1]);
    refused(&twice, "ERR_CHECKPOINT", "an index is in param_groups twice");
    let mut fewer = adam();
    fewer.param_groups[0]["params"] = json!([0]);
    refused(&fewer, "ERR_CHECKPOINT", "torch has 1 parameters without names and here are 2");
    let mut named = adam();
    named.param_groups[0]["param_names"] = json!(["a", "c"]);
    refused(&named, "ERR_CHECKPOINT", "param_names has 'c', which is no parameter; those are like a, b");
}

#[test]
fn names_beat_the_order_and_what_never_had_a_gradient_begins_at_0() {
    let mut torch = adam();
    torch.param_groups[0]["params"] = json!([1, 0]);
    torch.param_groups[0]["param_names"] = json!(["b", "a"]);
    torch.state.remove(&1);
    let import = torch.import(&two()).unwrap();
    assert_eq!(import.missing, ["b/exp_avg", "b/exp_avg_sq"]);
    assert_eq!(import.states, [array("a/exp_avg", &[1.0, 2.0]), array("a/exp_avg_sq", &[1.0, 2.0])]);
    assert_eq!(import.groups[0].names, ["b", "a"]);
}

#[test]
fn names_that_only_some_groups_have_are_refused() {
    let mut torch = adam();
    let mut other = torch.param_groups[0].clone();
    (torch.param_groups[0]["params"], other["params"]) = (json!([0]), json!([1]));
    torch.param_groups.push(other);
    torch.import(&two()).unwrap();
    torch.param_groups[1]["param_names"] = json!(["b"]);
    refused(&torch, "ERR_CHECKPOINT", "param_groups[0] has no param_names and others have");
}

#[test]
fn states_of_16_bits_are_widened_but_those_kept_so_here() {
    let mut torch = adam();
    let narrow = StateValues::BFloat16(vec![bf16::from_f32(1.5)]);
    let arrays = ["exp_avg", "exp_avg_sq", "compensation"].map(|name| StateArray {
        name: name.into(),
        shape: vec![1],
        values: narrow.clone(),
    });
    torch.state.insert(1, TorchEntry { step: Some(5), arrays: arrays.into() });
    torch.exported = true;
    let import = torch.import(&two()).unwrap();
    let types: Vec<_> = import.states[2..].iter().map(|array| array.values.as_values().dtype()).collect();
    assert_eq!(types, ["float32", "float32", "bfloat16"]);
    torch.exported = false;
    let import = torch.import(&two()).unwrap();
    assert_eq!((import.states.len(), import.stale), (4, vec!["b/compensation".to_owned()]));
}

#[test]
fn what_torch_trained_with_is_reported_and_not_applied() {
    let mut torch = adam();
    torch.param_groups[0]["initial_lr"] = json!(0.2);
    let import = torch.import(&two()).unwrap();
    let other = spec("adamw", &json!({ "lr": 0.2, "betas": [0.9, 0.98], "sage": {} }));
    let groups = options(json!({ "groups": [{ "include": ["b"], "lr": 0.3 }] }));
    let lines: Vec<String> =
        import.changes(&other, &groups, &two()).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "param_groups[0].betas: [0.9,0.999] → [0.9,0.98]",
            "param_groups[0].decay: \"coupled\" → \"decoupled\"",
            "param_groups[0].lr: 0.2 → 0.3",
        ]
    );
    let error = import.changes(&OptimizerSpec::sgd(0.1), &OptimizerOptions::default(), &two()).unwrap_err();
    assert!(matches!(error, OptimError::Checkpoint { .. }), "{error}");
}

#[test]
fn a_decay_that_torch_has_not_is_not_exported() {
    let spec = |decay: f64| spec("sgd", &json!({ "lr": 0.1, "weightDecay": decay, "decay": "decoupled" }));
    let export = |spec| TorchState::export(&spec, &OptimizerOptions::default(), &two(), 1, &[]);
    assert_eq!(export(spec(0.1)).unwrap_err().code(), "ERR_CONFIG");
    assert_eq!(export(spec(0.0)).unwrap().optimizer.as_deref(), Some("SGD"));
    let released = |kind: &str| {
        self::spec(kind, &json!({ "lr": 0.1, "weightDecay": 0.1, "sage": { "form": "released" } }))
    };
    // Its d = m/(u + ε) + λθ has λ beside the step, torch's Adamax in the gradient.
    assert_eq!(export(released("adamax")).unwrap_err().code(), "ERR_CONFIG");
    assert_eq!(export(released("adamw")).unwrap().optimizer.as_deref(), Some("AdamW"));
    let shape = [3];
    let stray = [("c/momentum".to_owned(), &shape[..], Values::Float32(&[0.0; 3]))];
    let error = TorchState::export(&OptimizerSpec::sgd(0.1), &OptimizerOptions::default(), &two(), 1, &stray);
    assert!(error.unwrap_err().to_string().contains("'c/momentum' is the state of no parameter"));
}

#[test]
fn a_count_of_steps_that_float32_cannot_hold_is_float64() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut torch = adam();
    for step in [5, (1 << 24) + 1] {
        torch.state.values_mut().for_each(|entry| entry.step = Some(step));
        write_torch_state(&path, &torch).unwrap();
        assert_eq!(read_torch_state(&path).unwrap(), torch);
    }
}
