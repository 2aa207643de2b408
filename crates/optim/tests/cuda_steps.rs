//! Whole steps as a device takes them, by the kernels' own text run on the CPU, against the CPU's optimizer: bit for bit.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the kernels' tests use all of it")]

#[path = "../../kernels/tests/cuda/emulator.rs"]
mod emulator;
#[path = "support/family.rs"]
mod family;
#[path = "../../kernels/tests/cuda/machine.rs"]
mod machine;
mod support;
#[path = "../../kernels/tests/cuda/tools.rs"]
mod tools;

use emulator::Emulator;
use family::{ALL, made};
use machine::Machine;
use sagetrain_kernels::cuda::Verdict;
use sagetrain_optim::cuda::{Addresses, DeviceError, DeviceOptimizer, StateImage};
use sagetrain_optim::{
    Float, Optimizer, OptimizerSpec, Owned, ParameterInfo, Serial, StepInputs, StepReport, Stored, bf16, f16,
};
use serde_json::{Value, json};
use support::{numbers, options};

const LENGTHS: [usize; 4] = [3, 700, 0, 16_384 + 41];

/// An optimizer of the CPU, and one of a device that is emulated, over the same parameters.
struct Both<S: Stored> {
    cpu: Optimizer<S>,
    data: Vec<Vec<S>>,
    device: DeviceOptimizer<S>,
    machine: Emulator,
    parameters: Vec<u64>,
    arena: u64,
    verdict: u64,
}

impl<S: Stored> Both<S> {
    fn new(spec: &OptimizerSpec, value: &Value) -> Option<Self> {
        let mut machine = Emulator::new()?;
        let info = |(index, length): (usize, &usize)| ParameterInfo::new(format!("p{index}"), [*length]);
        let infos: Vec<ParameterInfo> = LENGTHS.iter().enumerate().map(info).collect();
        let options = options(value.clone());
        let cpu = Optimizer::new(spec, &infos, &options, &Owned).unwrap();
        let device = DeviceOptimizer::<S>::new(spec, &infos, &options).unwrap();
        let data: Vec<Vec<S>> =
            (0..LENGTHS.len()).map(|index| stored(index as u64, LENGTHS[index])).collect();
        let parameters = data.iter().map(|data| machine.place(bytemuck::cast_slice(data), 0)).collect();
        let arena = machine.place(&vec![0; device.arena_bytes() as usize], 0);
        let verdict = machine.place(&[0; size_of::<Verdict>()], 0);
        Some(Self { cpu, data, device, machine, parameters, arena, verdict })
    }

    /// One step of the device; the verdict is read where it has to be.
    fn step_device(
        &mut self,
        gradients: &[Option<Vec<S>>],
        inputs: StepInputs,
    ) -> Result<StepReport, DeviceError> {
        let place = |gradient: &Option<Vec<S>>| {
            gradient.as_ref().map(|gradient| self.machine.place(bytemuck::cast_slice(gradient), 0))
        };
        let gradients: Vec<Option<u64>> = gradients.iter().map(place).collect();
        let addresses = Addresses { parameters: &self.parameters, gradients: &gradients, arena: self.arena };
        let step = self.device.prepare(&addresses, inputs)?;
        let tables = self.device.tables();
        let table = self.machine.place(tables.bytes(), 0);
        if let Some(norm) = step.norm {
            let sums = self.machine.place(&vec![0; tables.sums() as usize * 8], 0);
            self.machine.squares::<S>(&tables.squares(table, sums));
            self.machine.judge(&norm.judge(sums, tables.sums(), self.verdict));
        }
        for ((plan, at), constants) in tables.plans().zip(&step.constants) {
            let launch = plan.launch(table + at, step.norm.map(|_| self.verdict), constants).unwrap();
            self.machine.run(&plan.variant().to_string(), &launch);
        }
        let verdict = self.device.waits().then(|| self.read_verdict());
        self.device.finish(&step, verdict.as_ref())
    }

    fn read_verdict(&self) -> Verdict {
        bytemuck::pod_read_unaligned(&self.machine.read(self.verdict, size_of::<Verdict>()))
    }

    fn step_cpu(&mut self, gradients: &[Option<Vec<S>>], inputs: StepInputs) -> StepReport {
        let mut data: Vec<&mut [S]> = self.data.iter_mut().map(Vec::as_mut_slice).collect();
        let gradients: Vec<Option<&[S]>> = gradients.iter().map(Option::as_deref).collect();
        self.cpu.step(&mut data, &gradients, inputs, &Serial).unwrap()
    }

    fn image(&self) -> StateImage<S> {
        let mut image = self.device.image().unwrap();
        image.bytes_mut().copy_from_slice(&self.machine.read(self.arena, self.device.arena_bytes() as usize));
        image
    }

    /// Parameters and states have the same bits.
    fn check(&self, what: &str) {
        for (index, (data, address)) in self.data.iter().zip(&self.parameters).enumerate() {
            let found = self.machine.read(*address, size_of_val(data.as_slice()));
            assert!(found == bytemuck::cast_slice::<_, u8>(data), "{what}, {}: parameter {index}", S::DTYPE);
        }
        let image = self.image();
        for (device, cpu) in self.device.state(&image).iter().zip(&self.cpu.state()) {
            assert_eq!((&device.0, device.1), (&cpu.0, cpu.1));
            assert!(device.2.bytes() == cpu.2.bytes(), "{what}, {}: {}", S::DTYPE, cpu.0);
        }
        assert_eq!(self.device.step_count(), self.cpu.step_count(), "{what}");
        assert_eq!(self.device.loss_scale_state(), self.cpu.loss_scale_state(), "{what}");
    }
}

fn stored<S: Stored>(seed: u64, count: usize) -> Vec<S> {
    numbers::<f64>(seed, count).into_iter().map(|value| S::narrow(S::Compute::from_f64(value))).collect()
}

fn gradients<S: Stored>(step: u64) -> Vec<Option<Vec<S>>> {
    let of = |(index, length): (usize, &usize)| Some(stored(100 * step + index as u64, *length));
    LENGTHS.iter().enumerate().map(of).collect()
}

fn without_observe(mut spec: OptimizerSpec) -> OptimizerSpec {
    match &mut spec {
        OptimizerSpec::Sgd(spec) => spec.observe = None,
        OptimizerSpec::Adam(spec) | OptimizerSpec::AdamW(spec) | OptimizerSpec::Adamax(spec) => {
            spec.observe = None;
        }
    }
    spec
}

/// Three steps: groups, scope, clipping, a divisor, a schedule, an average.
fn train<S: Stored>(spec: &OptimizerSpec, more: &Value) {
    let mut value = json!({
        "groups": [{ "include": ["p1"], "lr": 0.03 }], "maxGradientNorm": 1.0, "average": { "decay": 0.9 },
        "schedule": { "type": "linear" }, "totalSteps": 10,
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let Some(mut both) = Both::<S>::new(spec, &value) else { return };
    let inputs = StepInputs { divisor: 3.0, ..StepInputs::default() };
    for step in 1..=3 {
        let gradients = gradients::<S>(step);
        both.step_device(&gradients, inputs).unwrap();
        let report = both.step_cpu(&gradients, inputs);
        assert_eq!(Some(both.read_verdict().norm), report.gradient_norm);
        both.check(&format!("{} {more} at step {step}", spec.kind()));
    }
}

#[test]
fn every_optimizer_takes_the_cpus_steps() {
    for which in ALL {
        let spec = without_observe(made(which, 0.75, 1e-2, 0.1, &[]));
        train::<f32>(&spec, &json!({}));
        train::<f64>(&spec, &json!({}));
        train::<f16>(&spec, &json!({}));
        for rounding in ["nearest", "stochastic", "kahan"] {
            train::<bf16>(&spec, &json!({ "rounding": rounding, "sensitivityDtype": "bfloat16" }));
        }
    }
}

fn adam() -> OptimizerSpec {
    let sage = json!({ "beta0": 0.75, "scope": { "include": ["p1", "p3"] } });
    support::spec("adam", &json!({ "lr": 1e-2, "sage": sage }))
}

#[test]
fn without_a_gradient_nothing_moves() {
    let Some(mut both) = Both::<f32>::new(&adam(), &json!({})) else { return };
    for step in 1..=2 {
        let mut gradients = gradients::<f32>(step);
        gradients[step as usize] = None;
        both.step_device(&gradients, StepInputs::default()).unwrap();
        both.step_cpu(&gradients, StepInputs::default());
        both.check("one gradient missing");
    }
}

#[test]
fn skipped_steps_and_the_loss_scale_are_the_cpus() {
    let Some(mut both) = Both::<f16>::new(&adam(), &json!({ "lossScale": { "growthInterval": 1 } })) else {
        return;
    };
    for step in 1..=4 {
        let mut gradients = gradients::<f16>(step);
        if step == 2 {
            gradients[1].as_mut().unwrap()[699] = f16::INFINITY;
        }
        let device = both.step_device(&gradients, StepInputs::default()).unwrap();
        let cpu = both.step_cpu(&gradients, StepInputs::default());
        assert_eq!((device.step, device.skipped, device.lr), (cpu.step, cpu.skipped, cpu.lr));
        assert_eq!(device.skipped, step == 2);
        both.check("dynamic loss scale");
    }
}

#[test]
fn nothing_is_written_from_the_first_bad_step_on() {
    let Some(mut both) = Both::<f32>::new(&adam(), &json!({ "average": { "decay": 0.9 } })) else { return };
    let inputs = StepInputs::default();
    for step in 1..=4 {
        let mut gradients = gradients::<f32>(step);
        if step < 3 {
            both.step_cpu(&gradients, inputs);
        } else if step == 3 {
            gradients[0].as_mut().unwrap()[0] = f32::NAN;
        }
        both.step_device(&gradients, inputs).unwrap();
    }
    assert_eq!(both.device.step_count(), 4, "the host has not looked");
    let verdict = both.read_verdict();
    assert!(matches!(both.device.check(&verdict), Err(DeviceError::NonFinite { step: 3 })));
    both.check("set back");
    both.verdict = both.machine.place(&[0; size_of::<Verdict>()], 0);
    let gradients = gradients::<f32>(5);
    both.step_device(&gradients, inputs).unwrap();
    both.step_cpu(&gradients, inputs);
    both.check("after the verdict was cleared");
}

#[test]
fn what_one_saved_the_other_loads() {
    let value = json!({ "average": { "decay": 0.9 }, "sensitivityDtype": "bfloat16" });
    let Some(mut both) = Both::<bf16>::new(&adam(), &value) else { return };
    let first = gradients::<bf16>(1);
    both.step_device(&first, StepInputs::default()).unwrap();
    both.step_cpu(&first, StepInputs::default());
    let image = both.image();
    let saved = both.device.state(&image);
    let state: Vec<_> = saved.iter().map(|(name, shape, values)| (name.as_str(), *shape, *values)).collect();
    let mut cpu = Optimizer::new(&adam(), both.cpu.parameters(), both.cpu.options(), &Owned).unwrap();
    cpu.load(&state, 1).unwrap();
    let mut device = DeviceOptimizer::new(&adam(), both.cpu.parameters(), both.cpu.options()).unwrap();
    let machine = &mut both.machine;
    let mut arena = 0;
    let upload = |bytes: &[u8]| {
        arena = machine.place(bytes, 0);
        Ok::<(), DeviceError>(())
    };
    device.load(&state, 1, None, upload).unwrap();
    drop(state);
    drop(saved);
    (both.cpu, both.device, both.arena) = (cpu, device, arena);
    let second = gradients::<bf16>(2);
    both.step_device(&second, StepInputs::default()).unwrap();
    both.step_cpu(&second, StepInputs::default());
    both.check("after a load");
}
