//! Spearman's rank correlation: whether one variable grows with the other, along a line or not.

use crate::error::MetricsError;
use crate::pearson::{check_variables, correlation};

/// Spearman's correlation of `predictions` and `targets`, in [-1, 1]: Pearson's of their ranks, tied values sharing the mean of
/// theirs. NaN where a variable is constant or holds NaN; infinities have ranks. Equal to `scipy.stats.spearmanr`.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists differ in length or hold fewer than two samples.
pub fn spearman(predictions: &[f64], targets: &[f64]) -> Result<f64, MetricsError> {
    check_variables("spearman", predictions, targets)?;
    if predictions.iter().chain(targets).any(|value| value.is_nan()) {
        return Ok(f64::NAN);
    }
    Ok(correlation(&ranks(predictions), &ranks(targets)))
}

/// Ranks from 1, of equal values (-0 and 0 are) the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&one, &other| values[one].total_cmp(&values[other]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&one, &other| values[one] == values[other]) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&place| ranks[place] = rank);
        before += tied.len();
    }
    ranks
}
