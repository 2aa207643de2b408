//! The same text compiled as C++ gives the scalar rules' bits.

use crate::arrays::Arrays;
use crate::emulator::Emulator;
use crate::groups::{FACTOR, groups};
use crate::machine::Machine;
use sagetrain_kernels::cuda::{Kept, Plan, Storage, Tensor, Variant, Verdict};
use sagetrain_kernels::{Stored, bf16, f16};

/// Lengths of whole vectors, of tails, and of more than a block; with every offset they make heads as well.
const LENGTHS: [usize; 9] = [1, 3, 4, 7, 64, 403, 1029, 0, 16_384 + 1027];
const BIG_NUMBER: u32 = 0xfedc_ba98;

/// Runs all groups of a variant over tensors of all lengths and offsets: one launch each, as many as groups need.
pub fn check<S, E, M>(variant: Variant, machine: &mut impl Machine, verdict: Option<Verdict>)
where
    S: Stored,
    E: Stored<Compute = S::Compute>,
    M: Stored<Compute = S::Compute>,
{
    let verdict_address = verdict.map(|verdict| machine.place(bytemuck::bytes_of(&verdict), 0));
    let factor = verdict.map_or(FACTOR, |verdict| verdict.factor);
    for (launch, groups) in groups(variant).into_iter().enumerate() {
        let count = groups.len().max(LENGTHS.len());
        let of_tensor =
            |i: usize| (&groups[i % groups.len()], i % groups.len(), LENGTHS[(i + launch) % LENGTHS.len()]);
        let mut arrays: Vec<Arrays<S, E, M>> =
            (0..count).map(|i| Arrays::new(variant, 10 * i as u64, of_tensor(i).2, i % 2 == 0)).collect();
        let place = |(i, arrays): (usize, &Arrays<S, E, M>)| {
            arrays.place(machine, [0, 1, 2, 3, 5][i % 5], of_tensor(i).1 as u32, BIG_NUMBER + i as u32)
        };
        let tensors: Vec<Tensor> = arrays.iter().enumerate().map(place).collect();
        // Constants carry a factor of their own, which a verdict overrides.
        let constants: Vec<_> = groups.iter().map(|group| group.constants::<S::Compute>(FACTOR)).collect();
        machine.step(&Plan::new(variant, &tensors).unwrap(), verdict_address, &constants);
        for (i, (arrays, tensor)) in arrays.iter_mut().zip(&tensors).enumerate() {
            if verdict.is_none_or(|verdict| verdict.skip == 0) {
                arrays.step(variant.storage, of_tensor(i).0, factor, BIG_NUMBER + i as u32);
            }
            if let Some(difference) = arrays.differs(machine, tensor) {
                panic!("{variant}, tensor {i}, {:?}: {difference}", of_tensor(i));
            }
        }
    }
}

/// [`check`] with the types of a variant.
pub fn check_any(variant: Variant, machine: &mut impl Machine, verdict: Option<Verdict>) {
    match (variant.storage, variant.kept) {
        (Storage::Float64, _) => check::<f64, f64, f64>(variant, machine, verdict),
        (Storage::Float32, Kept::Bfloat16) => check::<f32, bf16, f32>(variant, machine, verdict),
        (Storage::Float32, _) => check::<f32, f32, f32>(variant, machine, verdict),
        (Storage::Float16Master, Kept::Bfloat16) => check::<f16, bf16, f32>(variant, machine, verdict),
        (Storage::Float16Master, _) => check::<f16, f32, f32>(variant, machine, verdict),
        (Storage::Bfloat16Master, Kept::Bfloat16) => check::<bf16, bf16, f32>(variant, machine, verdict),
        (Storage::Bfloat16Master, _) => check::<bf16, f32, f32>(variant, machine, verdict),
        (_, Kept::Bfloat16) => check::<bf16, bf16, bf16>(variant, machine, verdict),
        (_, _) => check::<bf16, f32, bf16>(variant, machine, verdict),
    }
}

#[test]
fn every_kernel_gives_the_bits_of_the_scalar_rule() {
    for variant in Variant::all() {
        let Some(mut emulator) = Emulator::new() else { return };
        check_any(variant, &mut emulator, None);
    }
}

#[test]
fn a_verdict_scales_the_gradients_or_skips_the_step() {
    for variant in Variant::all() {
        let Some(mut emulator) = Emulator::new() else { return };
        let verdict = Verdict { norm: 3.0, factor: 0.123_456_789, finite: 1, skip: 0 };
        check_any(variant, &mut emulator, Some(verdict));
        check_any(variant, &mut emulator, Some(Verdict { skip: 1, finite: 0, ..verdict }));
    }
}
