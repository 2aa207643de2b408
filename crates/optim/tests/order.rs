//! The order of parameters, where tensors end and how many threads there are change no bit of any optimizer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/family.rs"]
mod family;
mod support;

use family::{ALL, Which, bits, cast, made, state_bits};
use sagetrain_kernels::{BLOCK, Isa, sum_of_squares};
use sagetrain_optim::{Float, OptimizerSpec, Pool, Serial, StepInputs};
use serde_json::{Value, json};
use support::{Bench, numbers, options, spec};

const STEPS: u64 = 3;

fn spec_of(which: Which) -> OptimizerSpec {
    made(which, 0.8, 1e-2, 0.1, &[])
}

/// Bits of each tensor and its states by name, and of what was reported of it but for the samples.
fn outcome<F: Float>(bench: &Bench<F>, names: &[&str]) -> Vec<(String, Vec<u64>)> {
    let mut all: Vec<_> =
        names.iter().zip(&bench.data).map(|(name, data)| ((*name).to_owned(), bits(data))).collect();
    all.extend(bench.optimizer.state().into_iter().map(|(name, _, values)| (name, state_bits(values))));
    for tensor in &bench.optimizer.sensitivity().unwrap().tensors {
        let summaries = [&tensor.sensitivity, &tensor.average, &tensor.variation, &tensor.modulation];
        let numbers =
            |summary: &&sagetrain_optim::Summary| [summary.mean, summary.variance, summary.min, summary.max];
        let mut seen: Vec<f64> = summaries.iter().flat_map(numbers).collect();
        seen.push(tensor.signed_sum);
        all.push((format!("{} seen", tensor.name), bits(&seen)));
    }
    all.sort();
    all
}

/// Runs tensors of these names, whose content goes by `seed`, in this order.
fn run<F: Float>(
    which: Which,
    tensors: &[(&str, u64, usize)],
    extra: &Value,
    seeds: impl Fn(u64, u64) -> u64,
) -> Vec<(String, Vec<u64>)> {
    let start: Vec<(&str, Vec<F>)> =
        tensors.iter().map(|(name, seed, size)| (*name, numbers(*seed, *size))).collect();
    let mut bench = Bench::new(&spec_of(which), &options(extra.clone()), &start);
    for step in 1..=STEPS {
        let gradient = |(_, seed, size): &(&str, u64, usize)| numbers(seeds(step, *seed), *size);
        bench.step(&tensors.iter().map(gradient).collect::<Vec<Vec<F>>>());
    }
    outcome(&bench, &tensors.iter().map(|(name, ..)| *name).collect::<Vec<_>>())
}

#[test]
fn the_order_of_parameters_changes_no_bit() {
    let tensors = [("a", 1, 20_000), ("b", 2, 7), ("c", 3, 0), ("d", 4, BLOCK), ("e", 5, 1)];
    let extra = json!({
        "groups": [{ "include": ["b", "d"], "lr": 0.5, "beta0": 0.3 }, { "include": ["e"], "weightDecay": 0.0 }],
        "average": { "decay": 0.9 },
    });
    for which in ALL {
        let seeds = |step, seed| 100 * step + seed;
        let straight = run::<f32>(which, &tensors, &extra, seeds);
        for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
            assert!(
                run::<f32>(which, &order.map(|index| tensors[index]), &extra, seeds) == straight,
                "{which:?}"
            );
        }
    }
    let small = [tensors[1], tensors[2], tensors[4]];
    let extra = json!({});
    for which in ALL {
        let seeds = |step, seed| 100 * step + seed;
        let straight = run::<f64>(which, &small, &extra, seeds);
        assert!(run::<f64>(which, &[small[2], small[0], small[1]], &extra, seeds) == straight, "{which:?}");
    }
}

/// Sums of squares block by block, as the norm of tensors of these gradients adds them.
fn block_sums(gradients: &[Vec<f32>]) -> Vec<f64> {
    let blocks = gradients.iter().flat_map(|gradient| gradient.chunks(BLOCK));
    blocks.map(|block| sum_of_squares(Isa::baseline(), block)).collect()
}

/// Blocks' sums of squares are added in the order of the parameters, so another order, or other tensors with the same elements, may give
/// another last bit of the norm and with it of a clipped step. Nothing else may differ.
#[test]
fn the_norm_is_the_sum_over_blocks_in_the_order_of_parameters() {
    // More than a second thread is worth waking for.
    let sizes = [BLOCK + 1, 3, 0, 12 * BLOCK];
    let start: Vec<(&str, Vec<f32>)> =
        ["a", "b", "c", "d"].into_iter().zip(sizes.map(|size| vec![0.5; size])).collect();
    let extra = options(json!({ "maxGradientNorm": 1.0 }));
    let drawn = |seed: u64| sizes.map(|size| numbers::<f32>(seed + size as u64, size)).to_vec();
    let reversed = |gradients: &[Vec<f32>]| block_sums(gradients).iter().rev().sum::<f64>().sqrt();
    let norm = |gradients: &[Vec<f32>]| block_sums(gradients).iter().sum::<f64>().sqrt();
    let telling = (0..100).map(drawn).find(|gradients| norm(gradients) != reversed(gradients));
    let gradients = telling.unwrap_or_else(|| panic!("no gradients tell the order"));
    for threads in [1, 2, 8] {
        let mut bench = Bench::new(&spec("adam", &json!({ "lr": 0.1, "sage": {} })), &extra, &start);
        let report = bench.try_step(&gradients, StepInputs::default(), &Pool::new(threads).unwrap()).unwrap();
        assert_eq!(report.gradient_norm, Some(norm(&gradients)), "{threads} threads");
    }
}

#[test]
fn clipping_by_a_norm_that_is_exact_depends_on_neither_order_nor_cuts() {
    let whole: Vec<f64> = (0..BLOCK + 100).map(|index| ((index * 37 % 17) as f64 - 8.0) / 4.0).collect();
    let extra = options(json!({ "maxGradientNorm": 1.0 }));
    for which in ALL {
        let stepped = |cuts: &[usize], reverse: bool| {
            let mut parts: Vec<&[f64]> = cuts.windows(2).map(|cut| &whole[cut[0]..cut[1]]).collect();
            if reverse {
                parts.reverse();
            }
            let names: Vec<String> = (0..parts.len()).map(|part| part.to_string()).collect();
            let start: Vec<(&str, Vec<f64>)> = names
                .iter()
                .zip(&parts)
                .map(|(name, part)| (name.as_str(), part.iter().map(|g| g + 3.0).collect()))
                .collect();
            let mut bench = Bench::new(&spec_of(which), &extra, &start);
            let gradients: Vec<Vec<f64>> = parts.iter().map(|part| part.to_vec()).collect();
            (0..STEPS).for_each(|_| assert!(bench.step(&gradients).gradient_norm > Some(1.0)));
            let mut data = bench.data;
            if reverse {
                data.reverse();
            }
            bits(&data.concat())
        };
        let expected = stepped(&[0, whole.len()], false);
        for reverse in [false, true] {
            assert!(stepped(&[0, 1, 77, 9_000, BLOCK, whole.len()], reverse) == expected, "{which:?}");
        }
    }
}

/// One tensor, or the same elements in tensors that begin and end anywhere.
fn cuts_change_nothing<F: Float>(which: Which, size: usize, cuts: &[usize]) {
    let all: Vec<F> = numbers(3, size);
    let split = |values: &[F]| -> Vec<Vec<F>> {
        cuts.windows(2).map(|cut| values[cut[0]..cut[1]].to_vec()).collect()
    };
    let names: Vec<String> = (1..cuts.len()).map(|part| part.to_string()).collect();
    let parts: Vec<(&str, Vec<F>)> = names.iter().map(String::as_str).zip(split(&all)).collect();
    let extra = options(json!({ "average": { "decay": 0.9 } }));
    let mut whole = Bench::new(&spec_of(which), &extra, &[("w", all)]);
    let mut cut = Bench::new(&spec_of(which), &extra, &parts);
    for step in 0..STEPS {
        let gradient: Vec<F> = numbers(step + 40, size);
        cut.step(&split(&gradient));
        whole.step(&[gradient]);
    }
    assert!(bits(&cut.data.concat()) == bits(&whole.data[0]), "{which:?} {}", F::DTYPE);
    for (name, _, values) in whole.optimizer.state() {
        let state = name.strip_prefix("w/").unwrap();
        let parts: Vec<F> = names.iter().flat_map(|part| cut.state(&format!("{part}/{state}"))).collect();
        assert!(bits(&parts) == state_bits(values), "{which:?} {} {state}", F::DTYPE);
    }
}

#[test]
fn where_tensors_end_changes_no_bit() {
    let size = BLOCK + 600;
    let cuts = [0, 1, 18, 18, 511, 1024, BLOCK - 1, BLOCK, BLOCK + 1, size];
    for which in ALL {
        cuts_change_nothing::<f32>(which, size, &cuts);
        cuts_change_nothing::<f64>(which, 700, &[0, 3, 512, 513, 700]);
    }
}

/// Bits after some steps over tensors of awkward sizes, large enough together that every thread gets work.
fn threaded<F: Float>(which: Which, threads: usize) -> Vec<(String, Vec<u64>)> {
    let sizes = [2 * 65_536 + 3, BLOCK - 1, BLOCK, BLOCK + 1, 1, 0, 65_536, 3 * BLOCK];
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    // Cheap to make: a thousand numbers over and over, which meet differently in θ and g.
    let repeated = |seed: u64, size: usize| -> Vec<F> {
        let some: Vec<f64> = numbers(seed, 1009);
        cast(&(0..size).map(|index| some[index % 1009]).collect::<Vec<_>>())
    };
    let start: Vec<(&str, Vec<F>)> = names
        .into_iter()
        .zip(sizes)
        .enumerate()
        .map(|(seed, (name, size))| (name, repeated(seed as u64, size)))
        .collect();
    let extra = options(json!({ "maxGradientNorm": 1.0, "average": { "decay": 0.9 } }));
    let spec = made(which, 0.8, 1e-2, 0.1, &[("observe", json!({ "every": 2 }))]);
    let mut bench = Bench::new(&spec, &extra, &start);
    let pool = Pool::new(threads).unwrap();
    for step in 1..=2 {
        let gradients: Vec<Vec<F>> =
            sizes.iter().enumerate().map(|(seed, size)| repeated(100 * step + seed as u64, *size)).collect();
        match threads {
            1 => bench.try_step(&gradients, StepInputs::default(), &Serial).unwrap(),
            _ => bench.try_step(&gradients, StepInputs::default(), &pool).unwrap(),
        };
    }
    outcome(&bench, &names)
}

#[test]
fn threads_change_no_bit_of_any_optimizer() {
    for which in ALL {
        let one = threaded::<f32>(which, 1);
        assert!([2, 3, 8].iter().all(|threads| threaded::<f32>(which, *threads) == one), "{which:?}");
    }
    for which in ALL.into_iter().step_by(3) {
        assert!(threaded::<f64>(which, 1) == threaded::<f64>(which, 3), "{which:?}");
    }
}

/// A scalar, a row of one and part of a longer row are one thing; sizes about a block's and a vector's too.
#[test]
fn elements_do_not_know_the_shape_they_are_in() {
    for which in ALL {
        for size in [0, 1, 2, 15, 16, 17, 511, 512, 513, BLOCK - 1, BLOCK, BLOCK + 1] {
            let (mut bench, mut longer) = (
                Bench::<f32>::plain(&spec_of(which), &[("w", numbers(1, size))]),
                Bench::<f32>::plain(&spec_of(which), &[("w", numbers(1, BLOCK + 2))]),
            );
            let gradient: Vec<f32> = numbers(2, BLOCK + 2);
            bench.step(&[gradient[..size].to_vec()]);
            longer.step(&[gradient]);
            assert!(bits(&bench.data[0]) == bits(&longer.data[0][..size]), "{which:?} {size}");
        }
    }
}
