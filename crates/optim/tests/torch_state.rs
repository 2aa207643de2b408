//! State dicts of torch.optim: from torch 2.13 (`golden/torch_state.py`), back to it, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{
    Float, NamedState, OptimError, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, Serial,
    StateArray, StateValues, StepInputs, TorchEntry, TorchImport, TorchState, Values, bf16, read_torch_state,
    write_torch_state,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use support::{floats, golden, numbers, options, spec};

/// A parameter's name, shape and numbers, as the golden programs draw them.
fn parameters(golden: &Value) -> Vec<ParameterInfo> {
    let shape = |shape: &Value| -> Vec<usize> {
        shape.as_array().unwrap().iter().map(|extent| extent.as_u64().unwrap() as usize).collect()
    };
    let shapes = golden["shapes"].as_object().unwrap();
    shapes.iter().map(|(name, value)| ParameterInfo::new(name.as_str(), shape(value))).collect()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torch_state").join(name)
}

/// torch's words for options, in ours; `observe` keeps a sensitivity that changes nothing.
fn ours(case: &Value, observe: bool) -> OptimizerSpec {
    let mut options = case["options"].clone();
    if let Some(decay) = options.as_object_mut().unwrap().remove("weight_decay") {
        options["weightDecay"] = decay;
    }
    if observe {
        options["observe"] = json!({ "every": 1 });
    }
    spec(&case["optimizer"].as_str().unwrap().to_lowercase(), &options)
}

/// The groups of the golden program: what has one dimension or none apart.
fn group_options(case: &Value) -> OptimizerOptions {
    if case["groups"] != true {
        return OptimizerOptions::default();
    }
    let lr = case["options"]["lr"].as_f64().unwrap() / 2.0;
    options(json!({ "groups": [{ "include": ["*.bias", "scale"], "weightDecay": 0, "lr": lr }] }))
}

/// An optimizer, and the parameters it updates.
struct Run<F: Float> {
    optimizer: Optimizer<F>,
    data: Vec<Vec<F>>,
}

impl<F: Float> Run<F> {
    fn new(
        spec: &OptimizerSpec,
        options: &OptimizerOptions,
        infos: &[ParameterInfo],
        data: Vec<Vec<F>>,
    ) -> Self {
        Self { optimizer: Optimizer::new(spec, infos, options, &Owned).unwrap(), data }
    }

    fn step(&mut self, gradients: &[Vec<F>]) {
        let gradients: Vec<Option<&[F]>> = gradients.iter().map(|gradient| Some(&gradient[..])).collect();
        let mut data: Vec<&mut [F]> = self.data.iter_mut().map(Vec::as_mut_slice).collect();
        self.optimizer.step(&mut data, &gradients, StepInputs::default(), &Serial).unwrap();
    }

    fn load(&mut self, import: &TorchImport, step: u64) -> sagetrain_optim::LoadReport {
        let owned: Vec<(&StateArray, Vec<F>)> =
            import.states.iter().map(|array| (array, cast(array))).collect();
        let named: Vec<(&str, &[usize], &[F])> =
            owned.iter().map(|(array, values)| (&array.name[..], &array.shape[..], &values[..])).collect();
        self.optimizer.load(&named, step).unwrap()
    }

    fn states(&self) -> Vec<NamedState<'_>> {
        self.optimizer.state()
    }
}

fn cast<F: Float>(array: &StateArray) -> Vec<F> {
    match (&array.values, F::DTYPE) {
        (StateValues::Float32(values), "float32") => {
            values.iter().map(|x| F::from_f64((*x).into())).collect()
        }
        (StateValues::Float64(values), "float64") => values.iter().map(|x| F::from_f64(*x)).collect(),
        (values, wanted) => {
            panic!("{} is {}, the optimizer is of {wanted}", array.name, values.as_values().dtype())
        }
    }
}

/// The arrays of a golden row in the parameters' order.
fn row<F: Float>(infos: &[ParameterInfo], row: &Value) -> Vec<Vec<F>> {
    infos.iter().map(|info| floats(&row[&info.name])).collect()
}

/// How far from torch after loading its file and going on; 0 for equal bits but for the sign of zero.
fn continued<F: Float>(case: &Value, infos: &[ParameterInfo]) -> f64 {
    let import = read_torch_state(&file(case["file"].as_str().unwrap())).unwrap().import(infos).unwrap();
    let (spec, options) = (ours(case, false), group_options(case));
    assert_eq!(import.changes(&spec, &options, infos).unwrap(), [], "{}", case["file"]);
    let step = case["step"].as_u64().unwrap();
    assert_eq!(import.step, (spec.kind() != "sgd").then_some(step));
    let mut run = Run::<F>::new(&spec, &options, infos, row(infos, &case["parameters"]));
    let report = run.load(&import, step);
    assert_eq!((report.missing, report.unused, &import.missing), (vec![], vec![], &vec![]));
    let mut worst = 0f64;
    for (gradients, expected) in
        case["gradients"].as_array().unwrap().iter().zip(case["expected"].as_array().unwrap())
    {
        run.step(&row(infos, gradients));
        for (found, expected) in run.data.iter().flatten().zip(row::<F>(infos, expected).iter().flatten()) {
            let (found, expected) = (found.to_f64(), expected.to_f64());
            worst = worst.max((found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE));
        }
    }
    worst
}

#[test]
fn what_torch_saved_goes_on_with_the_bits_of_torch() {
    let golden = golden("torch_state");
    let infos = parameters(&golden);
    for case in golden["cases"].as_array().unwrap() {
        if case["dtype"] == "float64" {
            assert_eq!(continued::<f64>(case, &infos), 0.0, "{}", case["file"]);
        } else {
            let error = continued::<f32>(case, &infos);
            assert!(error < 2e-6, "{}: {error:e}", case["file"]);
        }
    }
}

#[test]
fn a_file_of_torch_written_again_says_the_same() {
    let golden = golden("torch_state");
    let folder = tempfile::tempdir().unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let torch = read_torch_state(&file(case["file"].as_str().unwrap())).unwrap();
        let path = folder.path().join("again.safetensors");
        write_torch_state(&path, &torch).unwrap();
        assert_eq!(sorted(read_torch_state(&path).unwrap()), sorted(torch));
    }
}

fn sorted(mut torch: TorchState) -> TorchState {
    torch.state.values_mut().for_each(|entry| entry.arrays.sort_by(|a, b| a.name.cmp(&b.name)));
    torch
}

/// A run with every state there is, some steps in.
fn trained<F: Float>(case: &Value, infos: &[ParameterInfo], average: bool) -> Run<F> {
    let mut all = serde_json::to_value(group_options(case)).unwrap();
    if average {
        all["average"] = json!({ "decay": 0.9 });
    }
    let draw = |seed: u64| -> Vec<Vec<F>> {
        infos.iter().zip(seed..).map(|(info, seed)| numbers(seed, info.elements())).collect()
    };
    let mut run = Run::new(&ours(case, true), &options(all), infos, draw(1));
    (1..4).for_each(|step| run.step(&draw(step * 10)));
    run
}

fn export<F: Float>(run: &Run<F>, case: &Value, infos: &[ParameterInfo]) -> TorchState {
    let step = run.optimizer.step_count();
    TorchState::export(&ours(case, true), &group_options(case), infos, step, &run.states()).unwrap()
}

#[test]
fn import_of_an_export_is_what_was_exported() {
    let golden = golden("torch_state");
    let infos = parameters(&golden);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    for case in golden["cases"].as_array().unwrap() {
        let run = trained::<f32>(case, &infos, true);
        write_torch_state(&path, &export(&run, case, &infos)).unwrap();
        let import = read_torch_state(&path).unwrap().import(&infos).unwrap();
        let mut found: Vec<NamedState<'_>> = import.states.iter().map(StateArray::named).collect();
        let mut expected = run.states();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected);
        assert!(found.iter().any(|(name, ..)| name == "scale/sensitivity"));
        assert_eq!((import.step, &import.missing), (Some(3), &vec![]));
        let numbers = import.changes(&ours(case, false), &group_options(case), &infos).unwrap();
        assert_eq!(numbers, [], "{}", case["file"]);
    }
}

/// Ours written for `golden/torch_state.py --check`, with what we make of three steps more.
fn case_for_torch<F: Float>(case: &Value, infos: &[ParameterInfo], folder: &Path) -> (Value, Run<F>) {
    let mut run = trained::<F>(case, infos, true);
    write_torch_state(&folder.join(case["file"].as_str().unwrap()), &export(&run, case, infos)).unwrap();
    let by_name = |values: &[Vec<F>]| -> Value {
        let list = |values: &Vec<F>| values.iter().map(|value| json!(value.to_f64())).collect::<Value>();
        Value::Object(
            infos.iter().zip(values).map(|(info, values)| (info.name.clone(), list(values))).collect(),
        )
    };
    let mut handed = case.clone();
    handed["parameters"] = by_name(&run.data);
    handed["extra"] = json!(["sensitivity", "average"]);
    (handed["gradients"], handed["expected"]) = (json!([]), json!([]));
    for step in 0..3 {
        let gradients: Vec<Vec<F>> =
            infos.iter().zip(step * 7 + 500..).map(|(info, seed)| numbers(seed, info.elements())).collect();
        run.step(&gradients);
        handed["gradients"].as_array_mut().unwrap().push(by_name(&gradients));
        handed["expected"].as_array_mut().unwrap().push(by_name(&run.data));
    }
    (handed, run)
}

#[test]
fn torch_goes_on_with_what_was_exported() {
    let Ok(python) = std::env::var("SAGETRAIN_PYTHON") else {
        eprintln!("skipped: SAGETRAIN_PYTHON names no Python with torch 2.13");
        return;
    };
    let golden = golden("torch_state");
    let infos = parameters(&golden);
    let folder = tempfile::tempdir().unwrap();
    let (mut handed, mut runs) = (golden.clone(), Vec::new());
    for case in handed["cases"].as_array_mut().unwrap() {
        if case["dtype"] == "float64" {
            let (new, run) = case_for_torch::<f64>(case, &infos, folder.path());
            *case = new;
            runs.push((case["file"].as_str().unwrap().to_owned(), run));
        } else {
            (*case, _) = case_for_torch::<f32>(case, &infos, folder.path());
        }
    }
    std::fs::write(folder.path().join("torch_state.json"), handed.to_string()).unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torch_state.py");
    let output =
        std::process::Command::new(python).arg(program).arg("--check").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).matches("equal").count(),
        golden["cases"].as_array().unwrap().len()
    );
    for (file, run) in runs {
        let again =
            read_torch_state(&folder.path().join(format!("again_{file}"))).unwrap().import(&infos).unwrap();
        assert_eq!(again.step, (!file.starts_with("sgd")).then_some(6), "{file}");
        for (name, _, values) in run.states() {
            let found = again.states.iter().find(|array| array.name == name);
            match name.ends_with("/sensitivity") || name.ends_with("/average") {
                true => assert!(found.is_none() && again.stale.contains(&name), "{file} {name}"),
                false => {
                    assert_eq!(found.map(|array| array.values.as_values()), Some(values), "{file} {name}")
                }
            }
        }
    }
}

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

#[test]
fn the_python_of_the_docs_is_what_the_golden_program_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(root.join("../../docs/optimizer-state.md")).unwrap();
    let program = std::fs::read_to_string(root.join("tests/golden/torch_state.py")).unwrap();
    let functions: Vec<&str> = docs.split("```").nth(1).unwrap().split("\n\n\n").skip(1).collect();
    assert_eq!(functions.len(), 2);
    assert!(functions.iter().all(|function| program.contains(function.trim_end())));
}
