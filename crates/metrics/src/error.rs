//! What can be wrong with the input of a metric.

use std::borrow::Cow;

/// Why a metric has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// The two lists do not pair up.
    #[error("{metric}: {left} {left_name} but {right} {right_name}; give one of each a sample")]
    Unpaired {
        /// The metric asked for.
        metric: Cow<'static, str>,
        /// What the first list holds.
        left_name: &'static str,
        /// Length of the first list.
        left: usize,
        /// What the second list holds.
        right_name: &'static str,
        /// Length of the second list.
        right: usize,
    },
    /// Nothing to score.
    #[error("{metric}: no samples; give at least one")]
    Empty {
        /// The metric asked for.
        metric: Cow<'static, str>,
    },
    /// Several references for a metric that is defined for one.
    #[error("{metric}: {references} references a sentence; it is defined for one")]
    SingleReference {
        /// The metric asked for.
        metric: Cow<'static, str>,
        /// References given.
        references: usize,
    },
    /// Binary F1 of more than two classes.
    #[error(
        "f1: {others} classes beside the positive class {positive}; binary F1 has one: ask for the macro average"
    )]
    NotBinary {
        /// The class that F1 is asked for.
        positive: i32,
        /// How many others there are.
        others: usize,
    },
    /// More classes than a confusion matrix is made of.
    #[error("confusion matrix: {classes} classes; at most {limit} make a matrix")]
    TooManyClasses {
        /// Classes found.
        classes: usize,
        /// Classes allowed.
        limit: usize,
    },
    /// Fewer samples than a correlation is defined for.
    #[error("{metric}: a correlation takes at least two samples, got {samples}")]
    TooFew {
        /// The metric asked for.
        metric: &'static str,
        /// Samples given.
        samples: usize,
    },
    /// A bootstrap without resamples.
    #[error("bootstrap: resamples is 0; sacreBLEU's default is 1000")]
    NoResamples,
    /// A randomization test without trials.
    #[error("randomization: trials is 0; sacreBLEU's default is 10000")]
    NoTrials,
    /// More samples than the index generator can draw from.
    #[error("bootstrap: {samples} samples; at most {limit} can be resampled")]
    TooManySamples {
        /// Samples given.
        samples: usize,
        /// Samples allowed.
        limit: u32,
    },
}

impl MetricsError {
    /// The literal code under which the error reaches a user.
    pub fn code(&self) -> &'static str {
        "ERR_ARGUMENT"
    }
}

/// Refuses lists that are empty or of unequal length.
pub(crate) fn check_pairs(
    metric: impl Into<Cow<'static, str>>,
    (left_name, left): (&'static str, usize),
    (right_name, right): (&'static str, usize),
) -> Result<(), MetricsError> {
    let metric = metric.into();
    if left != right {
        return Err(MetricsError::Unpaired { metric, left_name, left, right_name, right });
    }
    if left == 0 {
        return Err(MetricsError::Empty { metric });
    }
    Ok(())
}
