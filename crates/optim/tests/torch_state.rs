//! State dicts of torch.optim: from torch 2.13 (`golden/torch_state.py`), back to it, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{
    Float, NamedState, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, Serial, StateArray,
    StateValues, StepInputs, TorchImport, TorchState, read_torch_state, write_torch_state,
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

#[test]
fn the_python_of_the_docs_is_what_the_golden_program_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(root.join("../../docs/optimizer-state.md")).unwrap();
    let program = std::fs::read_to_string(root.join("tests/golden/torch_state.py")).unwrap();
    let functions: Vec<&str> = docs.split("```").nth(1).unwrap().split("\n\n\n").skip(1).collect();
    assert_eq!(functions.len(), 2);
    assert!(functions.iter().all(|function| program.contains(function.trim_end())));
}
