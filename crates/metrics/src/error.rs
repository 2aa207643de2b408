//! What can be wrong with the input of a metric.

/// Why a metric has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// The two lists do not pair up.
    #[error("{metric}: {left} {left_name} but {right} {right_name}; give one of each a sample")]
    Unpaired {
        metric: &'static str,
        left_name: &'static str,
        left: usize,
        right_name: &'static str,
        right: usize,
    },
    /// Nothing to score.
    #[error("{metric}: no samples; give at least one")]
    Empty { metric: &'static str },
    /// A bootstrap without resamples.
    #[error("bootstrap: resamples is 0; sacreBLEU's default is 1000")]
    NoResamples,
    /// More samples than the index generator can draw from.
    #[error("bootstrap: {samples} samples; at most {limit} can be resampled")]
    TooManySamples { samples: usize, limit: u32 },
}

impl MetricsError {
    /// The literal code under which the error reaches a user.
    pub fn code(&self) -> &'static str {
        "ERR_ARGUMENT"
    }
}

/// Refuses lists that are empty or of unequal length.
pub(crate) fn check_pairs(
    metric: &'static str,
    (left_name, left): (&'static str, usize),
    (right_name, right): (&'static str, usize),
) -> Result<(), MetricsError> {
    if left != right {
        return Err(MetricsError::Unpaired { metric, left_name, left, right_name, right });
    }
    if left == 0 {
        return Err(MetricsError::Empty { metric });
    }
    Ok(())
}
