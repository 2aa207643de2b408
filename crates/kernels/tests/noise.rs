//! The noise of stochastic rounding at positions beyond 2^32, and what it depends on. The words themselves are held to Random123 in
//! `precision.rs`.

use sagetrain_kernels::Noise;

fn draw(noise: Noise, start: u64, count: usize) -> Vec<u16> {
    let mut out = vec![0; count];
    noise.fill(start, &mut out);
    out
}

#[test]
fn noise_is_of_the_position_and_not_of_where_a_run_began() {
    let noise = Noise { seed: 7, step: 3, parameter: 2 };
    for first in [0u64, 1 << 20, (1 << 32) - 512, 1 << 32, (1 << 33) + 8, (1 << 35) - 2048] {
        let whole = draw(noise, first, 1021);
        for skip in [8, 128, 136, 1016] {
            assert_eq!(
                draw(noise, first + skip as u64, 1021 - skip),
                whole[skip..],
                "from {first} after {skip}"
            );
        }
    }
}

#[test]
fn positions_beyond_2_to_the_32_have_noise_of_their_own_and_repeat_after_2_to_the_35() {
    let noise = Noise { seed: 7, step: 3, parameter: 2 };
    let starts = [0u64, 1 << 31, 1 << 32, 3 << 32, (1 << 35) - 64];
    let draws = starts.map(|start| draw(noise, start, 64));
    for (index, one) in draws.iter().enumerate() {
        assert!(draws[..index].iter().all(|other| other != one), "{:#x}", starts[index]);
    }
    assert_eq!(draw(noise, 1 << 35, 64), draws[0]);
    let beyond = draw(noise, (1 << 35) - 64, 128);
    assert_eq!((&beyond[..64], &beyond[64..]), (&draws[4][..], &draws[0][..]));
}

#[test]
fn seed_step_and_parameter_are_all_in_it() {
    let noise = Noise { seed: 1, step: 1, parameter: 1 };
    let others = [
        Noise { seed: 2, ..noise },
        Noise { seed: 1 | 1 << 40, ..noise },
        Noise { step: 2, ..noise },
        Noise { step: 1 | 1 << 40, ..noise },
        Noise { parameter: 2, ..noise },
    ];
    assert!(others.iter().all(|other| draw(*other, 0, 64) != draw(noise, 0, 64)));
}

/// 16 bits that are even and independent enough: mean and variance of 2^18 draws within five standard errors.
#[test]
fn halves_are_uniform() {
    let draws = draw(Noise { seed: 9, step: 1, parameter: 0 }, 0, 1 << 18);
    let count = draws.len() as f64;
    let unit = |half: &u16| (f64::from(*half) + 0.5) / 65_536.0;
    let mean = draws.iter().map(unit).sum::<f64>() / count;
    let variance = draws.iter().map(|half| (unit(half) - 0.5).powi(2)).sum::<f64>() / count;
    assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / count).sqrt(), "{mean}");
    assert!((variance - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / count).sqrt(), "{variance}");
}
