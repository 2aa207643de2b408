//! Pearson's correlation: how near two variables are to a line.
//!
//! Equal to `scipy.stats.pearsonr`, and nearer to the exact value where the mean is large beside the spread: deviations are taken from a
//! mean that is itself corrected by their mean, and sums are formed by halves.

use crate::error::{MetricsError, check_pairs};

/// Pearson's correlation of `predictions` and `targets`, in [-1, 1]. NaN, as SciPy has it, where a variable is constant or holds what
/// is not finite: a model that predicts one number for all is a result, not a fault of the call.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists differ in length or hold fewer than two samples.
pub fn pearson(predictions: &[f64], targets: &[f64]) -> Result<f64, MetricsError> {
    check_variables("pearson", predictions, targets)?;
    Ok(correlation(predictions, targets))
}

/// Refuses lists that do not pair up or are too short to correlate.
pub(crate) fn check_variables(
    metric: &'static str,
    predictions: &[f64],
    targets: &[f64],
) -> Result<(), MetricsError> {
    if predictions.len() == targets.len() && targets.len() < 2 {
        return Err(MetricsError::TooFew { metric, samples: targets.len() });
    }
    check_pairs(metric, ("predictions", predictions.len()), ("targets", targets.len()))
}

/// The cosine of the angle between what the two deviate from their means.
pub(crate) fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let (Some(one), Some(other)) = (direction(one), direction(other)) else { return f64::NAN };
    let products: Vec<f64> = one.iter().zip(&other).map(|(one, other)| one * other).collect();
    let cosine = sum(&products).clamp(-1.0, 1.0);
    // Two points lie on a line, whatever the rounding says.
    if products.len() == 2 { cosine.round() } else { cosine }
}

/// Deviations from the mean, scaled to length 1; None for a constant.
fn direction(values: &[f64]) -> Option<Vec<f64>> {
    if values.iter().all(|value| *value == values[0]) {
        return None;
    }
    let mut deviations = deviations(values);
    // By the largest first, so that no square overflows or vanishes.
    let largest = deviations.iter().fold(0.0, |most: f64, deviation| most.max(deviation.abs()));
    deviations.iter_mut().for_each(|deviation| *deviation /= largest);
    let squares: Vec<f64> = deviations.iter().map(|deviation| deviation * deviation).collect();
    let length = sum(&squares).sqrt();
    deviations.iter_mut().for_each(|deviation| *deviation /= length);
    Some(deviations)
}

/// What each value is above the mean. The mean's own rounding error, as large as its last digit, is what the first deviations have in common.
fn deviations(values: &[f64]) -> Vec<f64> {
    let centre = mean(values);
    let mut deviations: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let error = mean(&deviations);
    deviations.iter_mut().for_each(|deviation| *deviation -= error);
    deviations
}

/// The mean, of shares so that the sum of large values does not overflow.
fn mean(values: &[f64]) -> f64 {
    let shares: Vec<f64> = values.iter().map(|value| value / values.len() as f64).collect();
    sum(&shares)
}

/// The sum by halves: its error grows with the logarithm of the length.
fn sum(values: &[f64]) -> f64 {
    if values.len() <= 128 {
        return values.iter().sum();
    }
    let (one, other) = values.split_at(values.len() / 2);
    sum(one) + sum(other)
}
