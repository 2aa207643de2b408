//! Scores of predictions against class labels and against numbers.

use crate::data::Data;
use crate::fault::Fault;
use crate::promise::promise;
use napi::bindgen_prelude::{Env, Float64Array, Int32Array, Object};
use napi_derive::napi;
use sagetrain_metrics::{MetricsError, accuracy, confusion_matrix, f1, matthews, pearson, spearman};
use serde::Serialize;

/// Share of predictions that are right.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn accuracy_of(env: &Env, predictions: Int32Array, labels: Int32Array) -> napi::Result<Object<'_>> {
    scored(env, predictions.to_vec(), labels.to_vec(), accuracy)
}

/// F1 of the class `positive`, or the mean of every class's without one.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn f1_of(
    env: &Env,
    predictions: Int32Array,
    labels: Int32Array,
    positive: Option<i32>,
) -> napi::Result<Object<'_>> {
    scored(env, predictions.to_vec(), labels.to_vec(), move |predictions, labels| match positive {
        Some(positive) => f1::binary(predictions, labels, positive),
        None => f1::macro_average(predictions, labels),
    })
}

/// Matthews' correlation.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn matthews_of(env: &Env, predictions: Int32Array, labels: Int32Array) -> napi::Result<Object<'_>> {
    scored(env, predictions.to_vec(), labels.to_vec(), matthews)
}

/// Which class was taken for which.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn confusion_matrix_of(
    env: &Env,
    predictions: Int32Array,
    labels: Int32Array,
) -> napi::Result<Object<'_>> {
    scored(env, predictions.to_vec(), labels.to_vec(), confusion_matrix)
}

/// Pearson's correlation; NaN where there is none.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn pearson_of(env: &Env, predictions: Float64Array, targets: Float64Array) -> napi::Result<Object<'_>> {
    scored(env, predictions.to_vec(), targets.to_vec(), pearson)
}

/// Spearman's correlation; NaN where there is none.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn spearman_of(env: &Env, predictions: Float64Array, targets: Float64Array) -> napi::Result<Object<'_>> {
    scored(env, predictions.to_vec(), targets.to_vec(), spearman)
}

/// Scores copies of what JavaScript gave on a thread of its own.
fn scored<'a, T: Send + 'static, S: Serialize + Send + 'static>(
    env: &'a Env,
    predictions: Vec<T>,
    truth: Vec<T>,
    score: impl FnOnce(&[T], &[T]) -> Result<S, MetricsError> + Send + 'static,
) -> napi::Result<Object<'a>> {
    let (settle, promise) = promise(env)?;
    settle.spawn(move || Ok::<_, Fault>(score(&predictions, &truth)?), |_, score| Ok(Data(score)))?;
    Ok(promise)
}
