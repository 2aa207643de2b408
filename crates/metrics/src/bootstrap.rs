//! Paired bootstrap resampling (Koehn, 2004): are two systems' scores on the same sentences different?
//!
//! The test, the interval and the draws are sacreBLEU's (`sacrebleu/significance.py`): every resample draws as many sentences
//! as the corpus has, with replacement, the same ones for both systems, by NumPy's `default_rng(seed)` (PCG64), resample by
//! resample. Means and intervals agree with sacreBLEU's up to its float32 arithmetic; the p-value is the same.

use serde::Serialize;

use crate::error::{MetricsError, check_pairs};
use crate::metric::Metric;
use crate::pcg64::Pcg64;
use crate::statistics::{Statistics, add};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of resampled corpora.
    pub resamples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Options {
    /// sacreBLEU's: 1,000 resamples, seed 12345.
    fn default() -> Self {
        Options { resamples: 1000, seed: 12345 }
    }
}

/// A number on the real corpus, and its spread over the resamples.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// On the corpus itself.
    pub score: f64,
    /// Over the resamples.
    pub mean: f64,
    /// Lower end of the 95 % interval: the resample at rank n / 40.
    pub lower: f64,
    /// Upper end of the 95 % interval, as far from the other end of the ranks.
    pub upper: f64,
    /// Half the interval's width: sacreBLEU prints "mean ± this".
    pub half_width: f64,
}

/// Two systems compared on the same sentences.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paired {
    /// The system to beat.
    pub baseline: Estimate,
    /// The system compared with it.
    pub system: Estimate,
    /// `system` − `baseline`, resample by resample.
    pub difference: Estimate,
    /// sacreBLEU's two-sided p-value of "the two systems do not differ".
    pub p_value: f64,
    /// Share of resamples in which `system` is strictly better (Koehn, 2004).
    pub wins: f64,
    /// [`Options::resamples`].
    pub resamples: usize,
    /// [`Options::seed`].
    pub seed: u64,
}

/// Compares `system` with `baseline`, given the counts of each sentence in the same order.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length, hold more than 2³² − 1 sentences, or `resamples` is 0.
pub fn paired(
    metric: &dyn Metric,
    baseline: &Statistics,
    system: &Statistics,
    options: Options,
) -> Result<Paired, MetricsError> {
    check_pairs(metric.name(), ("baseline sentences", baseline.len()), ("system sentences", system.len()))?;
    let scores = resample(metric, [baseline, system], options)?;
    let (of_baseline, of_system): (Vec<f64>, Vec<f64>) = scores.iter().map(|&[a, b]| (a, b)).unzip();
    let differences: Vec<f64> = scores.iter().map(|[baseline, system]| system - baseline).collect();
    let (baseline, system) = (metric.score(&baseline.total()), metric.score(&system.total()));
    Ok(Paired {
        baseline: estimate(baseline, of_baseline),
        system: estimate(system, of_system),
        p_value: p_value(&differences, system - baseline),
        wins: wins(&differences, metric.lower_is_better()),
        difference: estimate(system - baseline, differences),
        resamples: options.resamples,
        seed: options.seed,
    })
}

/// The score of one system and its spread over the resamples.
///
/// # Errors
/// As [`paired`].
pub fn interval(
    metric: &dyn Metric,
    system: &Statistics,
    options: Options,
) -> Result<Estimate, MetricsError> {
    let resampled = resample(metric, [system], options)?.into_iter().map(|[score]| score).collect();
    Ok(estimate(metric.score(&system.total()), resampled))
}

/// Scores of the systems on each resampled corpus.
fn resample<const N: usize>(
    metric: &dyn Metric,
    systems: [&Statistics; N],
    options: Options,
) -> Result<Vec<[f64; N]>, MetricsError> {
    let sentences = systems[0].len();
    check_pairs(metric.name(), ("sentences", sentences), ("sentences", sentences))?;
    if options.resamples == 0 {
        return Err(MetricsError::NoResamples);
    }
    let bound = u32::try_from(sentences)
        .map_err(|_| MetricsError::TooManySamples { samples: sentences, limit: u32::MAX })?;
    let mut generator = Pcg64::new(options.seed);
    let mut draw = || {
        let mut sums = systems.map(|_| vec![0.0; metric.width()]);
        for _ in 0..sentences {
            let index = generator.below(bound) as usize;
            sums.iter_mut().zip(systems).for_each(|(sum, system)| add(sum, system.row(index)));
        }
        sums.map(|sum| metric.score(&sum))
    };
    Ok((0..options.resamples).map(|_| draw()).collect())
}

fn estimate(score: f64, mut resampled: Vec<f64>) -> Estimate {
    resampled.sort_by(f64::total_cmp);
    let (count, cut) = (resampled.len(), resampled.len() / 40);
    let (lower, upper) = (resampled[cut], resampled[count - cut - 1]);
    let mean = resampled.iter().sum::<f64>() / count as f64;
    Estimate { score, mean, lower, upper, half_width: 0.5 * (upper - lower) }
}

/// How often the absolute difference, centred on its mean over the resamples, exceeds the real one.
fn p_value(differences: &[f64], real: f64) -> f64 {
    let count = differences.len() as f64;
    let mean = differences.iter().map(|difference| difference.abs()).sum::<f64>() / count;
    let exceeding = differences.iter().filter(|difference| difference.abs() - mean > real.abs()).count();
    (exceeding as f64 + 1.0) / (count + 1.0)
}

fn wins(differences: &[f64], lower_is_better: bool) -> f64 {
    let better = |difference: f64| if lower_is_better { difference < 0.0 } else { difference > 0.0 };
    differences.iter().filter(|&&difference| better(difference)).count() as f64 / differences.len() as f64
}
