//! The moving average of parameters: torch's, with and without gradients, over blocks and threads, saved and loaded.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use sagetrain_optim::{Float, Optimizer, OptimizerSpec, Owned, ParameterInfo, Pool, Serial, StepInputs};
use serde_json::{Value, json};
use support::{Bench, golden, numbers, options, rows, spec};

fn with_average(decay: f64) -> sagetrain_optim::OptimizerOptions {
    options(json!({ "average": { "decay": decay } }))
}

fn equals_torch<F: Float>(case: &Value) {
    let (given, expected) = (rows::<F>(&case["parameters"]), rows::<F>(&case["expected"]));
    let info = [ParameterInfo::new("w", [given[0].len()])];
    let averaged = with_average(case["decay"].as_f64().unwrap());
    let mut optimizer = Optimizer::<F>::new(&OptimizerSpec::adam(1e-3), &info, &averaged, &Owned).unwrap();
    for (mut parameter, expected) in given.into_iter().zip(expected) {
        // No gradient: the parameter stays what it is, and its average follows all the same.
        optimizer.step(&mut [&mut parameter], &[None], StepInputs::default(), &Serial).unwrap();
        let bits = |values: &[F]| values.iter().map(|value| value.to_f64().to_bits()).collect::<Vec<_>>();
        let state = optimizer.state();
        let (name, _, average) = state.last().unwrap();
        assert_eq!(
            (name.as_str(), bits(average.as_slice().unwrap())),
            ("w/average", bits(&expected)),
            "{}",
            case["decay"]
        );
    }
}

#[test]
fn the_bits_are_those_of_torch() {
    let golden = golden("torch_optimizers");
    for case in golden["averages"].as_array().unwrap() {
        match case["dtype"].as_str().unwrap() {
            "float32" => equals_torch::<f32>(case),
            _ => equals_torch::<f64>(case),
        }
    }
}

/// Adam-SAGE with reports over more than one block, `a` and `b` long.
fn trained(extra: Value, steps: usize, threads: usize) -> Bench<f32> {
    let spec = spec("adam", &json!({ "lr": 0.01, "sage": {}, "observe": { "every": 2 } }));
    let parameters = [("a", numbers(1, 40_003)), ("b", numbers(2, 7))];
    let mut bench = Bench::new(&spec, &options(extra), &parameters);
    for step in 0..steps {
        advance(&mut bench, step, threads);
    }
    bench
}

fn advance(bench: &mut Bench<f32>, step: usize, threads: usize) {
    let gradients = [numbers(10 + step as u64, 40_003), numbers(50 + step as u64, 7)];
    bench.try_step(&gradients, StepInputs::default(), &Pool::new(threads).unwrap()).unwrap();
}

#[test]
fn averaging_changes_no_parameter_and_follows_what_it_averages() {
    let averaged = json!({ "average": { "decay": 0.9 } });
    let (plain, bench) = (trained(json!({}), 5, 1), trained(averaged.clone(), 5, 1));
    assert!(plain.data == bench.data);
    assert!(bench.bits() == trained(averaged, 5, 2).bits(), "threads change nothing");
    let mut expected: Vec<f32> = Vec::new();
    for steps in 1..=5 {
        let data = &trained(json!({}), steps, 1).data[0];
        if steps == 1 {
            expected.clone_from(data);
        }
        let toward = |(average, value): (&mut f32, &f32)| {
            *average = ((1.0 - 0.9f64) as f32).mul_add(value - *average, *average);
        };
        expected.iter_mut().zip(data).for_each(toward);
    }
    assert!(bench.state("a/average") == expected);
}

#[test]
fn an_average_goes_on_after_loading_and_begins_anew_where_none_was_saved() {
    let averaged = json!({ "average": { "decay": 0.9 } });
    let whole = trained(averaged.clone(), 4, 1);
    for with in [true, false] {
        let saved = trained(averaged.clone(), 3, 1);
        let mut resumed = trained(averaged.clone(), 0, 1);
        resumed.data.clone_from(&saved.data);
        let state = saved.optimizer.state();
        let given = state.iter().filter(|(name, ..)| with || !name.ends_with("/average"));
        let given: Vec<_> = given.map(|(name, shape, values)| (name.as_str(), *shape, *values)).collect();
        let report = resumed.optimizer.load(&given, 3).unwrap();
        assert_eq!(report.missing.len(), if with { 0 } else { 2 });
        advance(&mut resumed, 3, 1);
        assert!(resumed.data == whole.data);
        let expected = if with { whole.state("a/average") } else { whole.data[0].clone() };
        assert!(resumed.state("a/average") == expected, "{with}");
    }
}

#[test]
fn an_average_that_has_not_begun_is_not_saved_as_zeros() {
    let averaged = json!({ "average": { "decay": 0.9 } });
    let fresh = trained(averaged.clone(), 0, 1);
    let mut resumed = trained(averaged.clone(), 0, 1);
    let state = fresh.optimizer.state();
    let given: Vec<_> = state.iter().map(|(name, shape, values)| (name.as_str(), *shape, *values)).collect();
    let report = resumed.optimizer.load(&given, 0).unwrap();
    assert_eq!(report.missing, ["a/average", "b/average"]);
    advance(&mut resumed, 0, 1);
    assert!(resumed.bits() == trained(averaged, 1, 1).bits());
    assert!(resumed.state("a/average") == resumed.data[0]);
}
