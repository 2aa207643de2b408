//! More than 2^32 elements in one parameter: positions are 64 bits wide wherever there is one. The arrays are mapped sparse, so that only the
//! pages that are written cost memory; an executor that leaves most tasks out makes a step write few of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![cfg(target_pointer_width = "64")]

mod support;

use memmap2::{MmapMut, MmapOptions};
use sagetrain_optim::{
    Allocate, Executor, Memory, OptimError, Optimizer, OptimizerSpec, ParameterInfo, Pool, Result, StepInputs,
};
use serde_json::json;
use support::{Bench, numbers, options, spec};

/// Elements a task has where there are far more threads than that.
const TASK: usize = 65_536;
const BOUNDARY: usize = 1 << 32;
/// Some tasks beyond 2^32, and a tail that is no whole vector.
const ELEMENTS: usize = BOUNDARY + 3 * TASK + 5;
/// Where there is anything but zeros: about 0, about 2^32, and at the end.
const WINDOWS: [usize; 4] = [0, BOUNDARY - WIDTH, BOUNDARY, ELEMENTS - WIDTH];
const WIDTH: usize = 40;

/// Zeros that cost nothing until they are written.
fn zeros(elements: usize) -> MmapMut {
    MmapOptions::new().len(elements * size_of::<f32>()).no_reserve_swap().map_anon().unwrap()
}

struct Sparse;
struct Mapped(MmapMut);

impl Allocate<f32> for Sparse {
    fn zeros(&self, elements: usize) -> Result<Box<dyn Memory<f32>>> {
        Ok(Box::new(Mapped(zeros(elements))))
    }
}

impl Memory<f32> for Mapped {
    fn as_slice(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }
    fn as_mut_slice(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// Runs the tasks just before and after 2^32, and the last two: not the first, which positions of 32 bits would meet instead.
struct About;

impl Executor for About {
    fn threads(&self) -> usize {
        1 << 20
    }
    fn run(&self, tasks: usize, body: &(dyn Fn(usize) + Sync)) {
        assert_eq!(tasks, ELEMENTS.div_ceil(TASK));
        [BOUNDARY / TASK - 1, BOUNDARY / TASK, tasks - 2, tasks - 1].into_iter().for_each(body);
    }
}

fn fill(array: &mut [f32], seed: u64) {
    for (window, start) in WINDOWS.into_iter().enumerate() {
        array[start..start + WIDTH].copy_from_slice(&numbers(seed + window as u64, WIDTH));
    }
}

/// What is in the windows, and that nothing is beside them.
fn windows(array: &[f32]) -> Vec<Vec<u32>> {
    assert_eq!(array.len(), ELEMENTS);
    assert!(
        [WIDTH, TASK, BOUNDARY - WIDTH - 1, BOUNDARY + WIDTH, ELEMENTS - WIDTH - 1]
            .iter()
            .all(|index| array[*index] == 0.0)
    );
    WINDOWS.map(|start| array[start..start + WIDTH].iter().map(|value| value.to_bits()).collect()).to_vec()
}

fn adam_sage() -> OptimizerSpec {
    spec("adam", &json!({ "lr": 1e-2, "weightDecay": 0.1, "decay": "modulated", "sage": { "beta0": 0.8 } }))
}

#[test]
fn a_step_finds_its_elements_beyond_2_to_the_32() {
    let extra = options(json!({ "average": { "decay": 0.9 } }));
    let infos = [ParameterInfo::new("w", [ELEMENTS])];
    let mut optimizer = Optimizer::<f32>::new(&adam_sage(), &infos, &extra, &Sparse).unwrap();
    let (mut parameter, mut gradient) = (Mapped(zeros(ELEMENTS)), Mapped(zeros(ELEMENTS)));
    fill(parameter.as_mut_slice(), 10);
    let untouched = windows(parameter.as_slice())[0].clone();

    // The same windows as tensors of their own.
    let names = ["before", "after", "end"];
    let small: Vec<_> =
        names.into_iter().zip(1..).map(|(name, window)| (name, numbers::<f32>(10 + window, WIDTH))).collect();
    let mut expected = Bench::new(&adam_sage(), &extra, &small);
    for step in 1..=3 {
        let seed = 100 * step;
        fill(gradient.as_mut_slice(), seed);
        let report = optimizer
            .step(
                &mut [parameter.as_mut_slice()],
                &[Some(gradient.as_slice())],
                StepInputs::default(),
                &About,
            )
            .unwrap();
        let same = expected.step(&(1..4).map(|window| numbers(seed + window, WIDTH)).collect::<Vec<_>>());
        let off = report.gradient_norm.unwrap() / same.gradient_norm.unwrap() - 1.0;
        assert!(off.abs() < 1e-14, "the norm is of what was read: off by {off:e}");
    }

    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let found = windows(parameter.as_slice());
    assert!(found[0] == untouched, "positions modulo 2^32 are other elements");
    assert!(found[1..].iter().zip(&expected.data).all(|(found, expected)| *found == bits(expected)));
    let states = optimizer.state();
    assert_eq!(states.len(), 4);
    for (name, shape, values) in states {
        let (found, state) = (windows(values.as_slice().unwrap()), name.strip_prefix("w/").unwrap());
        assert_eq!((shape, &found[0]), (&[ELEMENTS][..], &vec![0; WIDTH]), "{name}");
        for (found, tensor) in found[1..].iter().zip(names) {
            assert!(*found == bits(&expected.state(&format!("{tensor}/{state}"))), "{name} {tensor}");
        }
    }
}

#[test]
#[ignore = "reads 34 GB of mapped zeros: cargo test --release -p sagetrain-optim --test wide -- --ignored"]
fn a_gradient_is_read_whole_and_what_is_bad_in_it_found_beyond_2_to_the_32() {
    let infos = [ParameterInfo::new("w", [ELEMENTS])];
    let sgd = spec("sgd", &json!({ "lr": 0.1 }));
    let (mut parameter, mut gradient) = (Mapped(zeros(ELEMENTS)), Mapped(zeros(ELEMENTS)));
    let at = BOUNDARY + TASK + 7;
    (gradient.as_mut_slice()[5], gradient.as_mut_slice()[at]) = (3.0, f32::NAN);
    let mut optimizer = Optimizer::<f32>::new(&sgd, &infos, &options(json!({})), &Sparse).unwrap();
    let pool = Pool::new(2).unwrap();
    let error = optimizer
        .step(&mut [parameter.as_mut_slice()], &[Some(gradient.as_slice())], StepInputs::default(), &pool)
        .unwrap_err();
    assert!(matches!(error, OptimError::NonFinite { index, step: 1, .. } if index == at), "{error}");

    // All of it is read, 4 beyond 2^32 too; the step itself is left out by the policy, and with it 17 GB of writes.
    gradient.as_mut_slice()[at] = f32::INFINITY;
    let skip = options(json!({ "nonFinite": "skip" }));
    let mut optimizer = Optimizer::<f32>::new(&sgd, &infos, &skip, &Sparse).unwrap();
    let report = optimizer
        .step(&mut [parameter.as_mut_slice()], &[Some(gradient.as_slice())], StepInputs::default(), &pool)
        .unwrap();
    assert!(report.skipped && report.gradient_norm == Some(f64::INFINITY));
    assert!(parameter.as_slice()[..WIDTH].iter().all(|value| *value == 0.0));
}
