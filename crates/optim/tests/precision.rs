//! Parameters of 16 bits against the same steps in float32, taken apart: open, step, close.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_kernels::{Isa, Noise, close_kahan, narrow, narrow_stochastically, open_kahan, widen};
use sagetrain_optim::{
    Executor, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, Pool, Serial, StepInputs,
    Stored, Values, bf16, f16,
};
use serde_json::{Value, json};
use support::{Bench, numbers, options, spec};

/// More than two blocks and a tail that no vector divides.
const LENGTH: usize = 40_003;

fn specs() -> Vec<OptimizerSpec> {
    let sage = json!({ "lr": 0.01, "weightDecay": 0.01, "sage": { "beta0": 0.8 } });
    let released = json!({ "lr": 0.01, "weightDecay": 0.01, "sage": { "form": "released" } });
    vec![
        spec("adam", &json!({ "lr": 0.01 })),
        spec("adamw", &sage),
        spec("adamax", &sage),
        spec("adamw", &released),
        spec("adamax", &released),
        spec("sgd", &json!({ "lr": 0.01, "momentum": 0.9, "nesterov": true, "sage": {} })),
        spec("adam", &json!({ "lr": 0.01, "sage": { "modulation": "inverse" }, "observe": { "every": 2 } })),
    ]
}

fn wide<S: Stored<Compute = f32>>(stored: &[S]) -> Vec<f32> {
    let mut to = vec![0.0; stored.len()];
    widen(Isa::best(), stored, &mut to);
    to
}

fn nearest<S: Stored<Compute = f32>>(values: &[f32]) -> Vec<S> {
    let mut stored = vec![S::default(); values.len()];
    narrow(Isa::best(), values, &mut stored);
    stored
}

/// Small enough that no gradient overflows float16.
fn gradient<S: Stored<Compute = f32>>(step: u64) -> Vec<S> {
    nearest(&numbers::<f32>(100 + step, LENGTH))
}

/// An optimizer on one parameter of 16 bits.
struct Narrow<S: Stored> {
    optimizer: Optimizer<S>,
    data: Vec<S>,
}

impl<S: Stored<Compute = f32>> Narrow<S> {
    fn new(spec: &OptimizerSpec, options: &OptimizerOptions) -> Self {
        let info = [ParameterInfo::new("w", [LENGTH])];
        let optimizer = Optimizer::new(spec, &info, options, &Owned).unwrap();
        Self { optimizer, data: nearest(&numbers::<f32>(1, LENGTH)) }
    }

    fn step_on(&mut self, gradient: &[S], executor: &dyn Executor) -> sagetrain_optim::StepReport {
        let inputs = StepInputs { divisor: 3.0, ..StepInputs::default() };
        self.optimizer.step(&mut [&mut self.data], &[Some(gradient)], inputs, executor).unwrap()
    }

    fn state(&self, name: &str) -> Option<Vec<f64>> {
        let state = self.optimizer.state().into_iter().find(|(key, ..)| key == &format!("w/{name}"));
        state.map(|(.., values)| values.to_f64())
    }
}

/// A float32 optimizer with the states of a narrow one, about to take the same step from `theta`.
fn float32<S: Stored<Compute = f32>>(
    narrow: &Narrow<S>,
    spec: &OptimizerSpec,
    options: &OptimizerOptions,
    theta: Vec<f32>,
) -> Bench<f32> {
    let mut bench = Bench::new(spec, options, &[("w", theta)]);
    let shape = [LENGTH];
    let states = narrow.optimizer.state();
    let given =
        states.iter().filter(|(name, ..)| !name.ends_with("/master") && !name.ends_with("/compensation"));
    let given: Vec<_> = given.map(|(name, _, values)| (name.as_str(), &shape[..], *values)).collect();
    bench.optimizer.load(&given, narrow.optimizer.step_count()).unwrap();
    bench
}

fn step_on(bench: &mut Bench<f32>, gradient: Vec<f32>) {
    bench.try_step(&[gradient], StepInputs { divisor: 3.0, ..StepInputs::default() }, &Serial).unwrap();
}

/// Every state of the float32 one is that of the narrow one.
fn same_states<S: Stored<Compute = f32>>(narrow: &Narrow<S>, bench: &Bench<f32>, what: &str) {
    for (name, _, values) in bench.optimizer.state() {
        let name = name.trim_start_matches("w/");
        assert!(narrow.state(name).unwrap() == values.to_f64(), "{what}: {name}");
    }
    assert_eq!(narrow.optimizer.sensitivity(), bench.optimizer.sensitivity(), "{what}");
}

fn master_is_the_float32_optimizer<S: Stored<Compute = f32>>() {
    for spec in specs() {
        let options = options(json!({ "maxGradientNorm": 30.0, "average": { "decay": 0.9 } }));
        let mut narrow = Narrow::<S>::new(&spec, &options);
        let mut bench = Bench::<f32>::new(&spec, &options, &[("w", wide(&narrow.data))]);
        for step in 0..4 {
            let gradient = gradient::<S>(step);
            narrow.step_on(&gradient, &Serial);
            step_on(&mut bench, wide(&gradient));
            same_states(&narrow, &bench, &format!("{} {spec:?}", S::DTYPE));
            assert!(
                narrow.state("master").unwrap()
                    == bench.data[0].iter().map(|v| f64::from(*v)).collect::<Vec<_>>()
            );
            let rounded: Vec<S> = nearest(&bench.data[0]);
            assert!(narrow.data.iter().zip(&rounded).all(|(a, b)| a.same(*b)), "{spec:?}");
        }
    }
}

#[test]
fn with_a_master_weight_it_is_the_float32_optimizer_rounded() {
    master_is_the_float32_optimizer::<bf16>();
    master_is_the_float32_optimizer::<f16>();
}

#[test]
fn stochastic_rounding_is_a_float32_step_and_the_noise_of_its_place() {
    for spec in specs() {
        let base = options(json!({ "average": { "decay": 0.9 } }));
        let stochastic =
            options(json!({ "average": { "decay": 0.9 }, "rounding": "stochastic", "seed": 11 }));
        let mut narrow = Narrow::<bf16>::new(&spec, &stochastic);
        for step in 1..=3 {
            let mut bench = float32(&narrow, &spec, &base, wide(&narrow.data));
            let gradient = gradient::<bf16>(step);
            narrow.step_on(&gradient, &Serial);
            step_on(&mut bench, wide(&gradient));
            same_states(&narrow, &bench, &format!("{spec:?}"));
            // FNV-1a of the name.
            let parameter = (0x811c_9dc5u32 ^ u32::from(b'w')).wrapping_mul(0x0100_0193);
            let mut rounded = vec![bf16::default(); LENGTH];
            let noise = Noise { seed: 11, step, parameter };
            narrow_stochastically(Isa::best(), &bench.data[0], noise, 0, &mut rounded);
            assert!(narrow.data == rounded, "{spec:?}");
        }
        assert!(narrow.state("master").is_none() && narrow.state("compensation").is_none());
    }
}

#[test]
fn kahan_is_a_float32_step_from_parameter_and_compensation() {
    for spec in specs() {
        let base = OptimizerOptions::default();
        let mut narrow = Narrow::<bf16>::new(&spec, &options(json!({ "rounding": "kahan" })));
        let mut compensation = vec![bf16::default(); LENGTH];
        for step in 1..=3 {
            let mut theta = vec![0.0; LENGTH];
            open_kahan(Isa::best(), &narrow.data, &compensation, &mut theta);
            let mut bench = float32(&narrow, &spec, &base, theta);
            let gradient = gradient::<bf16>(step);
            narrow.step_on(&gradient, &Serial);
            step_on(&mut bench, wide(&gradient));
            same_states(&narrow, &bench, &format!("{spec:?}"));
            let mut rounded = vec![bf16::default(); LENGTH];
            close_kahan(Isa::best(), &bench.data[0], &mut rounded, &mut compensation);
            assert!(narrow.data == rounded, "{spec:?}");
            let kept: Vec<f64> = compensation.iter().map(|value| value.to_f64()).collect();
            assert!(narrow.state("compensation").unwrap() == kept, "{spec:?}");
        }
    }
}

/// E in bfloat16: the step of the other optimizer with its E rounded before each step.
#[test]
fn a_brief_sensitivity_is_rounded_after_the_step_that_used_it() {
    for spec in specs().into_iter().filter(|spec| spec.sage().is_some()) {
        for rounding in ["nearest", "kahan"] {
            let (base, brief) = (
                json!({ "rounding": rounding }),
                json!({ "rounding": rounding, "sensitivityDtype": "bfloat16" }),
            );
            let mut narrow = Narrow::<bf16>::new(&spec, &options(brief));
            for step in 1..=3 {
                let mut full = Narrow::<bf16>::new(&spec, &options(base.clone()));
                full.data.clone_from(&narrow.data);
                let states = narrow.optimizer.state();
                let given: Vec<_> =
                    states.iter().map(|(name, shape, values)| (name.as_str(), *shape, *values)).collect();
                let report = full.optimizer.load(&given, step - 1).unwrap();
                assert!(report.missing.is_empty() && report.unused.is_empty());
                drop(states);
                narrow.step_on(&gradient(step), &Serial);
                full.step_on(&gradient(step), &Serial);
                assert!(narrow.data == full.data);
                let rounded =
                    full.state("sensitivity").unwrap().into_iter().map(|e| bf16::from_f32(e as f32).to_f64());
                assert!(narrow.state("sensitivity").unwrap() == rounded.collect::<Vec<_>>(), "{spec:?}");
                assert_eq!(narrow.state("exp_avg"), full.state("exp_avg"));
                assert_eq!(narrow.optimizer.sensitivity(), full.optimizer.sensitivity());
            }
        }
    }
}

#[test]
fn float32_parameters_may_have_a_brief_sensitivity_too() {
    let spec = spec("adam", &json!({ "lr": 0.01, "sage": {} }));
    let mut brief = Bench::<f32>::new(
        &spec,
        &options(json!({ "sensitivityDtype": "bfloat16" })),
        &[("w", numbers(1, LENGTH))],
    );
    let mut full = Bench::<f32>::plain(&spec, &[("w", numbers(1, LENGTH))]);
    brief.step(&[numbers(2, LENGTH)]);
    full.step(&[numbers(2, LENGTH)]);
    assert!(brief.data == full.data, "the first step has nothing rounded in it");
    let state = brief.optimizer.state();
    let (_, _, values) = state.iter().find(|(name, ..)| name == "w/sensitivity").unwrap();
    assert_eq!(values.dtype(), "bfloat16");
    let rounded: Vec<bf16> = nearest(&full.state("w/sensitivity"));
    assert!(values.as_slice::<bf16>().unwrap() == rounded);
    drop(state);
    brief.step(&[numbers(3, LENGTH)]);
    full.step(&[numbers(3, LENGTH)]);
    assert!(brief.data != full.data);
}

#[test]
fn threads_change_no_bit() {
    for value in [
        json!({}),
        json!({ "rounding": "stochastic" }),
        json!({ "rounding": "kahan", "sensitivityDtype": "bfloat16" }),
    ] {
        let run = |threads| {
            let mut narrow = Narrow::<bf16>::new(&specs()[1], &options(value.clone()));
            for step in 0..3 {
                narrow.step_on(&gradient(step), &Pool::new(threads).unwrap());
            }
            (
                narrow.data.clone(),
                narrow.state("exp_avg"),
                narrow.state("sensitivity"),
                narrow.state("compensation"),
            )
        };
        assert!(run(1) == run(2) && run(1) == run(5), "{value}");
    }
}

#[test]
fn small_steps_add_up() {
    // Each step is a hundredth of a unit in the last place of 1: to nearest without a master nothing would ever move.
    let spec = spec("sgd", &json!({ "lr": 1.0 }));
    const FEW: usize = 4_003;
    let info = [ParameterInfo::new("w", [FEW])];
    let gradient = [bf16::from_f32(-7.8e-5); FEW];
    let expected = 1.0 - 1000.0 * gradient[0].to_f64();
    for value in [json!({}), json!({ "rounding": "kahan" }), json!({ "rounding": "stochastic" })] {
        let mut optimizer = Optimizer::new(&spec, &info, &options(value.clone()), &Owned).unwrap();
        let mut data = [bf16::ONE; FEW];
        for _ in 0..1000 {
            optimizer.step(&mut [&mut data], &[Some(&gradient)], StepInputs::default(), &Serial).unwrap();
        }
        let mean = data.iter().map(|v| v.to_f64()).sum::<f64>() / FEW as f64;
        // Half a unit where all elements are alike; where they are not, four standard errors: a step goes up a unit with odds of 0.01.
        let tolerance = match value["rounding"] == "stochastic" {
            true => 4.0 * (1000.0 * 0.01 / FEW as f64).sqrt() / 128.0,
            false => 1.0 / 256.0 + 1e-4,
        };
        assert!((mean - expected).abs() < tolerance, "{value}: {mean}, expected {expected}");
    }
}

#[test]
fn a_master_weight_that_was_not_saved_begins_at_the_parameter() {
    let spec = specs().remove(1);
    let mut whole = Narrow::<bf16>::new(&spec, &OptimizerOptions::default());
    whole.step_on(&gradient(0), &Serial);
    let mut resumed = Narrow::<bf16>::new(&spec, &OptimizerOptions::default());
    resumed.data.clone_from(&whole.data);
    let state = whole.optimizer.state();
    let given = state.iter().filter(|(name, ..)| !name.ends_with("master"));
    let given: Vec<_> = given.map(|(name, shape, values)| (name.as_str(), *shape, *values)).collect();
    let report = resumed.optimizer.load(&given, 1).unwrap();
    assert_eq!(report.missing, ["w/master"]);
    let mut bench = float32(&resumed, &spec, &OptimizerOptions::default(), wide(&resumed.data));
    resumed.step_on(&gradient(1), &Serial);
    step_on(&mut bench, wide(&gradient::<bf16>(1)));
    assert!(resumed.data == nearest::<bf16>(&bench.data[0]));
}

#[test]
fn a_gradient_that_is_not_finite_changes_no_byte() {
    for value in [json!({}), json!({ "rounding": "stochastic" }), json!({ "rounding": "kahan" })] {
        let mut narrow = Narrow::<bf16>::new(&specs()[1], &options(value));
        narrow.step_on(&gradient(0), &Serial);
        let before = (
            narrow.data.clone(),
            narrow.state("exp_avg"),
            narrow.state("sensitivity"),
            narrow.state("master"),
        );
        let mut bad = gradient::<bf16>(1);
        bad[LENGTH - 1] = bf16::INFINITY;
        let result =
            narrow.optimizer.step(&mut [&mut narrow.data], &[Some(&bad)], StepInputs::default(), &Serial);
        let error = result.unwrap_err();
        assert!(error.to_string().contains("is inf at element 40002"), "{error}");
        let after = (
            narrow.data.clone(),
            narrow.state("exp_avg"),
            narrow.state("sensitivity"),
            narrow.state("master"),
        );
        assert!(before == after && narrow.optimizer.step_count() == 1);
    }
}

fn refused<S: Stored>(spec: &OptimizerSpec, value: &Value) -> String {
    let info = [ParameterInfo::new("w", [2])];
    let made = Optimizer::<S>::new(spec, &info, &options(value.clone()), &Owned);
    let error = made.err().unwrap_or_else(|| panic!("{value} was taken"));
    assert_eq!(error.code(), "ERR_CONFIG");
    error.to_string()
}

#[test]
fn options_that_do_not_fit_the_type_are_refused() {
    let sage = specs().remove(1);
    let plain = specs().remove(0);
    for rounding in ["stochastic", "kahan"] {
        let value = json!({ "rounding": rounding });
        let of = |dtype| format!("rounding: '{rounding}' is of bfloat16 parameters alone, these are {dtype}");
        assert_eq!(refused::<f32>(&sage, &value), of("float32"));
        assert_eq!(refused::<f64>(&sage, &value), of("float64"));
        assert_eq!(refused::<f16>(&sage, &value), of("float16"));
    }
    let brief = json!({ "sensitivityDtype": "bfloat16" });
    assert_eq!(refused::<f32>(&plain, &brief), "sensitivityDtype: has no effect without sage or observe");
    assert_eq!(refused::<f64>(&sage, &brief), "sensitivityDtype: 'bfloat16' is not of float64 parameters");
    let seed = OptimizerOptions::from_json(&json!({ "seed": 3 }), "options").unwrap_err();
    assert_eq!(seed.to_string(), "options.seed: has no effect without rounding 'stochastic'");
}

#[test]
fn a_state_of_another_type_is_refused_with_the_one_it_is_kept_in() {
    let mut narrow = Narrow::<bf16>::new(&specs()[1], &options(json!({ "rounding": "kahan" })));
    let (zeros, halves, shape) = (vec![0f32; LENGTH], vec![bf16::ZERO; LENGTH], [LENGTH]);
    for (name, values, message) in [
        ("w/compensation", Values::of(&zeros), "is float32, of bfloat16 parameters it is kept in bfloat16"),
        ("w/exp_avg", Values::of(&halves), "is bfloat16, of bfloat16 parameters it is kept in float32"),
    ] {
        let error = narrow.optimizer.load(&[(name, &shape[..], values)], 1).unwrap_err();
        assert_eq!(error.to_string(), format!("optimizer state: '{name}' {message}"));
    }
}
