//! What holds of every step: shapes, missing gradients, threads, observation, state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{
    Allocate, Float, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, Pool, ScheduleSpec,
    Serial, StepInputs,
};
use serde_json::json;
use support::{Bench, numbers, options, spec};

fn adam_sage() -> OptimizerSpec {
    spec("adam", &json!({ "lr": 1e-2, "weightDecay": 0.1, "decay": "modulated", "sage": { "beta0": 0.8 } }))
}

#[test]
fn empty_and_scalar_tensors_are_tensors() {
    let infos =
        [ParameterInfo::new("scalar", []), ParameterInfo::new("empty", [3, 0]), ParameterInfo::new("w", [2])];
    let mut optimizer =
        Optimizer::<f32>::new(&adam_sage(), &infos, &OptimizerOptions::default(), &Owned).unwrap();
    let (mut scalar, mut w) = ([1.0f32], [1.0f32, 2.0]);
    for size in [0.5, 1.0, 0.25] {
        let gradients: [Option<&[f32]>; 3] = [Some(&[size]), Some(&[]), Some(&[size, 0.25])];
        optimizer
            .step(&mut [&mut scalar, &mut [], &mut w], &gradients, StepInputs::default(), &Serial)
            .unwrap();
    }
    assert_eq!(scalar[0], w[0]);
    assert!(scalar[0] < 1.0);
    let shapes: Vec<_> = optimizer
        .state()
        .iter()
        .map(|(name, shape, values)| (name.clone(), shape.to_vec(), values.len()))
        .collect();
    assert_eq!(shapes[0], ("scalar/exp_avg".to_owned(), vec![], 1));
    assert_eq!(shapes[4], ("empty/exp_avg_sq".to_owned(), vec![3, 0], 0));
    assert_eq!(shapes[8], ("w/sensitivity".to_owned(), vec![2], 2));

    let mut nothing = Optimizer::<f32>::new(&adam_sage(), &[], &OptimizerOptions::default(), &Owned).unwrap();
    assert_eq!(nothing.step(&mut [], &[], StepInputs::default(), &Serial).unwrap().gradient_norm, Some(0.0));
}

#[test]
fn what_does_not_fit_is_said_and_changes_nothing() {
    let mut bench = Bench::<f32>::plain(&adam_sage(), &[("a", vec![1.0; 3]), ("b", vec![1.0; 2])]);
    let before = bench.bits();
    for (gradients, code, words) in [
        (vec![vec![1.0; 3]], "ERR_ARGUMENT", "gradients: there are 1, the optimizer has 2"),
        (
            vec![vec![1.0; 3], vec![1.0; 3]],
            "ERR_SHAPE",
            "gradient of 'b' has 3 elements, its parameter has 2 (shape [2])",
        ),
    ] {
        let error = bench.try_step(&gradients, StepInputs::default(), &Serial).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(words), "{error}");
    }
    bench.data[0].pop();
    let error = bench.try_step(&[vec![1.0; 3], vec![1.0; 2]], StepInputs::default(), &Serial).unwrap_err();
    assert!(error.to_string().contains("parameter of 'a' has 2 elements"), "{error}");
    bench.data[0].push(1.0);
    assert_eq!((bench.bits(), bench.optimizer.step_count()), (before, 0));
}

#[test]
fn a_parameter_without_a_gradient_is_untouched_and_the_counter_goes_on() {
    let infos = [ParameterInfo::new("a", [2]), ParameterInfo::new("b", [2])];
    let spec = spec("adamw", &json!({ "lr": 0.1, "weightDecay": 0.5, "sage": {} }));
    let mut optimizer = Optimizer::<f64>::new(&spec, &infos, &OptimizerOptions::default(), &Owned).unwrap();
    let (mut a, mut b) = ([1.0f64, 2.0], [1.0f64, 2.0]);
    let gradient: &[f64] = &[0.1, 0.2];
    let mut step = |a: &mut [f64], b: &mut [f64], second| {
        optimizer.step(&mut [a, b], &[Some(gradient), second], StepInputs::default(), &Serial).unwrap();
    };
    step(&mut a, &mut b, None);
    assert_eq!(b, [1.0, 2.0]);
    step(&mut a, &mut b, Some(gradient));
    assert_eq!(optimizer.step_count(), 2);
    assert_ne!(b, [1.0, 2.0]);
}

/// Some steps over tensors of awkward sizes, in `threads` threads.
fn run<F: Float>(spec: &OptimizerSpec, threads: usize) -> (Vec<u64>, Vec<Option<f64>>) {
    let sizes = [100_003, 1, 16_384, 16_385, 65_536, 7, 0, 40_000];
    let names: Vec<String> = (0..sizes.len()).map(|index| format!("t{index}")).collect();
    let start: Vec<(&str, Vec<F>)> = names
        .iter()
        .zip(sizes)
        .enumerate()
        .map(|(seed, (name, size))| (name.as_str(), numbers(seed as u64, size)))
        .collect();
    let mut bench = Bench::new(spec, &options(json!({ "maxGradientNorm": 1.0 })), &start);
    let pool = Pool::new(threads).unwrap();
    let step = |step: u64| {
        let gradients: Vec<Vec<F>> =
            sizes.iter().enumerate().map(|(t, size)| numbers(100 * (step + 1) + t as u64, *size)).collect();
        bench.try_step(&gradients, StepInputs::default(), &pool).unwrap().gradient_norm
    };
    let norms = (0..3).map(step).collect();
    (bench.bits(), norms)
}

#[test]
fn threads_do_not_change_a_bit() {
    for threads in [2, 3, 5] {
        assert!(run::<f32>(&adam_sage(), 1) == run::<f32>(&adam_sage(), threads), "{threads} threads");
    }
    assert!(run::<f64>(&adam_sage(), 1) == run::<f64>(&adam_sage(), 2));
    assert_eq!(Pool::new(0).err().unwrap().code(), "ERR_ARGUMENT");
}

#[test]
fn cutting_tensors_up_does_not_change_a_bit() {
    let (all, cuts) = (numbers::<f32>(3, 50_000), [0, 1, 17, 20_000, 20_001, 50_000]);
    let mut whole = Bench::plain(&adam_sage(), &[("w", all.clone())]);
    let parts: Vec<_> = ["a", "b", "c", "d", "e"]
        .into_iter()
        .zip(cuts.windows(2).map(|w| all[w[0]..w[1]].to_vec()))
        .collect();
    let mut cut = Bench::plain(&adam_sage(), &parts);
    for step in 0..3 {
        let gradient = numbers::<f32>(step + 40, 50_000);
        cut.step(&cuts.windows(2).map(|w| gradient[w[0]..w[1]].to_vec()).collect::<Vec<_>>());
        whole.step(&[gradient]);
    }
    assert!(cut.data.concat() == whole.data[0]);
}

#[test]
fn the_schedule_multiplies_unless_the_caller_does() {
    let plain = spec("adam", &json!({ "lr": 0.5 }));
    let scheduled = OptimizerOptions {
        schedule: ScheduleSpec::InverseSqrt { warmup_steps: 4 },
        ..OptimizerOptions::default()
    };
    let start = [("w", numbers::<f64>(1, 9))];
    let (mut own, mut given) = (Bench::new(&plain, &scheduled, &start), Bench::plain(&plain, &start));
    let mut both = Bench::new(&plain, &scheduled, &start);
    for (step, multiplier) in [0.25, 0.5, 0.75, 1.0, (4.0f64 / 5.0).sqrt()].into_iter().enumerate() {
        let gradient = [numbers(step as u64 + 5, 9)];
        let inputs = StepInputs { multiplier: Some(multiplier), ..StepInputs::default() };
        assert_eq!(own.step(&gradient).lr, 0.5 * multiplier);
        given.try_step(&gradient, inputs, &Serial).unwrap();
        both.try_step(&gradient, inputs, &Serial).unwrap();
    }
    assert_eq!(own.bits(), given.bits());
    assert_eq!(both.bits(), given.bits());
}

#[test]
fn modulation_none_is_the_base_optimizer_and_keeps_no_average() {
    let start = [("w", numbers::<f32>(1, 33))];
    let mut base = Bench::plain(&spec("adamw", &json!({ "lr": 0.1, "weightDecay": 0.1 })), &start);
    let none = json!({ "lr": 0.1, "weightDecay": 0.1, "sage": { "modulation": "none" } });
    let mut none = Bench::plain(&spec("adamw", &none), &start);
    for step in 0..4 {
        base.step(&[numbers(step + 9, 33)]);
        none.step(&[numbers(step + 9, 33)]);
    }
    assert_eq!(base.bits(), none.bits());
    assert_eq!(none.optimizer.state().len(), 2);
}

#[test]
fn saved_and_loaded_it_goes_on_to_the_same_bits() {
    let start = [("a", numbers::<f32>(1, 33)), ("b", numbers(2, 5))];
    let gradients = |step: u64| [numbers(step + 9, 33), numbers(step + 50, 5)];
    let mut whole = Bench::plain(&adam_sage(), &start);
    for step in 0..3 {
        whole.step(&gradients(step));
    }
    let saved: Vec<(String, Vec<usize>, Vec<f32>)> = whole
        .optimizer
        .state()
        .into_iter()
        .map(|(name, shape, values)| (name, shape.to_vec(), values.as_slice().unwrap().to_vec()))
        .collect();
    let mut resumed = Bench::plain(&adam_sage(), &start);
    resumed.data = whole.data.clone();
    resumed.step(&gradients(77));
    resumed.data = whole.data.clone();
    let mut borrowed: Vec<_> =
        saved.iter().map(|(n, s, v)| (n.as_str(), s.as_slice(), v.as_slice())).collect();
    borrowed.reverse();
    let report = resumed.optimizer.load(&borrowed, 3).unwrap();
    assert!(report.missing.is_empty() && report.unused.is_empty());
    for step in 3..6 {
        assert_eq!(whole.step(&gradients(step)), resumed.step(&gradients(step)));
    }
    assert_eq!(whole.bits(), resumed.bits());
}

#[test]
fn loading_reports_what_does_not_match_and_refuses_what_does_not_fit() {
    let scoped =
        |names: &[&str]| spec("adam", &json!({ "lr": 0.1, "sage": { "scope": { "include": names } } }));
    let start = [("a", numbers::<f32>(1, 3)), ("b", numbers(2, 5))];
    let mut from = Bench::plain(&scoped(&["a"]), &start);
    from.step(&[numbers(3, 3), numbers(4, 5)]);
    let saved: Vec<_> = from
        .optimizer
        .state()
        .into_iter()
        .map(|(n, s, v)| (n, s.to_vec(), v.as_slice::<f32>().unwrap().to_vec()))
        .collect();
    let mut borrowed: Vec<_> =
        saved.iter().map(|(n, s, v)| (n.as_str(), s.as_slice(), v.as_slice())).collect();

    let mut to = Bench::plain(&scoped(&["b"]), &start);
    to.step(&[numbers(3, 3), numbers(4, 5)]);
    let report = to.optimizer.load(&borrowed, 1).unwrap();
    assert_eq!(
        (report.missing, report.unused),
        (vec!["b/sensitivity".to_owned()], vec!["a/sensitivity".to_owned()])
    );
    assert_eq!(to.state("b/sensitivity"), [0.0; 5]);
    assert_eq!(to.state("a/exp_avg"), from.state("a/exp_avg"));

    let before = to.bits();
    borrowed[0].1 = &[1, 3];
    assert_eq!(to.optimizer.load(&borrowed, 9).unwrap_err().code(), "ERR_SHAPE");
    borrowed[0] = borrowed[1];
    assert_eq!(to.optimizer.load(&borrowed, 9).unwrap_err().code(), "ERR_CHECKPOINT");
    assert_eq!((to.bits(), to.optimizer.step_count()), (before, 1));
}

#[test]
fn owned_memory_begins_at_a_cache_line() {
    for elements in [0, 1, 17, 4096] {
        let memory = Allocate::<f32>::zeros(&Owned, elements).unwrap();
        assert_eq!((memory.as_slice().len(), memory.as_slice().as_ptr().align_offset(64)), (elements, 0));
        assert!(memory.as_slice().iter().all(|value| *value == 0.0));
    }
    let error = Allocate::<f64>::zeros(&Owned, usize::MAX / 16).err().unwrap();
    assert_eq!(error.code(), "ERR_INTERNAL");
}
