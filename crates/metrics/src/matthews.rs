//! Matthews' correlation coefficient (Matthews, 1975) in its form for any number of classes (Gorodkin, 2004).

use crate::classes::{ClassCounts, count_classes};
use crate::error::MetricsError;

/// Matthews' correlation of `predictions` and `labels`, in [-1, 1]; 0 where all predictions or all labels are of one class, so
/// that it is not defined. Equal to scikit-learn's `matthews_corrcoef`.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn matthews(predictions: &[i32], labels: &[i32]) -> Result<f64, MetricsError> {
    let classes = count_classes("matthews", predictions, labels)?;
    let sum = |of: fn(&ClassCounts) -> i128| classes.values().map(of).sum::<i128>();
    // Differences of large products: exact in integers, where floating point would cancel.
    let samples = labels.len() as i128;
    let correct = sum(|class| class.correct.into());
    let by_chance = sum(|class| i128::from(class.labelled) * i128::from(class.predicted));
    let of_labels = samples * samples - sum(|class| i128::from(class.labelled).pow(2));
    let of_predictions = samples * samples - sum(|class| i128::from(class.predicted).pow(2));
    let spread = of_labels as f64 * of_predictions as f64;
    Ok(if spread == 0.0 { 0.0 } else { (correct * samples - by_chance) as f64 / spread.sqrt() })
}
