//! Student's t-test of a mean, and of two systems whose results pair up (by seed, say): the test of their differences.
//!
//! Equal to `scipy.stats.ttest_1samp` and `ttest_rel` with their `confidence_interval(0.95)`.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::error::{MetricsError, check_pairs};

/// Share of intervals that hold the true mean.
const CONFIDENCE: f64 = 0.95;

/// A mean, and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TTest {
    /// Mean of the values.
    pub mean: f64,
    /// Sample standard deviation; NaN for one value.
    pub deviation: f64,
    /// Lower end of the mean's 95 % interval; NaN for one value.
    pub lower: f64,
    /// Upper end; NaN for one value.
    pub upper: f64,
    /// Mean over its standard error; NaN for one value and where all values are 0.
    pub t: f64,
    /// Two-sided p-value of "the mean is 0"; NaN where `t` is.
    pub p_value: f64,
    /// Degrees of freedom: values less one.
    pub degrees: usize,
}

/// Tests whether the mean of `values` is 0.
///
/// # Errors
/// `ERR_ARGUMENT` for no values.
pub fn one_sample(values: &[f64]) -> Result<TTest, MetricsError> {
    if values.is_empty() {
        return Err(MetricsError::Empty { metric: "t-test".into() });
    }
    let degrees = values.len() - 1;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / degrees as f64).sqrt(); // NaN for one value, which has none
    let error = deviation / (values.len() as f64).sqrt();
    let t = mean / error;
    let (margin, p_value) = match StudentsT::new(0.0, 1.0, degrees as f64) {
        Ok(law) if !t.is_nan() => (law.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error, 2.0 * law.sf(t.abs())),
        _ => (error, f64::NAN),
    };
    Ok(TTest { mean, deviation, lower: mean - margin, upper: mean + margin, t, p_value, degrees })
}

/// Tests whether `system` and `baseline` differ in the mean, value by value: the test of `system` − `baseline`.
///
/// # Errors
/// `ERR_ARGUMENT` when the lists are empty or differ in length.
pub fn paired(baseline: &[f64], system: &[f64]) -> Result<TTest, MetricsError> {
    check_pairs("t-test", ("baseline values", baseline.len()), ("system values", system.len()))?;
    let differences: Vec<f64> = baseline.iter().zip(system).map(|(one, other)| other - one).collect();
    one_sample(&differences)
}
