//! Which class was taken for which.

use serde::Serialize;

use crate::classes::count_classes;
use crate::error::MetricsError;

/// The most classes of which a matrix is made: 128 MiB of counts. Predictions that are no classes would ask for far more.
pub const MOST_CLASSES: usize = 4096;

/// Samples by their class and by what was predicted, as scikit-learn's `confusion_matrix` lays them out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfusionMatrix {
    /// Every class that is predicted or labelled, in order.
    pub classes: Vec<i32>,
    /// `counts[i][j]`: samples of `classes[i]` for which `classes[j]` was predicted.
    pub counts: Vec<Vec<u64>>,
}

/// Counts which class was taken for which.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length, or hold more than [`MOST_CLASSES`].
pub fn confusion_matrix(predictions: &[i32], labels: &[i32]) -> Result<ConfusionMatrix, MetricsError> {
    let classes: Vec<i32> = count_classes("confusion matrix", predictions, labels)?.into_keys().collect();
    if classes.len() > MOST_CLASSES {
        return Err(MetricsError::TooManyClasses { classes: classes.len(), limit: MOST_CLASSES });
    }
    let place = |class: i32| classes.partition_point(|&other| other < class);
    let mut counts = vec![vec![0; classes.len()]; classes.len()];
    for (&prediction, &label) in predictions.iter().zip(labels) {
        counts[place(label)][place(prediction)] += 1;
    }
    Ok(ConfusionMatrix { classes, counts })
}
