//! How often each class was predicted, was right and should have been: all that F1 and Matthews' correlation know of the samples.

use std::collections::BTreeMap;

use crate::error::{MetricsError, check_pairs};

/// Samples of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ClassCounts {
    /// Samples that are of it.
    pub(crate) labelled: u64,
    /// Samples it was predicted for.
    pub(crate) predicted: u64,
    /// Samples that are both.
    pub(crate) correct: u64,
}

/// Counts of every class that is predicted or labelled, in the order of their ids.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub(crate) fn count_classes(
    metric: &'static str,
    predictions: &[i32],
    labels: &[i32],
) -> Result<BTreeMap<i32, ClassCounts>, MetricsError> {
    check_pairs(metric, ("predictions", predictions.len()), ("labels", labels.len()))?;
    let mut classes: BTreeMap<i32, ClassCounts> = BTreeMap::new();
    for (&prediction, &label) in predictions.iter().zip(labels) {
        classes.entry(prediction).or_default().predicted += 1;
        let counts = classes.entry(label).or_default();
        counts.labelled += 1;
        counts.correct += u64::from(prediction == label);
    }
    Ok(classes)
}
