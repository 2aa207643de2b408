//! What 16 bits cost: the tables of docs/precision.md.
//!
//!     cargo bench -p sagetrain-benches --bench rounding -- r loss      # minutes each; without a word, as when all benches run, nothing
//!
//! A perceptron of the Spiral task's shape (20.7 K parameters) learns two spirals with Adam-SAGE, batches of 64, linearly falling rate. First: r
//! with E in bfloat16 against r with E in float32, on the same parameters and gradients at every step. Then: the loss that each way of keeping
//! parameters ends at, over five seeds, and without SAGE beside it.

mod perceptron;

use perceptron::{infos, initial, loss, mix};
use sagetrain_kernels::{Isa, narrow, widen};
use sagetrain_optim::{
    Optimizer, OptimizerOptions, OptimizerSpec, Owned, Rounding, SageSpec, SensitivityDtype, Serial,
    StepInputs, Stored, Values, bf16, f16,
};

const STEPS: u64 = 2000;
const RATE: f64 = 3e-3;
const SEEDS: u64 = 5;
/// Batches the final loss is a mean over: none of them was trained on.
const UNSEEN: std::ops::Range<u64> = 1_000_000..1_000_050;

fn spec(sage: bool, beta0: f64) -> OptimizerSpec {
    OptimizerSpec::adam(RATE).with_sage(sage.then(|| SageSpec { beta0, ..SageSpec::default() }))
}

fn inputs(step: u64) -> StepInputs {
    StepInputs { multiplier: Some(1.0 - step as f64 / STEPS as f64), ..StepInputs::default() }
}

/// Batches of a seed, without end and without one of another's.
fn batch(seed: u64, step: u64) -> u64 {
    mix(seed << 32 | step) >> 20
}

fn step_on<S: Stored>(
    optimizer: &mut Optimizer<S>,
    data: &mut [Vec<S>],
    gradient: &[Vec<S>],
    inputs: StepInputs,
) {
    let mut data: Vec<&mut [S]> = data.iter_mut().map(Vec::as_mut_slice).collect();
    let gradient: Vec<Option<&[S]>> = gradient.iter().map(|array| Some(array.as_slice())).collect();
    let report = optimizer.step(&mut data, &gradient, inputs, &Serial);
    assert!(report.is_ok_and(|report| !report.skipped));
}

fn optimizer<S: Stored>(spec: &OptimizerSpec, options: &OptimizerOptions) -> Optimizer<S> {
    Optimizer::new(spec, &infos(), options, &Owned).unwrap_or_else(|error| unreachable!("{error}"))
}

fn wide<S: Stored<Compute = f32>>(data: &[Vec<S>]) -> Vec<Vec<f32>> {
    let array = |stored: &Vec<S>| {
        let mut to = vec![0.0; stored.len()];
        widen(Isa::best(), stored, &mut to);
        to
    };
    data.iter().map(array).collect()
}

fn nearest<S: Stored<Compute = f32>>(data: &[Vec<f32>]) -> Vec<Vec<S>> {
    let array = |wide: &Vec<f32>| {
        let mut stored = vec![S::default(); wide.len()];
        narrow(Isa::best(), wide, &mut stored);
        stored
    };
    data.iter().map(array).collect()
}

fn final_loss(parameters: &[Vec<f32>]) -> f64 {
    let count = (UNSEEN.end - UNSEEN.start) as f64;
    UNSEEN.map(|batch| loss(parameters, batch, None)).sum::<f64>() / count
}

/// Trains parameters of type `S`; the forward pass sees them as they are kept, and its gradient is rounded to their type.
fn train<S: Stored<Compute = f32>>(spec: &OptimizerSpec, options: &OptimizerOptions, seed: u64) -> f64 {
    let mut optimizer = optimizer::<S>(spec, options);
    let mut data: Vec<Vec<S>> = nearest(&initial(seed));
    let mut gradient = initial(seed);
    for step in 0..STEPS {
        loss(&wide(&data), batch(seed, step), Some(&mut gradient));
        step_on(&mut optimizer, &mut data, &nearest::<S>(&gradient), inputs(step));
    }
    final_loss(&wide(&data))
}

/// What nobody is offered: bfloat16 parameters rounded to nearest, with nothing kept beside.
fn train_nearest(spec: &OptimizerSpec, seed: u64) -> f64 {
    let mut optimizer = optimizer::<f32>(spec, &OptimizerOptions::default());
    let (mut data, mut gradient) = (initial(seed), initial(seed));
    for step in 0..STEPS {
        data = wide(&nearest::<bf16>(&data));
        loss(&data, batch(seed, step), Some(&mut gradient));
        let rounded = wide(&nearest::<bf16>(&gradient));
        step_on(&mut optimizer, &mut data, &rounded, inputs(step));
    }
    final_loss(&wide(&nearest::<bf16>(&data)))
}

/// |Δr| / (1 + r), E in bfloat16 against float32, of all elements with I ≥ 10⁶ ε at every 20th step; sorted. By 1 + r because an error δ of Î
/// makes one of δ (1 + r) in r: relative to r alone it is without bound, since r may be 0.
fn differences(beta0: f64) -> Vec<f64> {
    let brief =
        OptimizerOptions { sensitivity_dtype: SensitivityDtype::BFloat16, ..OptimizerOptions::default() };
    let still = StepInputs { multiplier: Some(0.0), ..StepInputs::default() };
    let (mut full, mut shadow) = (
        optimizer::<f32>(&spec(true, beta0), &OptimizerOptions::default()),
        optimizer::<f32>(&spec(true, beta0), &brief),
    );
    let (mut data, mut gradient) = (initial(1), initial(1));
    let mut seen = Vec::new();
    for step in 0..STEPS {
        loss(&data, batch(1, step), Some(&mut gradient));
        let before = data.clone();
        let kept = [averages(&full), averages(&shadow)];
        step_on(&mut shadow, &mut data, &gradient, still);
        step_on(&mut full, &mut data, &gradient, inputs(step));
        if step % 20 == 10 {
            let sensitivity = before.iter().zip(&gradient).flat_map(|(theta, g)| theta.iter().zip(g));
            let sensitivity = sensitivity.map(|(theta, g)| f64::from((theta * g).abs()));
            for (i, (a, b)) in sensitivity.zip(kept[0].iter().zip(&kept[1])).filter(|(i, _)| *i >= 1e-6) {
                let (exact, rounded) =
                    (modulation(i, *a, beta0, step + 1), modulation(i, *b, beta0, step + 1));
                seen.push((rounded - exact).abs() / (1.0 + exact));
            }
        }
    }
    seen.sort_by(f64::total_cmp);
    seen
}

/// E of all elements.
fn averages(optimizer: &Optimizer) -> Vec<f64> {
    let states = optimizer.state().into_iter().filter(|(name, ..)| name.ends_with("/sensitivity"));
    states.flat_map(|(_, _, values): (_, _, Values<'_>)| values.to_f64()).collect()
}

/// r of step t from I and the E of the step before.
fn modulation(sensitivity: f64, average: f64, beta0: f64, t: u64) -> f64 {
    let corrected = (beta0 * average + (1.0 - beta0) * sensitivity) / (1.0 - beta0.powf(t as f64));
    ((sensitivity - corrected).abs() + 1e-12) / (corrected + 1e-12)
}

fn row(name: &str, bytes: &str, runs: impl Fn(bool, u64) -> f64) {
    let cell = |sage| {
        let losses: Vec<f64> = (1..=SEEDS).map(|seed| runs(sage, seed)).collect();
        let mean = losses.iter().sum::<f64>() / SEEDS as f64;
        let squares = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>();
        format!("{mean:.4} ± {:.4}", (squares / (SEEDS - 1) as f64).sqrt())
    };
    eprintln!("| {name} | {bytes} | {} | {} |", cell(true), cell(false));
}

fn main() {
    let asked = |part: &str| std::env::args().any(|argument| argument == part);
    if !asked("r") && !asked("loss") {
        eprintln!("rounding: say which table, r or loss");
    }
    if asked("r") {
        modulations();
    }
    if asked("loss") {
        losses();
    }
}

fn modulations() {
    eprintln!("| β0 | median | 99 % | largest |\n|---|---|---|---|");
    for beta0 in [0.5, 0.75, 0.9, 0.99, 0.999] {
        let seen = differences(beta0);
        let at = |share: f64| seen[((seen.len() - 1) as f64 * share) as usize];
        eprintln!("| {beta0} | {:.4} | {:.4} | {:.3} |", at(0.5), at(0.99), at(1.0));
    }
}

fn losses() {
    let options = |rounding, sensitivity_dtype| OptimizerOptions {
        rounding,
        sensitivity_dtype,
        ..OptimizerOptions::default()
    };
    let (full, brief) = (SensitivityDtype::Float32, SensitivityDtype::BFloat16);
    let of = |sage| spec(sage, 0.75);
    eprintln!("| parameters | beside them | loss, Adam-SAGE | loss, Adam |\n|---|---|---|---|");
    row("float32", "nothing", |sage, seed| train::<f32>(&of(sage), &options(Rounding::Nearest, full), seed));
    row("float32, E in bfloat16", "nothing", |sage, seed| {
        train::<f32>(&of(sage), &options(Rounding::Nearest, if sage { brief } else { full }), seed)
    });
    row("bfloat16", "float32 master", |sage, seed| {
        train::<bf16>(&of(sage), &options(Rounding::Nearest, full), seed)
    });
    row("float16", "float32 master", |sage, seed| {
        train::<f16>(&of(sage), &options(Rounding::Nearest, full), seed)
    });
    row("bfloat16, `kahan`", "bfloat16 compensation", |sage, seed| {
        train::<bf16>(&of(sage), &options(Rounding::Kahan, full), seed)
    });
    row("bfloat16, `stochastic`", "nothing", |sage, seed| {
        train::<bf16>(&of(sage), &options(Rounding::Stochastic, full), seed)
    });
    row("bfloat16 to nearest (not offered)", "nothing", |sage, seed| train_nearest(&of(sage), seed));
}
