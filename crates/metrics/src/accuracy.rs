//! Share of correct predictions.

use crate::error::{MetricsError, check_pairs};

/// Share of `predictions` equal to their `labels`, in [0, 1].
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn accuracy<T: PartialEq>(predictions: &[T], labels: &[T]) -> Result<f64, MetricsError> {
    check_pairs("accuracy", ("predictions", predictions.len()), ("labels", labels.len()))?;
    let correct = predictions.iter().zip(labels).filter(|(prediction, label)| prediction == label).count();
    Ok(correct as f64 / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_equal_labels() {
        assert_eq!(accuracy(&[1, 0, 1, 1], &[1, 1, 1, 0]), Ok(0.5));
    }

    #[test]
    fn refuses_lists_that_do_not_pair_up() {
        let error = accuracy(&[1, 0], &[1]).unwrap_err();
        assert_eq!(error.code(), "ERR_ARGUMENT");
        assert_eq!(error.to_string(), "accuracy: 2 predictions but 1 labels; give one of each a sample");
        assert_eq!(accuracy::<i32>(&[], &[]), Err(MetricsError::Empty { metric: "accuracy".into() }));
    }
}
