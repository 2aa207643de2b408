//! Parameters of 16 bits: conversions against the crate `half`, noise against Random123's known answers, and every path alike.

use sagetrain_kernels::{
    Isa, Noise, Stored, bf16, close_kahan, f16, narrow, narrow_stochastically, open_kahan, open_master, widen,
};

/// Every number of 16 bits.
fn all<S: Stored>() -> Vec<S> {
    let bits: Vec<u16> = (0..=u16::MAX).collect();
    bytemuck::cast_slice(&bits).to_vec()
}

/// Around every number of the type: itself, the middles to its neighbours, and a unit to either side of each; then some of everywhere.
fn around<S: Stored<Compute = f32>>() -> Vec<f32> {
    let wide: Vec<f32> =
        all::<S>().into_iter().map(Stored::widen).filter(|value| value.is_finite()).collect();
    let mut sorted = wide.clone();
    sorted.sort_by(f32::total_cmp);
    let middles = sorted.windows(2).map(|pair| pair[0] / 2.0 + pair[1] / 2.0);
    let points: Vec<f32> = wide.iter().copied().chain(middles).collect();
    let neighbours = |point: f32| [point.next_down(), point, point.next_up()];
    let near = points.into_iter().flat_map(neighbours);
    let anywhere = (0..=u32::MAX).step_by(65_521).map(f32::from_bits);
    near.chain(anywhere).chain([f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]).collect()
}

/// Bits, one NaN as good as another.
fn bits<S: Stored<Compute = f32>>(values: &[S]) -> Vec<u32> {
    values
        .iter()
        .map(|value| value.widen())
        .map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() })
        .collect()
}

fn converts_as_half<S: Stored<Compute = f32>>(to_f32: impl Fn(S) -> f32, from_f32: impl Fn(f32) -> S) {
    let (narrow_numbers, wide_numbers) = (all::<S>(), around::<S>());
    let expected: Vec<f32> = narrow_numbers.iter().map(|value| to_f32(*value)).collect();
    let nearest: Vec<S> = wide_numbers.iter().map(|value| from_f32(*value)).collect();
    for isa in Isa::available() {
        let (mut wide, mut stored) = (vec![0.0; expected.len()], vec![S::default(); nearest.len()]);
        widen(isa, &narrow_numbers, &mut wide);
        assert!(bits(&wide) == bits(&expected), "{} widened on {isa}", S::DTYPE);
        narrow(isa, &wide_numbers, &mut stored);
        for ((wide, found), expected) in wide_numbers.iter().zip(&stored).zip(&nearest) {
            let same = found.same(*expected) || found.widen().is_nan() && expected.widen().is_nan();
            assert!(same, "{} of {wide:e} on {isa}: {found:?}, half has {expected:?}", S::DTYPE);
        }
    }
}

#[test]
fn conversions_are_exact_one_way_and_to_nearest_even_the_other() {
    converts_as_half::<bf16>(bf16::to_f32, bf16::from_f32);
    converts_as_half::<f16>(f16::to_f32, f16::from_f32);
}

#[test]
fn noise_is_philox_as_random123_has_it() {
    let answers: [([u32; 4], [u32; 2], [u32; 4]); 2] = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    let join = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    for (counter, key, words) in answers {
        let noise =
            Noise { seed: join(key[0], key[1]), step: join(counter[2], counter[3]), parameter: counter[1] };
        let mut halves = [0; 8];
        noise.fill(u64::from(counter[0]) * 8, &mut halves);
        let expected = words.map(|word| [word as u16, (word >> 16) as u16]);
        assert_eq!(halves.as_slice(), expected.as_flattened());
    }
}

#[test]
fn noise_is_a_function_of_the_position() {
    let noise = Noise { seed: 5, step: 3, parameter: 2 };
    let mut whole = vec![0; 1000];
    noise.fill(0, &mut whole);
    for (from, length) in [(0, 7), (8, 300), (512, 129), (992, 8)] {
        let mut part = vec![0; length];
        noise.fill(from as u64, &mut part);
        assert_eq!(part, whole[from..from + length]);
    }
    // Beyond 2^32 elements the counter goes on.
    let (mut far, mut near) = ([0; 8], [0; 8]);
    noise.fill(1 << 33, &mut far);
    noise.fill(0, &mut near);
    assert_ne!(far, near);
}

#[test]
fn stochastic_rounding_takes_each_neighbour_at_the_odds_of_the_distances() {
    for value in [1.0f32, 1.001, -3.375, 1e-40, -2.5e38, 7.7e-12] {
        let (mut up, low) = (0u32, value.to_bits() & 0xffff);
        let toward_zero = bf16::from_bits((value.to_bits() >> 16) as u16);
        for noise in 0..=u16::MAX {
            let rounded = bf16::narrow_by(value, noise);
            let away = bf16::from_bits(toward_zero.to_bits() + 1);
            assert!(rounded.same(toward_zero) || rounded.same(away), "{value}");
            up += u32::from(rounded.same(away));
        }
        assert_eq!(up, low, "{value}: as many of 65,536 as the distance says");
    }
    for value in [f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(bf16::narrow_by(value, u16::MAX).to_f32(), value);
    }
    assert!(bf16::narrow_by(f32::NAN, u16::MAX).is_nan());
}

#[test]
fn every_path_rounds_stochastically_alike() {
    let numbers = around::<bf16>();
    let noise = Noise { seed: 9, step: 4, parameter: 1 };
    let run = |isa, start: u64| {
        let mut stored = vec![bf16::default(); numbers.len()];
        narrow_stochastically(isa, &numbers, noise, start, &mut stored);
        bits(&stored)
    };
    for start in [0, 512, 8 << 32] {
        let mut drawn = vec![0; numbers.len()];
        noise.fill(start, &mut drawn);
        let one_by_one = numbers.iter().zip(&drawn).map(|(value, noise)| bf16::narrow_by(*value, *noise));
        let expected = bits(&one_by_one.collect::<Vec<_>>());
        assert!(Isa::available().into_iter().all(|isa| run(isa, start) == expected));
    }
}

#[test]
fn a_master_stands_for_its_parameter_until_somebody_writes_to_that() {
    for isa in Isa::available() {
        let mut stored = [1.0, -0.0, 2.0, 0.0, f32::NAN].map(bf16::from_f32);
        let mut master = [0.0f32; 5];
        open_master(isa, &stored, &mut master);
        assert_eq!(
            master[..4].iter().map(|m| m.to_bits()).collect::<Vec<_>>(),
            [1f32.to_bits(), (-0f32).to_bits(), 2f32.to_bits(), 0]
        );
        assert!(master[4].is_nan());
        master = [1.001, -1e-9, 2.0001, 3e-41, 1.0];
        narrow(isa, &master, &mut stored);
        let kept = master;
        open_master(isa, &stored, &mut master);
        assert_eq!(master, kept, "small differences stay");
        stored[2] = bf16::from_f32(5.0);
        open_master(isa, &stored, &mut master);
        assert_eq!(master, [kept[0], kept[1], 5.0, kept[3], kept[4]]);
    }
}

#[test]
fn kahan_keeps_twice_the_bits() {
    let numbers: Vec<f32> =
        (0..50_000u32).map(|n| (n as f32 * 0.37).sin() * 2f32.powi(n as i32 % 40 - 20)).collect();
    for isa in Isa::available() {
        let (mut stored, mut compensation) = (vec![bf16::default(); 50_000], vec![bf16::default(); 50_000]);
        close_kahan(isa, &numbers, &mut stored, &mut compensation);
        let mut opened = vec![0.0; 50_000];
        open_kahan(isa, &stored, &compensation, &mut opened);
        for ((number, opened), stored) in numbers.iter().zip(&opened).zip(&stored) {
            assert!(stored.same(bf16::from_f32(*number)));
            assert!((number - opened).abs() <= number.abs() * 2f32.powi(-16), "{number} {opened}");
        }
        // Written to since: beside 0 a compensation is too large to be what rounding left, beside 1.5 it is not.
        let (mut stored, mut compensation) = ([bf16::default(); 2], [bf16::default(); 2]);
        close_kahan(isa, &[1.003, 1.003], &mut stored, &mut compensation);
        let kept = compensation[0].to_f32();
        assert!(kept != 0.0 && stored[0] == bf16::ONE);
        stored = [bf16::ZERO, bf16::from_f32(1.5)];
        let mut opened = [0.0; 2];
        open_kahan(isa, &stored, &compensation, &mut opened);
        assert_eq!(opened, [0.0, 1.5 + kept]);
    }
}
