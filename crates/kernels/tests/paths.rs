//! One definition, whatever it is compiled for: AVX-512, AVX2 and baseline give the same bits, whole or element by element.

use sagetrain_kernels::{
    Adam, AdamStep, Adamax, AdamaxStep, Block, Common, Decay, Float, Isa, Modulation, Probe, ReleasedAdamW,
    ReleasedAdamax, ReleasedStep, Sage, Sensing, Sgd, SgdStep, Sight, look, sum_of_squares,
};

const MODULATIONS: [Modulation; 6] = [
    Modulation::Sage,
    Modulation::Product,
    Modulation::Inverse,
    Modulation::Average,
    Modulation::Reciprocal,
    Modulation::Variation,
];

/// Ordinary numbers of many sizes with every special one among them.
fn numbers<F: Float>(seed: u64, count: usize, non_finite: bool) -> Vec<F> {
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
        f64::NAN,
        f64::INFINITY,
        -f64::INFINITY,
    ];
    let special = &special[..if non_finite { 13 } else { 10 }];
    let number = |index: u64| {
        let mut z = (seed << 32 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        match z % 5 {
            0 => special[(z >> 8) as usize % special.len()],
            _ => ((z >> 11) as f64 / (1u64 << 52) as f64 - 1.0) * 2f64.powi((z % 40) as i32 - 30),
        }
    };
    (0..count as u64).map(|index| F::from_f64(number(index))).collect()
}

struct Arrays<F> {
    parameter: Vec<F>,
    first: Vec<F>,
    second: Vec<F>,
    sensitivity: Vec<F>,
    seen: [Vec<F>; 5],
}

/// Any of the rules, of one type.
type Apply<'a, F> = &'a dyn Fn(Isa, Sensing<'_, F>, Block<'_, F>);

impl<F: Float> Arrays<F> {
    fn new(count: usize, non_finite: bool) -> Self {
        let positive = |seed| numbers::<F>(seed, count, non_finite).into_iter().map(Float::abs).collect();
        Self {
            parameter: numbers(1, count, non_finite),
            first: numbers(2, count, non_finite),
            second: positive(3),
            sensitivity: positive(4),
            seen: std::array::from_fn(|_| vec![F::ZERO; count]),
        }
    }

    /// A look and a pass, in pieces of `piece` elements.
    fn pass(&mut self, isa: Isa, apply: Apply<'_, F>, sensing: Sensing<'_, F>, gradient: &[F], piece: usize) {
        let [product, sensitivity, average, variation, modulation] = &mut self.seen;
        for from in (0..gradient.len()).step_by(piece) {
            let part = from..(from + piece).min(gradient.len());
            let sight = Sight {
                parameter: &self.parameter[part.clone()],
                gradient: &gradient[part.clone()],
                sensitivity: &self.sensitivity[part.clone()],
                gradient_factor: F::from_f64(FACTOR),
            };
            let probe = Probe {
                product: &mut product[part.clone()],
                sensitivity: &mut sensitivity[part.clone()],
                average: &mut average[part.clone()],
                variation: &mut variation[part.clone()],
                modulation: &mut modulation[part.clone()],
            };
            look(isa, sensing, sight, probe);
            let block = Block {
                parameter: &mut self.parameter[part.clone()],
                gradient: &gradient[part.clone()],
                first: &mut self.first[part.clone()],
                second: &mut self.second[part.clone()],
                sensitivity: &mut self.sensitivity[part],
            };
            apply(isa, sensing, block);
        }
    }

    /// Bits; one NaN is as good as another, since only its payload can differ.
    fn bits(&self) -> Vec<u64> {
        let all =
            [&self.parameter, &self.first, &self.second, &self.sensitivity].into_iter().chain(&self.seen);
        let bits = |value: &F| if value.to_f64().is_nan() { u64::MAX } else { value.to_f64().to_bits() };
        all.flatten().map(bits).collect()
    }
}

const FACTOR: f64 = 0.3;

fn sensings<F: Float>(sage: &Sage<F>) -> Vec<Sensing<'_, F>> {
    let mut all = vec![Sensing::Off, Sensing::Watch(sage)];
    all.extend(MODULATIONS.map(|modulation| Sensing::Modulate(sage, modulation)));
    all
}

fn paths_agree<F: Float>(name: &str, apply: Apply<'_, F>, sensings: &[Sensing<'_, F>], non_finite: bool) {
    let count = 403; // whole vectors of every width, and a tail
    let gradient = numbers::<F>(9, count, non_finite);
    for sensing in sensings {
        let run = |isa, piece| {
            let mut arrays = Arrays::<F>::new(count, non_finite);
            arrays.pass(isa, apply, *sensing, &gradient, piece);
            arrays.bits()
        };
        let oracle = run(Isa::baseline(), 1);
        for isa in Isa::available() {
            for piece in [count, 97] {
                assert!(run(isa, piece) == oracle, "{name} on {isa}, {sensing:?}");
            }
        }
    }
}

fn every_path_agrees<F: Float>(non_finite: bool) {
    let sage = Sage::<F>::new(0.75, 1e-12, 3);
    let sensings = sensings(&sage);
    for decay in [Decay::Coupled, Decay::Decoupled, Decay::Modulated] {
        let common = Common { rate: 1e-3, decay, weight_decay: 0.1, gradient_factor: FACTOR };
        for betas in [[0.9, 0.999], [0.3, 0.98]] {
            let adam = Adam::new(&AdamStep { common, betas, epsilon: 1e-8, step: 3 });
            paths_agree(
                "adam",
                &|isa, sensing, block| adam.apply(isa, sensing, block),
                &sensings,
                non_finite,
            );
            let adamax = Adamax::new(&AdamaxStep { common, betas, epsilon: 1e-8, step: 3 });
            paths_agree(
                "adamax",
                &|isa, sensing, block| adamax.apply(isa, sensing, block),
                &sensings,
                non_finite,
            );
        }
        for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
            let sgd = Sgd::new(&SgdStep { common, momentum, nesterov });
            paths_agree("sgd", &|isa, sensing, block| sgd.apply(isa, sensing, block), &sensings, non_finite);
        }
    }
    let released = ReleasedStep {
        base_rate: 1e-3,
        multiplier: 0.5,
        weight_decay: 0.1,
        gradient_factor: FACTOR,
        betas: [0.9, 0.98],
        epsilon: 1e-6,
        step: 3,
    };
    let sensings = [Sensing::Off, Sensing::Modulate(&sage, Modulation::Released)];
    let adamw = ReleasedAdamW::new(&released);
    paths_agree(
        "released adamw",
        &|isa, sensing, block| adamw.apply(isa, sensing, block),
        &sensings,
        non_finite,
    );
    let adamax = ReleasedAdamax::new(&released);
    paths_agree(
        "released adamax",
        &|isa, sensing, block| adamax.apply(isa, sensing, block),
        &sensings,
        non_finite,
    );
}

/// What a report shows as r is the r of the step, to the bit.
#[test]
fn what_is_seen_is_what_is_applied() {
    let count = 403;
    let gradient = numbers::<f32>(9, count, false);
    let sage = Sage::new(0.75, 1e-12, 3);
    for modulation in MODULATIONS {
        let (mut arrays, mut expected) = (Arrays::<f32>::new(count, false), Arrays::<f32>::new(count, false));
        let common =
            Common { rate: 1.0, decay: Decay::Decoupled, weight_decay: 0.0, gradient_factor: FACTOR };
        let sgd = Sgd::new(&SgdStep { common, momentum: 0.0, nesterov: false });
        let apply: Apply<'_, f32> = &|isa, sensing, block| sgd.apply(isa, sensing, block);
        arrays.pass(Isa::best(), apply, Sensing::Modulate(&sage, modulation), &gradient, count);
        for (i, theta) in expected.parameter.iter_mut().enumerate() {
            *theta = (-arrays.seen[4][i]).mul_add(gradient[i] * FACTOR as f32, *theta);
        }
        // Rust leaves open which NaN an operation gives.
        let bit = |value: &f32| if value.is_nan() { f32::NAN } else { *value }.to_bits();
        let bits = |values: &[f32]| values.iter().map(bit).collect::<Vec<_>>();
        assert!(bits(&arrays.parameter) == bits(&expected.parameter), "{modulation:?}");
    }
}

#[test]
fn every_path_gives_the_bits_of_the_scalar_definition() {
    every_path_agrees::<f32>(false);
    every_path_agrees::<f64>(false);
}

#[test]
fn every_path_agrees_on_what_is_not_finite() {
    every_path_agrees::<f32>(true);
    every_path_agrees::<f64>(true);
}

#[test]
fn sums_of_squares_have_one_order() {
    for count in [0, 1, 127, 128, 129, 511, 512, 513, 5000] {
        let (single, double) = (numbers::<f32>(5, count, false), numbers::<f64>(6, count, false));
        let bits = |isa| (sum_of_squares(isa, &single).to_bits(), sum_of_squares(isa, &double).to_bits());
        let expected = bits(Isa::baseline());
        assert!(Isa::available().into_iter().all(|isa| bits(isa) == expected), "{count}");
    }
}

/// A reminder where the widest path cannot be tested.
#[test]
fn the_paths_tested_are_the_ones_there_are() {
    let names: Vec<String> = Isa::available().iter().map(Isa::to_string).collect();
    eprintln!("paths: {}", names.join(", "));
    assert_eq!(names[0], "baseline");
    assert_eq!(names.last(), Some(&Isa::best().to_string()));
}
