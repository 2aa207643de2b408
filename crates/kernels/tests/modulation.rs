//! Properties of r that hold for any parameters and gradients.

use sagetrain_kernels::{Adam, AdamStep, Block, Decay, Float, Isa, Modulation, Probe, Sage, Sensing};

const EPSILON: f64 = 1e-12;

/// Arrays of one run; what was seen is that of the last step.
struct Run<F> {
    parameter: Vec<F>,
    first: Vec<F>,
    second: Vec<F>,
    average: Vec<F>,
    sensitivity: Vec<F>,
    modulation: Vec<F>,
}

impl<F: Float> Run<F> {
    fn new(parameter: Vec<F>) -> Self {
        let zeros = vec![F::ZERO; parameter.len()];
        Self {
            first: zeros.clone(),
            second: zeros.clone(),
            average: zeros.clone(),
            sensitivity: zeros.clone(),
            modulation: zeros,
            parameter,
        }
    }

    fn step(&mut self, gradient: &[F], beta0: f64, weight_decay: f64, step: u64) {
        let adam = Adam::new(&AdamStep {
            rate: 1e-3,
            betas: [0.9, 0.98],
            epsilon: 1e-8,
            decay: Decay::Decoupled,
            weight_decay,
            gradient_factor: 1.0,
            step,
        });
        let mut spare = vec![F::ZERO; gradient.len()];
        let (product, rest) = (&mut spare.clone()[..], &mut spare[..]);
        let probe = Probe {
            product,
            sensitivity: &mut self.sensitivity,
            average: rest,
            variation: &mut vec![F::ZERO; gradient.len()],
            modulation: &mut self.modulation,
        };
        let block = Block {
            parameter: &mut self.parameter,
            gradient,
            first: &mut self.first,
            second: &mut self.second,
            sensitivity: &mut self.average,
        };
        let sage = Sage::new(beta0, EPSILON, step);
        adam.apply(Isa::best(), Sensing::Modulate(&sage, Modulation::Sage), block, Some(probe));
    }
}

fn numbers<F: Float>(seed: u64, count: usize, binades: u64) -> Vec<F> {
    let number = |index: u64| {
        let mut z = (seed << 32 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let size = (1.0 + (z >> 12) as f64 / (1u64 << 52) as f64) * 2f64.powi(-((z % binades) as i32));
        if z & 1 << 11 == 0 { size } else { -size }
    };
    (0..count as u64).map(|index| F::from_f64(number(index))).collect()
}

fn r_is_bounded<F: Float>() {
    for beta0 in [0.01, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 0.999] {
        let bound = f64::max(1.0, beta0 / (1.0 - beta0)) * (1.0 + 8.0 * F::UNIT_ROUNDOFF);
        for binades in [1, 4, 30, 120] {
            let mut run = Run::<F>::new(numbers(1, 2000, 30));
            for step in 1..=60 {
                run.step(&numbers(step + 1, 2000, binades), beta0, 0.0, step);
                for r in &run.modulation {
                    let r = r.to_f64();
                    assert!(
                        0.0 < r && r <= bound,
                        "{} β0 {beta0} step {step}: r {r:e}, bound {bound:e}",
                        F::DTYPE
                    );
                }
            }
        }
    }
}

#[test]
fn r_is_positive_and_at_most_beta0_over_1_minus_beta0() {
    r_is_bounded::<f32>();
    r_is_bounded::<f64>();
}

/// A lone large gradient after nothing for long is what comes nearest to the bound.
#[test]
fn the_bound_is_reached() {
    let mut run = Run::<f64>::new(vec![1.0]);
    (1..=200).for_each(|step| run.step(&[0.0], 0.9, 0.0, step));
    run.step(&[1.0], 0.9, 0.0, 201);
    assert!((run.modulation[0] - 9.0).abs() < 1e-8, "{}", run.modulation[0]);
}

fn first_step<F: Float>() {
    for beta0 in [0.4, 0.75, 0.95] {
        // Sensitivities from far above ε to far below it, and 0.
        let mut theta = numbers::<F>(1, 4000, 40);
        theta[0] = F::ZERO;
        let mut run = Run::new(theta.clone());
        run.step(&numbers(2, 4000, 40), beta0, 0.0, 1);
        for (i, r) in run.sensitivity.iter().zip(&run.modulation) {
            let (i, r) = (i.to_f64(), r.to_f64());
            let error = (r - EPSILON / (i + EPSILON)).abs();
            assert!(error <= 2.0 * F::UNIT_ROUNDOFF, "{} β0 {beta0} I {i:e}: off by {error:e}", F::DTYPE);
        }
        assert_eq!(run.modulation[0], F::ONE);
        assert!(run.parameter[0] != F::ZERO, "a parameter that is exactly 0 moves");
        let large = |i: &F| i.to_f64() > 1e-4;
        let still = (0..theta.len()).filter(|&index| large(&run.sensitivity[index]));
        for index in still {
            let moved = (run.parameter[index] - theta[index]).abs().to_f64();
            assert!(moved <= 1e-3 * 1e-7, "a null step where I ≫ ε: moved {moved:e}");
        }
        let mut decayed = Run::new(theta.clone());
        decayed.step(&numbers(2, 4000, 40), beta0, 0.1, 1);
        for index in (0..theta.len()).filter(|&index| large(&decayed.sensitivity[index])) {
            let expected = theta[index] * F::from_f64(1.0 - 1e-4);
            let apart = (decayed.parameter[index] - expected).abs().to_f64();
            assert!(apart <= 1e-10, "decay is not modulated: {apart:e}");
        }
    }
}

#[test]
fn the_first_step_is_null_where_sensitivity_is_far_above_epsilon() {
    first_step::<f32>();
    first_step::<f64>();
}

#[test]
fn r_does_not_change_with_the_scale_of_the_loss() {
    for scale in [1e3, 7.0, 1e-3] {
        let (mut plain, mut scaled) =
            (Run::<f64>::new(numbers(1, 500, 4)), Run::<f64>::new(numbers(1, 500, 4)));
        for step in 1..=20 {
            let gradient = numbers::<f64>(step + 1, 500, 4);
            // The same parameters at every step, so that only the gradient's scale differs.
            scaled.parameter = plain.parameter.clone();
            scaled.step(&gradient.iter().map(|g| g * scale).collect::<Vec<_>>(), 0.8, 0.0, step);
            plain.step(&gradient, 0.8, 0.0, step);
            for (a, b) in plain.modulation.iter().zip(&scaled.modulation) {
                assert!((a - b).abs() < 1e-7, "step {step} scale {scale}: {a} {b}");
            }
        }
    }
}
