//! The global norm: sums in the CPU's order, and what follows from them.

use crate::arrays::mixed;
use crate::emulator::Emulator;
use crate::machine::{Machine, numbers};
use sagetrain_kernels::cuda::{Judge, Squares, Verdict, parts};
use sagetrain_kernels::{BLOCK, Float, Isa, Stored, bf16, f16, sum_of_squares};

const LENGTHS: [usize; 10] = [1, 2, 127, 128, 129, 700, 5000, BLOCK - 1, BLOCK, 2 * BLOCK + 77];

/// The sums of all blocks are the CPU's, from addresses of every offset.
pub fn check_sums<S: Stored>(machine: &mut impl Machine, non_finite: bool) {
    let keep = |value: &f64| non_finite || value.is_finite() && value.abs() < 1e30;
    let numbers_of = |(i, &length): (usize, &usize)| -> Vec<S> {
        let finite = mixed(i as u64, 3 * length + 50).into_iter().filter(keep);
        finite.take(length).map(|value| S::narrow(S::Compute::from_f64(value))).collect()
    };
    let gradients: Vec<Vec<S>> = LENGTHS.iter().enumerate().map(numbers_of).collect();
    let place = |(i, gradient): (usize, &Vec<S>)| {
        let address = machine.place(bytemuck::cast_slice(gradient), i % 4 * size_of::<S>());
        (address, gradient.len() as u64)
    };
    let placed: Vec<(u64, u64)> = gradients.iter().enumerate().map(place).collect();
    let parts = parts(&placed, size_of::<S>() as u64, 1);
    let expected = gradients.iter().flat_map(|gradient| gradient.chunks(BLOCK));
    let expected: Vec<f64> = expected.map(|block| sum_of_squares(Isa::baseline(), block)).collect();
    let sums = machine.place(&vec![0; (parts.len() + 1) * 8], 0);
    let table = machine.place(bytemuck::cast_slice(&parts), 0);
    machine.squares::<S>(&Squares { parts: table, sums, count: parts.len() as u64 });
    let found = numbers::<f64>(machine, sums, parts.len() + 1);
    assert_eq!(found[0], 0.0, "the slot before the first");
    let differ = crate::machine::difference(&expected, &found[1..]);
    assert_eq!(differ, None, "{}", S::DTYPE);
}

/// Norm, factor and flags are those of the CPU's formula, of sums in order.
pub fn check_verdicts(machine: &mut impl Machine) {
    let largest = f64::from(f32::MAX);
    for count in [0, 1, 2, 255, 256, 257, 1000] {
        for (bad, checks) in
            [(None, 1), (Some(f64::NAN), 1), (Some(f64::INFINITY), 1), (Some(f64::NAN), 0), (Some(1e90), 1)]
        {
            for (unscale, max_norm) in
                [(1.0, 1.0), (1.0 / 3.0, f64::INFINITY), (1.0 / 65_536.0, 1e-3), (0.1, 1e9)]
            {
                let mut sums: Vec<f64> = mixed(7, count).into_iter().map(|value| value.abs()).collect();
                sums.iter_mut().filter(|sum| !(sum.is_finite() && **sum < 1e30)).for_each(|sum| *sum = 0.7);
                if let (Some(bad), Some(sum)) = (bad, sums.get_mut(count / 2)) {
                    *sum = bad;
                }
                let norm = sums.iter().fold(0.0, |sum, value| sum + value).sqrt() * unscale;
                let address = machine.place(bytemuck::cast_slice(&sums), 0);
                let verdict = machine.place(&[0xff; 24], 0);
                let (sums, count, sticky) = (address, count as u64, 0);
                let task = Judge { sums, verdict, count, unscale, max_norm, largest, checks, sticky };
                machine.judge(&task);
                let found: Verdict = bytemuck::pod_read_unaligned(&machine.read(verdict, 24));
                let factor = unscale * (max_norm / (norm + 1e-6)).min(1.0);
                let finite = norm <= largest;
                assert!(found.norm.to_bits() == norm.to_bits() || found.norm.is_nan() && norm.is_nan());
                assert_eq!(found.factor.to_bits(), factor.to_bits(), "{count} sums, {bad:?}, {task:?}");
                assert_eq!((found.finite, found.skip), (finite.into(), (!finite && checks == 1).into()));
            }
        }
    }
}

/// The first step that was not finite stays in a sticky verdict, whatever comes after it.
pub fn check_sticky(machine: &mut impl Machine) {
    let verdict = machine.place(&[0; 24], 0);
    let mut judge = |sticky, sum: f64| -> Verdict {
        let sums = machine.place(&sum.to_le_bytes(), 0);
        let (unscale, max_norm, largest) = (0.5, 1.0, f64::from(f32::MAX));
        machine.judge(&Judge { sums, verdict, count: 1, unscale, max_norm, largest, checks: 1, sticky });
        bytemuck::pod_read_unaligned(&machine.read(verdict, 24))
    };
    assert_eq!(judge(1, 16.0), Verdict { norm: 2.0, factor: 0.5 / (2.0 + 1e-6), finite: 1, skip: 0 });
    let bad = judge(2, f64::INFINITY);
    assert_eq!((bad.norm, bad.finite, bad.skip), (f64::INFINITY, 0, 2));
    assert_eq!(judge(3, 16.0), bad, "later gradients are finite");
    assert_eq!(judge(4, f64::INFINITY), bad, "and another that is not");
    assert_eq!(judge(0, 16.0).skip, 0, "a verdict that is not sticky stands for itself");
}

#[test]
fn sums_of_squares_have_the_order_of_the_cpu() {
    for non_finite in [false, true] {
        let Some(mut emulator) = Emulator::new() else { return };
        check_sums::<f32>(&mut emulator, non_finite);
        check_sums::<f64>(&mut emulator, non_finite);
        check_sums::<bf16>(&mut emulator, non_finite);
        check_sums::<f16>(&mut emulator, non_finite);
    }
}

#[test]
fn a_verdict_is_the_formula_of_the_cpu() {
    if let Some(mut emulator) = Emulator::new() {
        check_verdicts(&mut emulator);
        check_sticky(&mut emulator);
    }
}
