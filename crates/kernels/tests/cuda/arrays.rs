//! Tensors of every awkward kind, and what the scalar rules make of them.

use crate::groups::{Group, SEED, STEP};
use crate::machine::{Machine, difference, numbers};
use sagetrain_kernels::cuda::{Kept, Storage, Tensor, Variant};
use sagetrain_kernels::*;

/// Ordinary numbers of many sizes with every special one among them.
pub fn mixed(seed: u64, count: usize) -> Vec<f64> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1e-45,
        -1e-40,
        1e-310,
        3e38,
        -1e300,
        1e-20,
        65_519.0,
        3e-6,
        f64::NAN,
        f64::INFINITY,
        -f64::INFINITY,
    ];
    let number = |index: u64| {
        let mut z = (seed << 32 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        match z % 7 {
            0 => special[(z >> 8) as usize % special.len()],
            _ => ((z >> 11) as f64 / (1u64 << 52) as f64 - 1.0) * 2f64.powi((z % 40) as i32 - 30),
        }
    };
    (0..count as u64).map(number).collect()
}

fn stored<S: Stored>(seed: u64, count: usize) -> Vec<S> {
    mixed(seed, count).into_iter().map(|value| S::narrow(S::Compute::from_f64(value))).collect()
}

/// The arrays of one parameter, on the host. E is of type `E`, the master or compensation of type `M`.
#[derive(Clone)]
pub struct Arrays<S: Stored, E, M> {
    parameter: Vec<S>,
    gradient: Vec<S>,
    first: Vec<S::Compute>,
    second: Vec<S::Compute>,
    sensitivity: Vec<E>,
    fine: Vec<M>,
    average: Vec<S::Compute>,
}

impl<S, E, M> Arrays<S, E, M>
where
    S: Stored,
    E: Stored<Compute = S::Compute>,
    M: Stored<Compute = S::Compute>,
{
    /// `averaged`: whether there is an average of the parameters.
    pub fn new(variant: Variant, seed: u64, count: usize, averaged: bool) -> Self {
        let parameter = stored::<S>(seed, count);
        let positive = |seed| stored::<S::Compute>(seed, count).into_iter().map(Float::abs).collect();
        let kept = if variant.kept == Kept::Off { 0 } else { count };
        let average = if averaged { count } else { 0 };
        let mut sensitivity = stored::<E>(seed + 4, kept);
        sensitivity.iter_mut().for_each(|value| *value = E::narrow(value.widen().abs()));
        Self {
            gradient: stored(seed + 1, count),
            first: stored(seed + 2, count),
            second: positive(seed + 3),
            sensitivity,
            fine: fine(variant.storage, seed + 5, &parameter),
            average: stored(seed + 6, average),
            parameter,
        }
    }

    /// What the CPU makes of them.
    pub fn step(&mut self, storage: Storage, group: &Group, factor: f64, number: u32) {
        let isa = Isa::baseline();
        let zeros = || vec![S::Compute::ZERO; self.parameter.len()];
        let (mut theta, mut gradient, mut sensitivity) = (zeros(), zeros(), zeros());
        sensitivity.truncate(self.sensitivity.len());
        widen(isa, &self.gradient, &mut gradient);
        widen(isa, &self.sensitivity, &mut sensitivity);
        self.open(storage, &mut theta);
        let sage = group.sage();
        let block = Block {
            parameter: &mut theta,
            gradient: &gradient,
            first: &mut self.first,
            second: &mut self.second,
            sensitivity: &mut sensitivity,
        };
        (group.rule(factor).1)(group.sensing(&sage), block);
        narrow(isa, &sensitivity, &mut self.sensitivity);
        match group.average {
            _ if self.average.is_empty() => {}
            None => self.average.copy_from_slice(&theta),
            Some(decay) => sagetrain_kernels::Average::new(decay).apply(isa, &theta, &mut self.average),
        }
        self.close(storage, &theta, number);
    }

    fn open(&mut self, storage: Storage, theta: &mut [S::Compute]) {
        let isa = Isa::baseline();
        match storage {
            Storage::Bfloat16Master | Storage::Float16Master => {
                widen(isa, &self.fine, theta);
                open_master(isa, &self.parameter, theta);
            }
            Storage::Bfloat16Kahan => {
                open_kahan(isa, &self.parameter, bytemuck::cast_slice(&self.fine), theta)
            }
            _ => widen(isa, &self.parameter, theta),
        }
    }

    fn close(&mut self, storage: Storage, theta: &[S::Compute], number: u32) {
        let isa = Isa::baseline();
        match storage {
            Storage::Bfloat16Stochastic => {
                let noise = Noise { seed: SEED, step: STEP, parameter: number };
                narrow_stochastically(isa, theta, noise, 0, &mut self.parameter);
            }
            Storage::Bfloat16Kahan => {
                close_kahan(isa, theta, &mut self.parameter, bytemuck::cast_slice_mut(&mut self.fine));
            }
            _ => {
                narrow(isa, theta, &mut self.parameter);
                let kept = self.fine.len();
                narrow(isa, &theta[..kept], &mut self.fine);
            }
        }
    }

    /// Places them on a machine, each `off` elements beyond a multiple of 256 bytes.
    pub fn place(&self, machine: &mut impl Machine, off: usize, group: u32, number: u32) -> Tensor {
        fn put<T: bytemuck::Pod>(machine: &mut impl Machine, array: &[T], off: usize) -> u64 {
            if array.is_empty() {
                0
            } else {
                machine.place(bytemuck::cast_slice(array), off * size_of::<T>())
            }
        }
        Tensor {
            parameter: put(machine, &self.parameter, off),
            gradient: put(machine, &self.gradient, off),
            first: put(machine, &self.first, off),
            second: put(machine, &self.second, off),
            sensitivity: put(machine, &self.sensitivity, off),
            fine: put(machine, &self.fine, off),
            average: put(machine, &self.average, off),
            length: self.parameter.len() as u64,
            group,
            number,
        }
    }

    /// The first element that a machine has otherwise.
    pub fn differs(&self, machine: &impl Machine, tensor: &Tensor) -> Option<String> {
        fn one<T: Stored>(
            name: &str,
            machine: &impl Machine,
            address: u64,
            expected: &[T],
        ) -> Option<String> {
            let found = numbers::<T>(machine, address, expected.len());
            let at = difference(expected, &found)?;
            Some(format!("{name}[{at}] of {} is {:?}, not {:?}", found.len(), found[at], expected[at]))
        }
        one("parameter", machine, tensor.parameter, &self.parameter)
            .or_else(|| one("gradient", machine, tensor.gradient, &self.gradient))
            .or_else(|| one("first", machine, tensor.first, &self.first))
            .or_else(|| one("second", machine, tensor.second, &self.second))
            .or_else(|| one("sensitivity", machine, tensor.sensitivity, &self.sensitivity))
            .or_else(|| one("fine", machine, tensor.fine, &self.fine))
            .or_else(|| one("average", machine, tensor.average, &self.average))
    }
}

/// Masters and compensations that mostly belong to the parameters: what somebody has written to since has others.
fn fine<S: Stored, M: Stored<Compute = S::Compute>>(storage: Storage, seed: u64, parameter: &[S]) -> Vec<M> {
    let count = if storage.fine_bytes() > 0 { parameter.len() } else { 0 };
    let noise = mixed(seed, count);
    let fine = |(i, (parameter, noise)): (usize, (&S, f64))| {
        let (theta, unit) = (parameter.widen().to_f64(), (noise.abs() * 1e3).fract() - 0.5);
        let unit = if unit.is_finite() { unit } else { 0.0 };
        let near =
            theta * unit * if storage == Storage::Float16Master { 2f64.powi(-11) } else { 2f64.powi(-8) };
        let value = match (i % 4, storage) {
            (0, _) => noise,
            (_, Storage::Bfloat16Kahan) => near,
            _ => theta + near,
        };
        M::narrow(S::Compute::from_f64(value))
    };
    parameter.iter().zip(noise).enumerate().map(fine).collect()
}
