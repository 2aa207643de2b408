//! One definition, whatever it is compiled for: AVX-512, AVX2 and baseline give the same bits, whole or element by element.

use sagetrain_kernels::{
    Adam, AdamStep, Block, Decay, Float, Isa, Modulation, Probe, Sage, Sensing, sum_of_squares,
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

#[derive(Clone, PartialEq, Debug)]
struct Arrays<F> {
    parameter: Vec<F>,
    first: Vec<F>,
    second: Vec<F>,
    sensitivity: Vec<F>,
    seen: [Vec<F>; 5],
}

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

    /// One pass in pieces of `piece` elements.
    fn pass(
        &mut self,
        isa: Isa,
        adam: &Adam<F>,
        sensing: Sensing<'_, F>,
        gradient: &[F],
        piece: usize,
        watch: bool,
    ) {
        let [product, sensitivity, average, variation, modulation] = &mut self.seen;
        for from in (0..gradient.len()).step_by(piece) {
            let part = from..(from + piece).min(gradient.len());
            let block = Block {
                parameter: &mut self.parameter[part.clone()],
                gradient: &gradient[part.clone()],
                first: &mut self.first[part.clone()],
                second: &mut self.second[part.clone()],
                sensitivity: &mut self.sensitivity[part.clone()],
            };
            let probe = Probe {
                product: &mut product[part.clone()],
                sensitivity: &mut sensitivity[part.clone()],
                average: &mut average[part.clone()],
                variation: &mut variation[part.clone()],
                modulation: &mut modulation[part],
            };
            adam.apply(isa, sensing, block, watch.then_some(probe));
        }
    }

    /// Bits; one NaN is as good as another, since only its payload can differ.
    fn bits(&self) -> Vec<u64> {
        let all =
            [&self.parameter, &self.first, &self.second, &self.sensitivity].into_iter().chain(&self.seen);
        all.flatten()
            .map(|value| if value.to_f64().is_nan() { u64::MAX } else { value.to_f64().to_bits() })
            .collect()
    }
}

fn sensings<F: Float>(sage: &Sage<F>) -> Vec<Sensing<'_, F>> {
    let mut all = vec![Sensing::Off, Sensing::Watch(sage)];
    all.extend(MODULATIONS.map(|modulation| Sensing::Modulate(sage, modulation)));
    all
}

fn every_path_agrees<F: Float>(non_finite: bool) {
    let count = 403; // whole vectors of every width, and a tail
    let gradient = numbers::<F>(9, count, non_finite);
    let sage = Sage::new(0.75, 1e-12, 3);
    for decay in [Decay::Coupled, Decay::Decoupled, Decay::Modulated] {
        for betas in [[0.9, 0.999], [0.3, 0.98]] {
            let step = AdamStep {
                rate: 1e-3,
                betas,
                epsilon: 1e-8,
                decay,
                weight_decay: 0.1,
                gradient_factor: 0.3,
                step: 3,
            };
            let adam = Adam::<F>::new(&step);
            for sensing in sensings(&sage) {
                for watch in [false, true] {
                    let run = |isa, piece| {
                        let mut arrays = Arrays::<F>::new(count, non_finite);
                        arrays.pass(isa, &adam, sensing, &gradient, piece, watch);
                        arrays.bits()
                    };
                    let oracle = run(Isa::baseline(), 1);
                    for isa in Isa::available() {
                        for piece in [count, 97] {
                            assert!(run(isa, piece) == oracle, "{isa} {decay:?} {sensing:?} watch {watch}");
                        }
                    }
                }
            }
        }
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
