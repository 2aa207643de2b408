//! F1: the harmonic mean of precision and recall, of one class or averaged over all.
//!
//! Equal to scikit-learn's `f1_score` with `average="binary"` and `average="macro"`, and 0 where that warns of a division by zero.

use crate::classes::{ClassCounts, count_classes};
use crate::error::MetricsError;

/// F1 of the class `positive` where there is one other, in [0, 1]; 0 where it is neither predicted nor labelled.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length, or hold more than one class beside `positive`.
pub fn binary(predictions: &[i32], labels: &[i32], positive: i32) -> Result<f64, MetricsError> {
    let mut classes = count_classes("f1", predictions, labels)?;
    let counts = classes.remove(&positive).unwrap_or_default();
    if classes.len() > 1 {
        return Err(MetricsError::NotBinary { positive, others: classes.len() });
    }
    Ok(score(counts))
}

/// Mean of the F1 of every class that is predicted or labelled, in [0, 1], however many samples each has.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn macro_average(predictions: &[i32], labels: &[i32]) -> Result<f64, MetricsError> {
    let classes = count_classes("f1", predictions, labels)?;
    Ok(classes.values().copied().map(score).sum::<f64>() / classes.len() as f64)
}

/// 2 true positives / (2 true positives + false positives + false negatives).
fn score(ClassCounts { labelled, predicted, correct }: ClassCounts) -> f64 {
    match labelled + predicted {
        0 => 0.0,
        total => 2.0 * correct as f64 / total as f64,
    }
}
