//! Properties of r that hold for any parameters and gradients.

use sagetrain_kernels::{
    Adam, AdamStep, Adamax, AdamaxStep, Block, Common, Decay, Float, Isa, Modulation, Probe, ReleasedAdamW,
    ReleasedAdamax, ReleasedStep, Sage, Sensing, Sgd, SgdStep, Sight, look,
};

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
        let common = Common { rate: 1e-3, decay: Decay::Decoupled, weight_decay, gradient_factor: 1.0 };
        let adam = Adam::new(&AdamStep { common, betas: [0.9, 0.98], epsilon: 1e-8, step });
        self.run(&Sage::new(beta0, EPSILON, step), Modulation::Sage, gradient, |isa, sensing, block| {
            adam.apply(isa, sensing, block);
        });
    }

    /// A look, then the step.
    fn run(
        &mut self,
        sage: &Sage<F>,
        modulation: Modulation,
        gradient: &[F],
        apply: impl Fn(Isa, Sensing<'_, F>, Block<'_, F>),
    ) {
        let mut unused =
            [vec![F::ZERO; gradient.len()], vec![F::ZERO; gradient.len()], vec![F::ZERO; gradient.len()]];
        let [product, average, variation] = &mut unused;
        let sensing = Sensing::Modulate(sage, modulation);
        let sight = Sight {
            parameter: &self.parameter,
            gradient,
            sensitivity: &self.average,
            gradient_factor: F::ONE,
        };
        let probe = Probe {
            product,
            average,
            variation,
            sensitivity: &mut self.sensitivity,
            modulation: &mut self.modulation,
        };
        look(Isa::best(), sensing, sight, probe);
        let block = Block {
            parameter: &mut self.parameter,
            gradient,
            first: &mut self.first,
            second: &mut self.second,
            sensitivity: &mut self.average,
        };
        apply(Isa::best(), sensing, block);
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

#[test]
fn sgd_and_the_released_adamax_begin_at_the_bound() {
    let (mut sgd, mut adamax) = (Run::<f64>::new(vec![0.5; 9]), Run::<f64>::new(vec![0.5; 9]));
    let common = Common { rate: 1e-3, decay: Decay::Coupled, weight_decay: 0.0, gradient_factor: 1.0 };
    let rule = Sgd::new(&SgdStep { common, momentum: 0.9, nesterov: false });
    let uncorrected = Sage::uncorrected(0.95, EPSILON);
    sgd.run(&uncorrected, Modulation::Sage, &[0.1; 9], |isa, sensing, block| rule.apply(isa, sensing, block));
    let rule = ReleasedAdamax::new(&released(1));
    adamax.run(&uncorrected, Modulation::Released, &[0.1; 9], |isa, sensing, block| {
        rule.apply(isa, sensing, block)
    });
    for r in sgd.modulation.iter().chain(&adamax.modulation) {
        assert!((r - 19.0).abs() < 1e-6, "{r}");
    }
}

fn released(step: u64) -> ReleasedStep {
    ReleasedStep {
        base_rate: 1e-3,
        multiplier: 1.0,
        weight_decay: 0.0,
        gradient_factor: 1.0,
        betas: [0.9, 0.999],
        epsilon: 1e-6,
        step,
    }
}

#[test]
fn in_the_released_form_r_is_at_least_0_and_a_zero_parameter_never_moves() {
    for beta0 in [0.4f64, 0.75, 0.95] {
        let bound = f64::max(1.0, beta0 / (1.0 - beta0)) * (1.0 + 8.0 * f32::UNIT_ROUNDOFF);
        let mut theta = numbers::<f32>(1, 500, 30);
        theta[3] = 0.0;
        let mut run = Run::new(theta);
        for step in 1..=40 {
            let rule = ReleasedAdamW::new(&released(step));
            let sage = Sage::new(beta0, 1e-12, step);
            run.run(&sage, Modulation::Released, &numbers(step + 1, 500, 30), |isa, sensing, block| {
                rule.apply(isa, sensing, block);
            });
            assert!(
                run.modulation.iter().all(|r| (0.0..=bound).contains(&f64::from(*r))),
                "β0 {beta0} step {step}"
            );
            assert_eq!(run.parameter[3], 0.0);
        }
    }
}

#[test]
fn the_first_step_of_adamax_is_null_too() {
    let theta = numbers::<f64>(1, 100, 4);
    let mut run = Run::new(theta.clone());
    let common = Common { rate: 1e-3, decay: Decay::Coupled, weight_decay: 0.0, gradient_factor: 1.0 };
    let rule = Adamax::new(&AdamaxStep { common, betas: [0.9, 0.999], epsilon: 1e-8, step: 1 });
    run.run(&Sage::new(0.75, EPSILON, 1), Modulation::Sage, &numbers(2, 100, 4), |isa, sensing, block| {
        rule.apply(isa, sensing, block);
    });
    assert!(run.parameter.iter().zip(&theta).all(|(a, b)| (a - b).abs() < 1e-12));
}
