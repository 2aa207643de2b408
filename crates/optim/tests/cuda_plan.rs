//! A step on a device as the host plans it: what lies where, what is launched with which numbers, and what t is.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/family.rs"]
mod family;
mod support;

use family::{ALL, made};
use proptest::prelude::*;
use sagetrain_kernels::cuda::{Constants, Family, GROUPS, Kept, Storage, Variant, Verdict};
use sagetrain_kernels::{Adam, AdamStep, Average, Common, Sage, Sensing};
use sagetrain_optim::cuda::{Addresses, DeviceError, DeviceOptimizer, DeviceStep};
use sagetrain_optim::{
    Decay, Float, Modulation, OptimError, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo,
    StepInputs, Stored, Values, bf16, f16,
};
use serde_json::{Value, json};
use support::{options, spec};

const ARENA: u64 = 1 << 40;

/// Addresses with a gradient for each parameter, far apart.
struct Places {
    parameters: Vec<u64>,
    gradients: Vec<Option<u64>>,
}

impl Places {
    fn of(parameters: usize) -> Self {
        let address = |half: u64| move |index: usize| (half << 32) + ((index as u64 + 1) << 20);
        Self {
            parameters: (0..parameters).map(address(1)).collect(),
            gradients: (0..parameters).map(address(2)).map(Some).collect(),
        }
    }

    fn addresses(&self) -> Addresses<'_> {
        Addresses { parameters: &self.parameters, gradients: &self.gradients, arena: ARENA }
    }
}

fn prepare<S: Stored>(optimizer: &mut DeviceOptimizer<S>, places: &Places) -> DeviceStep<S::Compute> {
    optimizer.prepare(&places.addresses(), StepInputs::default()).unwrap()
}

fn without_observe(mut which: OptimizerSpec) -> OptimizerSpec {
    match &mut which {
        OptimizerSpec::Sgd(spec) => spec.observe = None,
        OptimizerSpec::Adam(spec) | OptimizerSpec::AdamW(spec) | OptimizerSpec::Adamax(spec) => {
            spec.observe = None;
        }
    }
    which
}

/// Arrays are in the arena, apart, aligned, and those of the CPU by name, shape, type and order.
fn check_places<S: Stored>(spec: &OptimizerSpec, parameters: &[ParameterInfo], options: &OptimizerOptions) {
    let mut device = DeviceOptimizer::<S>::new(spec, parameters, options).unwrap();
    let mut cpu = Optimizer::<S>::new(spec, parameters, options, &Owned).unwrap();
    // An average is a state only once it has begun.
    let zeros: Vec<_> =
        parameters.iter().map(|parameter| vec![S::Compute::ZERO; parameter.elements()]).collect();
    let names: Vec<String> =
        parameters.iter().map(|parameter| format!("{}/average", parameter.name)).collect();
    let averages = parameters.iter().zip(&names).zip(&zeros);
    let averages: Vec<_> = averages
        .map(|((parameter, name), zeros)| (name.as_str(), parameter.shape.as_slice(), Values::of(zeros)))
        .collect();
    cpu.load(&averages, 0).unwrap();
    device.load(&averages, 0, None, |_| Ok::<(), OptimError>(())).unwrap();
    let (places, state) = (device.places(), cpu.state());
    assert_eq!(places.len(), state.len());
    let mut end = 0;
    for (place, (name, shape, values)) in places.iter().zip(&state) {
        assert_eq!(&format!("{}/{}", place.parameter, place.state), name);
        assert_eq!((place.shape, place.dtype), (*shape, values.dtype()));
        assert_eq!(place.bytes as usize, values.bytes().len());
        assert!(place.offset >= end && place.offset.is_multiple_of(16), "{place:?}");
        end = place.offset + place.bytes;
    }
    assert!(end <= device.arena_bytes());
    let image = device.image().unwrap();
    assert_eq!(image.bytes().len() as u64, device.arena_bytes());
    assert_eq!(device.state(&image), state);
}

/// The tensors a kernel is given have what it needs: a plan would refuse otherwise. Every block of every parameter is in one launch.
fn check_launches<S: Stored>(spec: &OptimizerSpec, parameters: &[ParameterInfo], options: &OptimizerOptions) {
    let mut device = DeviceOptimizer::<S>::new(spec, parameters, options).unwrap();
    let step = prepare(&mut device, &Places::of(parameters.len()));
    let tables = device.tables();
    let mut blocks = 0;
    for ((plan, at), constants) in tables.plans().zip(&step.constants) {
        assert!(constants.len() <= GROUPS);
        let launch = plan.launch(0x1000 + at, Some(8), constants).unwrap();
        assert!(size_of_val(&launch) <= 4096);
        blocks += plan.chunks().len();
    }
    let expected: usize = parameters.iter().map(|parameter| parameter.elements().div_ceil(16_384)).sum();
    assert_eq!(blocks, expected);
    assert_eq!(tables.sums() as usize, expected, "the check reads every block");
}

fn parameters(shapes: &[Vec<usize>]) -> Vec<ParameterInfo> {
    let named = |(index, shape): (usize, &Vec<usize>)| ParameterInfo::new(format!("p{index}"), shape.clone());
    shapes.iter().enumerate().map(named).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arrays_lie_apart_in_the_arena(
        shapes in prop::collection::vec(prop::collection::vec(0usize..40, 0..4), 1..12),
        which in 0..ALL.len(),
        (brief, average, rounding) in (any::<bool>(), any::<bool>(), 0..3usize),
    ) {
        let spec = without_observe(made(ALL[which], 0.75, 1e-2, 0.1, &[]));
        let parameters = parameters(&shapes);
        let mut value = json!({});
        if average {
            value["average"] = json!({ "decay": 0.9 });
        }
        check_both::<f64>(&spec, &parameters, &value);
        if brief {
            value["sensitivityDtype"] = json!("bfloat16");
        }
        check_both::<f32>(&spec, &parameters, &value);
        check_both::<f16>(&spec, &parameters, &value);
        value["rounding"] = json!(["nearest", "stochastic", "kahan"][rounding]);
        check_both::<bf16>(&spec, &parameters, &value);
    }
}

fn check_both<S: Stored>(spec: &OptimizerSpec, parameters: &[ParameterInfo], value: &Value) {
    check_places::<S>(spec, parameters, &options(value.clone()));
    check_launches::<S>(spec, parameters, &options(value.clone()));
}

/// BERT-base's 199 parameters, by their shapes.
fn bert_base() -> Vec<ParameterInfo> {
    let (h, f) = (768, 3072);
    let mut shapes = vec![vec![30_522, h], vec![512, h], vec![2, h], vec![h], vec![h]];
    for _ in 0..12 {
        (0..4).for_each(|_| shapes.extend([vec![h, h], vec![h]]));
        shapes.extend([vec![h], vec![h], vec![f, h], vec![f], vec![h, f], vec![h], vec![h], vec![h]]);
    }
    shapes.extend([vec![h, h], vec![h]]);
    parameters(&shapes)
}

#[test]
fn a_step_of_bert_base_is_few_launches() {
    let all = bert_base();
    assert_eq!(all.len(), 199);
    let scoped = json!({ "lr": 1e-3, "sage": { "beta0": 0.8, "scope": { "include": ["p1*"] } } });
    let grouped = json!({ "groups": [{ "include": ["*5"], "weightDecay": 0.0 }], "maxGradientNorm": 1.0 });
    for (kind, value, variants) in [("adam", scoped, 2), ("adamw", json!({ "lr": 1e-3 }), 1)] {
        let mut device =
            DeviceOptimizer::<f32>::new(&spec(kind, &value), &all, &options(grouped.clone())).unwrap();
        let places = Places::of(all.len());
        let step = prepare(&mut device, &places);
        let launches = device.tables().plans().count() + if step.norm.is_some() { 2 } else { 0 };
        assert_eq!(launches, variants + 2);
        let version = device.tables().version();
        device.finish(&step, None).unwrap();
        prepare(&mut device, &places);
        assert_eq!(device.tables().version(), version, "the same addresses: nothing to upload");
    }
}

#[test]
fn more_groups_than_a_launch_serves_are_split() {
    let all = parameters(&vec![vec![3]; 40]);
    let groups: Vec<Value> = (0..40).map(|i| json!({ "include": [format!("p{i}")], "lr": i })).collect();
    let options = options(json!({ "groups": groups }));
    let mut device = DeviceOptimizer::<f32>::new(&OptimizerSpec::adam(1.0), &all, &options).unwrap();
    let step = prepare(&mut device, &Places::of(40));
    let counts: Vec<usize> = step.constants.iter().map(Vec::len).collect();
    assert_eq!(counts, [16, 16, 8]);
    check_launches::<f32>(&OptimizerSpec::adam(1.0), &all, &options);
}

#[test]
fn constants_are_those_of_the_cpus_rules() {
    let sage = json!({ "beta0": 0.75, "scope": { "include": ["p0"] } });
    let spec = spec("adamw", &json!({ "lr": 2e-3, "weightDecay": 0.1, "sage": sage }));
    let value = json!({
        "groups": [{ "include": ["p1"], "weightDecay": 0.0 }], "average": { "decay": 0.99 }, "nonFinite": "unchecked",
        "rounding": "stochastic", "seed": 7, "schedule": { "type": "linear" }, "totalSteps": 10,
    });
    let mut device =
        DeviceOptimizer::<bf16>::new(&spec, &parameters(&[vec![4], vec![4]]), &options(value)).unwrap();
    let places = Places::of(2);
    let first = prepare(&mut device, &places);
    device.finish(&first, None).unwrap();
    let inputs = StepInputs { divisor: 3.0, ..StepInputs::default() };
    let second = device.prepare(&places.addresses(), inputs).unwrap();
    assert!(second.norm.is_none() && device.tables().sums() == 0, "nobody reads the gradients");
    for (step, began, factor) in [(&first, false, 1.0), (&second, true, 1.0 / 3.0)] {
        let multiplier = step.lr / 2e-3;
        let adam = |weight_decay| {
            let common = Common {
                rate: 2e-3 * multiplier,
                decay: Decay::Decoupled,
                weight_decay,
                gradient_factor: factor,
            };
            Adam::<f32>::new(&AdamStep { common, betas: [0.9, 0.999], epsilon: 1e-8, step: step.step })
        };
        let sage = Sage::new(0.75, 1e-12, step.step);
        let average = Average::new(0.99);
        let rest =
            |constants: Constants<f32>| constants.averaging(began.then_some(&average)).noise(7, step.step);
        let modulated = Constants::adam(&adam(0.1)).sensing(Sensing::Modulate(&sage, Modulation::Sage));
        let expected = [vec![rest(modulated)], vec![rest(Constants::adam(&adam(0.0)))]];
        assert_eq!(step.constants, expected, "step {}", step.step);
    }
    let variants: Vec<Variant> = device.tables().plans().map(|(plan, _)| plan.variant()).collect();
    let variant = |kept| Variant { family: Family::Adam, storage: Storage::Bfloat16Stochastic, kept };
    assert_eq!(variants, [variant(Kept::Compute), variant(Kept::Off)]);
}

fn device(policy: Value) -> DeviceOptimizer<f32> {
    DeviceOptimizer::new(&OptimizerSpec::adam(1e-3), &parameters(&[vec![4]]), &options(policy)).unwrap()
}

const BAD: Verdict = Verdict { norm: f64::INFINITY, factor: 0.0, finite: 0, skip: 1 };
const GOOD: Verdict = Verdict { norm: 1.0, factor: 1.0, finite: 1, skip: 0 };

#[test]
fn a_sticky_verdict_sets_t_back() {
    let mut device = device(json!({ "average": { "decay": 0.9 } }));
    let places = Places::of(1);
    assert!(!device.waits());
    for step in 1..=5 {
        let prepared = prepare(&mut device, &places);
        let norm = prepared.norm.unwrap();
        assert_eq!((norm.checks, norm.sticky, norm.max_norm), (true, step, f64::INFINITY));
        assert_eq!(device.finish(&prepared, None).unwrap().step, u64::from(step));
    }
    device.check(&GOOD).unwrap();
    // The device says that step 4 was the first it did not take.
    let error = device.check(&Verdict { skip: 4, ..BAD }).unwrap_err();
    assert!(matches!(error, DeviceError::NonFinite { step: 4 }) && error.code() == "ERR_NON_FINITE");
    assert_eq!(device.step_count(), 3);
    let again = prepare(&mut device, &places);
    assert_eq!(
        (again.step, again.norm.unwrap().sticky),
        (4, 1),
        "counted from where the verdict was cleared"
    );
    device.finish(&again, None).unwrap();
    assert!(matches!(device.check(&BAD), Err(DeviceError::NonFinite { step: 4 })));
}

#[test]
fn an_average_that_had_not_begun_begins_again() {
    let mut device = device(json!({ "average": { "decay": 0.9 } }));
    let places = Places::of(1);
    let begins = prepare(&mut device, &places).constants;
    for _ in 0..2 {
        let step = prepare(&mut device, &places);
        device.finish(&step, None).unwrap();
    }
    assert_ne!(prepare(&mut device, &places).constants, begins);
    device.check(&BAD).unwrap_err();
    assert_eq!(prepare(&mut device, &places).constants, begins, "step 1 was not taken");
}

#[test]
fn a_skipped_step_does_not_count() {
    let mut device = device(json!({ "lossScale": "dynamic" }));
    let places = Places::of(1);
    assert!(device.waits() && device.loss_scale() == 65536.0);
    let step = prepare(&mut device, &places);
    assert_eq!(step.norm.unwrap().sticky, 0);
    assert_eq!(device.finish(&step, None).unwrap_err().code(), "ERR_ARGUMENT");
    let report = device.finish(&step, Some(&BAD)).unwrap();
    assert_eq!((report.step, report.skipped, device.loss_scale()), (0, true, 32768.0));
    let step = prepare(&mut device, &places);
    assert_eq!((step.step, step.norm.unwrap().unscale), (1, 1.0 / 32768.0));
    let report = device.finish(&step, Some(&GOOD)).unwrap();
    assert_eq!((report.step, report.skipped, report.gradient_norm), (1, false, Some(1.0)));
}

#[test]
fn unchecked_reads_nothing_but_for_clipping() {
    let places = Places::of(1);
    assert_eq!(prepare(&mut device(json!({ "nonFinite": "unchecked" })), &places).norm, None);
    let clipped = json!({ "nonFinite": "unchecked", "maxGradientNorm": 2.0 });
    let norm = prepare(&mut device(clipped), &places).norm.unwrap();
    assert_eq!((norm.checks, norm.sticky, norm.max_norm), (false, 0, 2.0));
}

#[test]
fn what_a_device_cannot_do_is_refused() {
    let observed = spec("adam", &json!({ "lr": 1e-3, "observe": { "every": 1 } }));
    let error = DeviceOptimizer::<f32>::new(&observed, &parameters(&[vec![4]]), &OptimizerOptions::default());
    assert_eq!(error.err().unwrap().code(), "ERR_CONFIG");
    let mut averaged = device(json!({ "average": { "decay": 0.9 } }));
    let without = Places { gradients: vec![None], ..Places::of(1) };
    let error = averaged.prepare(&without.addresses(), StepInputs::default()).unwrap_err();
    assert!(error.code() == "ERR_ARGUMENT" && error.to_string().contains("'p0'"), "{error}");
    let mut plain = device(json!({}));
    assert_eq!(prepare(&mut plain, &without).constants, Vec::<Vec<Constants<f32>>>::new());
    assert!(plain.prepare(&Places::of(2).addresses(), StepInputs::default()).is_err());
    let odd = Places { gradients: vec![Some(0x1001)], ..Places::of(1) };
    let error = plain.prepare(&odd.addresses(), StepInputs::default()).unwrap_err();
    assert_eq!(error.code(), "ERR_CUDA");
}

#[test]
fn a_loaded_average_follows_and_another_begins() {
    let all = parameters(&[vec![2], vec![2]]);
    let options = options(json!({ "average": { "decay": 0.9 } }));
    let mut device = DeviceOptimizer::<f32>::new(&OptimizerSpec::adam(1e-3), &all, &options).unwrap();
    let average = [0.5f32, 0.25];
    let state = [("p1/average", [2usize].as_slice(), Values::of(&average))];
    let mut image = device.image().unwrap();
    let failed = device.load(&state, 3, None, |_| Err(DeviceError::NonFinite { step: 0 }));
    assert!(failed.is_err() && device.step_count() == 0);
    let upload = |bytes: &[u8]| {
        image.bytes_mut().copy_from_slice(bytes);
        Ok::<(), DeviceError>(())
    };
    let report = device.load(&state, 3, None, upload).unwrap();
    assert_eq!((device.step_count(), report.missing.len(), report.unused.len()), (3, 5, 0));
    let found = device.state(&image).into_iter().find(|(name, ..)| name == "p1/average").unwrap();
    assert_eq!(found.2.as_slice::<f32>(), Some(average.as_slice()));
    let step = prepare(&mut device, &Places::of(2));
    assert_eq!((step.step, step.constants[0].len()), (4, 2), "one begins, one follows");
}
