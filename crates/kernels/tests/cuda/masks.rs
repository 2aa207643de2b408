//! Dropout's masks: the draws of the definition, from the noise of stochastic rounding, which is the same Philox.

use crate::emulator::Emulator;
use crate::machine::Machine;
use sagetrain_kernels::Noise;
use sagetrain_kernels::cuda::Mask;

const GROUP: usize = Mask::GROUP as usize;

/// Every byte is that of the definition, and none behind the last group is written.
pub fn check_masks(machine: &mut impl Machine) {
    let (seed, step, stream) = (0x0123_4567_89ab_cdef, 0x1_0000_0005, 0xfedc_ba98);
    for groups in [1, 2, 33, 2500] {
        for threshold in [0, 1, 6554, 65_535] {
            let dropped = machine.place(&vec![7; groups * GROUP + 3], 0);
            machine.mask(&Mask { dropped, seed, step, groups: groups as u64, stream, threshold });
            let mut expected = dropped_of(Noise { seed, step, parameter: stream }, groups, threshold);
            expected.extend([7; 3]);
            let found = machine.read(dropped, expected.len());
            assert!(found == expected, "{groups} groups, threshold {threshold}");
        }
    }
}

fn dropped_of(noise: Noise, groups: usize, threshold: u32) -> Vec<u8> {
    // Eight halves a counter, word after word.
    let mut halves = vec![0; groups * GROUP];
    noise.fill(0, &mut halves);
    let draw = |element: usize| {
        let (counter, word) = (element / GROUP * 16 + element % 32 / 2, element % GROUP / 32);
        halves[counter * 8 + word * 2 + element % 2]
    };
    (0..groups * GROUP).map(|element| u8::from(u32::from(draw(element)) < threshold)).collect()
}

#[test]
fn masks_have_the_draws_of_the_definition() {
    let Some(mut emulator) = Emulator::new() else { return };
    check_masks(&mut emulator);
}
