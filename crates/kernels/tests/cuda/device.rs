//! On a GPU: the CPU's bits, through the driver alone, and how fast.

use crate::emulated::check_any;
use crate::machine::Machine;
use crate::masks::check_masks;
use crate::norms::{check_sticky, check_sums, check_verdicts};
use crate::tools::{kernels, nvrtc_folder};
use sagetrain_kernels::cuda::{
    Cache, Constants, Family, Folders, Judge, Kept, Kernels, Mask, Plan, Squares, Storage, Tensor, Variant,
    Verdict,
};
use sagetrain_kernels::*;
use std::time::Instant;

/// A GPU with memory that is given back at the end.
struct Gpu {
    kernels: Kernels,
    memory: Vec<u64>,
}

impl Gpu {
    fn new(cache: Cache) -> Option<Self> {
        let kernels = kernels(Folders { nvrtc: nvrtc_folder(), cache })?;
        Some(Self { kernels, memory: Vec::new() })
    }

    fn allocate(&mut self, bytes: usize) -> u64 {
        let address = self.kernels.driver().allocate(bytes.max(1)).unwrap();
        self.memory.push(address);
        address
    }

    fn free(&mut self) {
        for address in self.memory.drain(..) {
            // SAFETY: allocated above; reading back has waited for all kernels.
            unsafe { self.kernels.driver().free(address) }.unwrap();
        }
    }
}

impl Machine for Gpu {
    fn place(&mut self, bytes: &[u8], off: usize) -> u64 {
        let address = self.allocate(bytes.len() + off) + off as u64;
        // SAFETY: allocated above, as long as offset and bytes together.
        unsafe { self.kernels.driver().upload(address, bytes) }.unwrap();
        address
    }

    fn read(&self, address: u64, bytes: usize) -> Vec<u8> {
        let mut all = vec![0; bytes];
        if bytes > 0 {
            // SAFETY: callers read what they placed.
            unsafe { self.kernels.driver().download(&mut all, address) }.unwrap();
        }
        all
    }

    fn step<F: Float>(&mut self, plan: &Plan, verdict: Option<u64>, groups: &[Constants<F>]) {
        let table = self.place(&plan.bytes(), 0);
        // SAFETY: the arrays of the plan were placed, apart from each other.
        unsafe { self.kernels.step(0, plan, table, verdict, groups) }.unwrap();
    }

    fn squares<S: Stored>(&mut self, task: &Squares) {
        // SAFETY: the arrays of the task were placed.
        unsafe { self.kernels.squares::<S>(0, task) }.unwrap();
    }

    fn judge(&mut self, task: &Judge) {
        // SAFETY: the arrays of the task were placed.
        unsafe { self.kernels.judge(0, task) }.unwrap();
    }

    fn mask(&mut self, task: &Mask) {
        // SAFETY: the mask's bytes were placed.
        unsafe { self.kernels.mask(0, task) }.unwrap();
    }
}

#[test]
fn a_gpu_gives_the_bits_of_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut gpu) = Gpu::new(Cache::in_folder(folder.path())) else { return };
    let verdict = Verdict { norm: 3.0, factor: 0.123_456_789, finite: 1, skip: 0 };
    for variant in Variant::all() {
        for verdict in [None, Some(verdict), Some(Verdict { skip: 1, ..verdict })] {
            check_any(variant, &mut gpu, verdict);
            gpu.free();
        }
    }
}

/// By themselves: the norm's threads share memory, which is what compute-sanitizer's racecheck is for.
#[test]
fn norms_and_masks_are_the_cpus() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut gpu) = Gpu::new(Cache::in_folder(folder.path())) else { return };
    for non_finite in [false, true] {
        check_sums::<f32>(&mut gpu, non_finite);
        check_sums::<f64>(&mut gpu, non_finite);
        check_sums::<bf16>(&mut gpu, non_finite);
        check_sums::<f16>(&mut gpu, non_finite);
    }
    check_verdicts(&mut gpu);
    check_sticky(&mut gpu);
    check_masks(&mut gpu);
    gpu.free();
}

/// Bytes read and written a second by Adam with and without E, 64 M parameters in float32.
#[test]
fn bandwidth() {
    const COUNT: usize = 1 << 26;
    const STEPS: u32 = 50;
    let Some(mut gpu) = Gpu::new(Cache::of_user()) else { return };
    let zeros = vec![0; COUNT * 4];
    let [parameter, gradient, first, second, sensitivity] = std::array::from_fn(|_| gpu.place(&zeros, 0));
    let common = Common { rate: 1e-3, decay: Decay::Decoupled, weight_decay: 0.01, gradient_factor: 1.0 };
    let adam = Adam::<f32>::new(&AdamStep { common, betas: [0.9, 0.999], epsilon: 1e-8, step: 1 });
    let sage = Sage::new(0.75, 1e-12, 1);
    let sensings =
        [(Kept::Off, Sensing::Off, 28), (Kept::Compute, Sensing::Modulate(&sage, Modulation::Sage), 36)];
    for (kept, sensing, bytes) in sensings {
        let variant = Variant { family: Family::Adam, storage: Storage::Float32, kept };
        let length = COUNT as u64;
        let tensor = Tensor { parameter, gradient, first, second, sensitivity, length, ..Tensor::default() };
        let plan = Plan::new(variant, &[tensor]).unwrap();
        let table = gpu.place(&plan.bytes(), 0);
        let groups = [Constants::adam(&adam).sensing(sensing)];
        // SAFETY: the arrays of the plan were placed, apart from each other.
        let step = || unsafe { gpu.kernels.step(0, &plan, table, None, &groups) }.unwrap();
        step();
        gpu.kernels.driver().synchronize().unwrap();
        let began = Instant::now();
        (0..STEPS).for_each(|_| step());
        gpu.kernels.driver().synchronize().unwrap();
        let seconds = began.elapsed().as_secs_f64() / f64::from(STEPS);
        eprintln!("{variant}: {:.3} ms, {:.0} GB/s", seconds * 1e3, (COUNT * bytes) as f64 / seconds / 1e9);
    }
    gpu.free();
}

/// One set of kernels serves all threads of a process.
#[test]
fn kernels_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Kernels>();
}
