//! Paired approximate randomization (Noreen, 1989; Riezler and Maxwell, 2005): how often are two systems as different as they
//! are, when for every sentence chance decides whose output is whose?
//!
//! The test and the draws are sacreBLEU's (`sacrebleu/significance.py`): trial by trial a bit a sentence, of NumPy's
//! `default_rng(seed)` (PCG64).

use serde::Serialize;

use crate::error::{MetricsError, check_pairs};
use crate::metric::Metric;
use crate::pcg64::Pcg64;
use crate::statistics::{Statistics, add};

/// How to shuffle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of shuffled pairs of systems.
    pub trials: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Options {
    /// sacreBLEU's: 10,000 trials, seed 12345.
    fn default() -> Self {
        Options { trials: 10_000, seed: 12345 }
    }
}

/// Two systems compared on the same sentences.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paired {
    /// Score of the system to beat.
    pub baseline: f64,
    /// Score of the system compared with it.
    pub system: f64,
    /// `system` − `baseline`.
    pub difference: f64,
    /// sacreBLEU's two-sided p-value of "the two systems do not differ".
    pub p_value: f64,
    /// [`Options::trials`].
    pub trials: usize,
    /// [`Options::seed`].
    pub seed: u64,
}

/// Compares `system` with `baseline`, given the counts of each sentence in the same order.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length, or `trials` is 0.
pub fn paired(
    metric: &dyn Metric,
    baseline: &Statistics,
    system: &Statistics,
    options: Options,
) -> Result<Paired, MetricsError> {
    check_pairs(metric.name(), ("baseline sentences", baseline.len()), ("system sentences", system.len()))?;
    if options.trials == 0 {
        return Err(MetricsError::NoTrials);
    }
    let (of_baseline, of_system) = (metric.score(&baseline.total()), metric.score(&system.total()));
    let real = (of_baseline - of_system).abs();
    let mut bits = Bits::new(options.seed);
    let trials = 0..options.trials;
    let exceeding =
        trials.filter(|_| shuffled_difference(metric, baseline, system, &mut bits) > real).count();
    Ok(Paired {
        baseline: of_baseline,
        system: of_system,
        difference: of_system - of_baseline,
        p_value: (exceeding as f64 + 1.0) / (options.trials as f64 + 1.0),
        trials: options.trials,
        seed: options.seed,
    })
}

/// How far apart two systems are that share the sentences of both by chance.
fn shuffled_difference(
    metric: &dyn Metric,
    baseline: &Statistics,
    system: &Statistics,
    bits: &mut Bits,
) -> f64 {
    let (mut first, mut second) = (vec![0.0; metric.width()], vec![0.0; metric.width()]);
    for (baseline, system) in baseline.rows().zip(system.rows()) {
        let (to_first, to_second) = if bits.next() { (baseline, system) } else { (system, baseline) };
        add(&mut first, to_first);
        add(&mut second, to_second);
    }
    (metric.score(&first) - metric.score(&second)).abs()
}

/// `default_rng(seed).integers(2, size, dtype=bool)`: the bits of 32-bit words, lowest first.
struct Bits {
    generator: Pcg64,
    word: u32,
    left: u32,
}

impl Bits {
    fn new(seed: u64) -> Self {
        Bits { generator: Pcg64::new(seed), word: 0, left: 0 }
    }

    fn next(&mut self) -> bool {
        if self.left == 0 {
            self.word = self.generator.next_u32();
            self.left = u32::BITS;
        }
        let bit = self.word & 1 == 1;
        self.word >>= 1;
        self.left -= 1;
        bit
    }
}
