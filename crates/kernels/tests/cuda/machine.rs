//! Something that runs the kernels: a GPU, or the CPU in its place.

use sagetrain_kernels::cuda::{Constants, Judge, Mask, Plan, Squares};
use sagetrain_kernels::{Float, Stored};

pub trait Machine {
    /// Copies bytes to an address that is `off` bytes beyond a multiple of 256.
    fn place(&mut self, bytes: &[u8], off: usize) -> u64;
    /// What lies at an address.
    fn read(&self, address: u64, bytes: usize) -> Vec<u8>;
    fn step<F: Float>(&mut self, plan: &Plan, verdict: Option<u64>, groups: &[Constants<F>]);
    fn squares<S: Stored>(&mut self, task: &Squares);
    fn judge(&mut self, task: &Judge);
    fn mask(&mut self, task: &Mask);
}

/// Numbers at an address.
pub fn numbers<S: Stored>(machine: &impl Machine, address: u64, count: usize) -> Vec<S> {
    bytemuck::pod_collect_to_vec(&machine.read(address, count * size_of::<S>()))
}

/// The first position at which numbers differ; one NaN is as good as another.
pub fn difference<S: Stored>(one: &[S], other: &[S]) -> Option<usize> {
    assert_eq!(one.len(), other.len());
    let bits = |value: &S| {
        let value = value.widen().to_f64();
        if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
    };
    one.iter().zip(other).position(|(one, other)| bits(one) != bits(other))
}
