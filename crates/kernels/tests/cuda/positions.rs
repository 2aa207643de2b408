//! Beyond 2^32 elements: indices by themselves, and a kernel on the last block of a parameter of 2^33 elements.

use crate::emulator::Emulator;
use crate::machine::{Machine, difference, numbers};
use sagetrain_kernels::cuda::{Chunk, Constants, Family, Kept, Plan, Storage, Tensor, Variant};
use sagetrain_kernels::*;
use std::mem::{offset_of, size_of};

/// The text's struct, as far as the test rewrites it.
#[repr(C)]
struct Head {
    tensors: u64,
    chunks: u64,
    verdict: u64,
    count: u32,
}

#[test]
fn positions_take_64_bits() {
    let Some(emulator) = Emulator::new() else { return };
    let start = emulator.function::<unsafe extern "C" fn(u32) -> u64>("position_block_start");
    let length = emulator.function::<unsafe extern "C" fn(u32, u64) -> u32>("position_block_length");
    let address = emulator.function::<unsafe extern "C" fn(u64, u64, u32) -> u64>("position_address");
    let counter = emulator.function::<unsafe extern "C" fn(u64) -> u32>("position_noise_counter");
    let block = BLOCK as u64;
    // SAFETY: functions of numbers.
    unsafe {
        for number in [0, 1, 262_143, 262_144, 262_145, 1 << 30, u32::MAX] {
            assert_eq!(start(number), u64::from(number) * block);
            assert_eq!(length(number, u64::from(number) * block + 5), 5);
            assert_eq!(length(number, u64::from(number) * block + block), BLOCK as u32);
            assert_eq!(length(number, u64::from(number) * block + (block << 20)), BLOCK as u32);
        }
        for element in [0, 7, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 40) + 3] {
            assert_eq!(address(0x7f00_0000_0000, element, 8), 0x7f00_0000_0000 + element * 8);
            assert_eq!(counter(element), (element / 8) as u32);
        }
    }
}

/// The arrays exist only where the last block lies: their addresses are those of parameters that begin 2^33 elements earlier.
#[test]
fn the_last_block_of_2_to_the_33_elements_is_updated() {
    let Some(mut emulator) = Emulator::new() else { return };
    let (length, count) = ((1u64 << 33) + 77, 77);
    let start = length - count as u64;
    let noise = Noise { seed: 5, step: 9, parameter: 3 };
    let common = Common { rate: 0.01, decay: Decay::Coupled, weight_decay: 0.1, gradient_factor: 0.5 };
    let rule = Sgd::<f32>::new(&SgdStep { common, momentum: 0.9, nesterov: true });
    let parameter: Vec<bf16> = (0..count).map(|i| bf16::from_f32(i as f32 - 30.5)).collect();
    let gradient: Vec<bf16> = (0..count).map(|i| bf16::from_f32((i as f32).sin())).collect();
    let mut first = vec![0.25f32; count];
    let before = |address: u64, bytes: u64| address.wrapping_sub(start * bytes);
    let placed = [&parameter, &gradient].map(|array| emulator.place(bytemuck::cast_slice(array), 0));
    let buffer = emulator.place(bytemuck::cast_slice(&first), 0);
    let tensor = Tensor {
        parameter: before(placed[0], 2),
        gradient: before(placed[1], 2),
        first: before(buffer, 4),
        length,
        number: 3,
        ..Tensor::default()
    };
    let variant = Variant { family: Family::Sgd, storage: Storage::Bfloat16Stochastic, kept: Kept::Off };
    let plan = Plan::new(variant, &[tensor]).unwrap();
    let last = *plan.chunks().last().unwrap();
    assert_eq!((plan.chunks().len(), last), ((1 << 19) + 1, Chunk { tensor: 0, block: 1 << 19 }));
    let table = emulator.place(&plan.bytes(), 0);
    let constants = Constants::sgd(&rule).noise(noise.seed, noise.step);
    run_last(&emulator, &plan, table, &constants);

    let mut theta: Vec<f32> = parameter.iter().map(|value| value.to_f32()).collect();
    let gradient: Vec<f32> = gradient.iter().map(|value| value.to_f32()).collect();
    let block = Block {
        parameter: &mut theta,
        gradient: &gradient,
        first: &mut first,
        second: &mut [],
        sensitivity: &mut [],
    };
    rule.apply(Isa::baseline(), Sensing::Off, block);
    let mut expected = parameter;
    narrow_stochastically(Isa::baseline(), &theta, noise, start, &mut expected);
    assert_eq!(difference(&expected, &numbers::<bf16>(&emulator, placed[0], count)), None);
    assert_eq!(difference(&first, &numbers::<f32>(&emulator, buffer, count)), None);
}

/// Launches the last chunk of a plan alone.
fn run_last(emulator: &Emulator, plan: &Plan, table: u64, constants: &Constants<f32>) {
    let mut launch = plan.launch(table, None, &[*constants]).unwrap();
    let chunks = table + plan.bytes().len() as u64 - size_of::<Chunk>() as u64;
    // SAFETY: the launch begins with these fields, as the test of the layout says.
    unsafe {
        let head = std::ptr::from_mut(&mut launch).cast::<u8>();
        head.add(offset_of!(Head, chunks)).cast::<u64>().write(chunks);
        head.add(offset_of!(Head, count)).cast::<u32>().write(1);
    }
    emulator.run(&plan.variant().to_string(), &launch);
}

/// What does not fit a kernel is refused before anything is launched.
#[test]
fn a_plan_says_what_does_not_fit() {
    let variant = Variant { family: Family::Adam, storage: Storage::Bfloat16Master, kept: Kept::Compute };
    let whole = Tensor {
        parameter: 0x1000,
        gradient: 0x2000,
        first: 0x3000,
        second: 0x4000,
        sensitivity: 0x5000,
        fine: 0x6000,
        length: 10,
        ..Tensor::default()
    };
    let problem = |tensor: Tensor| Plan::new(variant, &[whole, tensor]).unwrap_err().to_string();
    assert_eq!(problem(Tensor { fine: 0, ..whole }), "tensor 1: adam_bfloat16_master_compute needs its fine");
    assert!(problem(Tensor { gradient: 0x2001, ..whole }).contains("0x2001, which is not a multiple of 2"));
    assert!(problem(Tensor { first: 0x3002, ..whole }).contains("not a multiple of 4"));
    assert!(problem(Tensor { group: 16, ..whole }).contains("group 16"));
    let absent = Variant { storage: Storage::Float64, kept: Kept::Bfloat16, ..variant };
    assert!(Plan::new(absent, &[]).is_err());
    assert_eq!(Variant::all().len(), 85);
}

/// So are constants that are not a kernel's.
#[test]
fn a_launch_says_what_does_not_fit() {
    let sgd = |momentum, sensing| {
        let common = Common { rate: 0.01, decay: Decay::Coupled, weight_decay: 0.1, gradient_factor: 0.5 };
        let rule = Sgd::<f32>::new(&SgdStep { common, momentum, nesterov: true });
        Constants::sgd(&rule).sensing(sensing)
    };
    let sage = Sage::uncorrected(0.75, 1e-12);
    let variant = Variant { family: Family::Sgd, storage: Storage::Float32, kept: Kept::Compute };
    let tensor =
        Tensor { parameter: 64, gradient: 128, sensitivity: 256, length: 1, group: 1, ..Tensor::default() };
    let problem = |variant, groups: &[Constants<f32>]| {
        let plan = Plan::new(variant, &[tensor]).unwrap();
        plan.launch(0, None, groups).map(|_| ()).unwrap_err().to_string()
    };
    let plain = sgd(0.0, Sensing::Watch(&sage));
    assert!(problem(variant, &[plain]).contains("must be 2 to 16"));
    assert!(problem(variant, &[plain; 17]).contains("17 groups"));
    assert!(problem(variant, &[plain, sgd(0.9, Sensing::Watch(&sage))]).contains("momentum"));
    assert!(problem(variant, &[plain, sgd(0.0, Sensing::Off)]).contains("sensitivity"));
    assert!(problem(Variant { kept: Kept::Off, ..variant }, &[plain; 2]).contains("senses"));
    let adam = Variant { family: Family::Adam, ..variant };
    let plan = Plan::new(adam, &[Tensor { first: 512, second: 1024, ..tensor }]).unwrap();
    assert!(plan.launch(0, None, &[plain; 2]).unwrap_err().to_string().contains("another rule"));
    assert!(plan.launch(4, None, &[plain; 2]).unwrap_err().to_string().contains("multiple of 8"));
    assert!(plan.launch::<f64>(0, None, &[Constants::default(); 2]).is_err());
}
