//! Scores of translations on plain strings.

use crate::data::Data;
use crate::fault::Fault;
use crate::promise::promise;
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;
use sagetrain_metrics::{MetricSpec, MetricsError, Statistics, Test};
use sagetrain_metrics::{bootstrap, corpus_score, randomization, sentence_scores, t_test};

/// Score of a corpus with its parts; `metric` is a specification as JSON, `references` one list a reference.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn corpus_score_of(
    env: &Env,
    metric: String,
    hypotheses: Vec<String>,
    references: Vec<Vec<String>>,
) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let score = move || {
        let metric = specified(&metric)?;
        Ok::<_, Fault>(corpus_score(metric.metric(), &hypotheses, &slices(&references))?)
    };
    settle.spawn(score, |_, score| Ok(Data(score)))?;
    Ok(promise)
}

/// Score of each sentence.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn sentence_scores_of(
    env: &Env,
    metric: String,
    hypotheses: Vec<String>,
    references: Vec<Vec<String>>,
) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let score = move || {
        let metric = specified(&metric)?;
        Ok::<_, Fault>(sentence_scores(metric.metric(), &hypotheses, &slices(&references))?)
    };
    settle.spawn(score, |_, scores| Ok(Data(scores)))?;
    Ok(promise)
}

/// Paired bootstrap between two systems on the same sentences.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn paired_bootstrap(
    env: &Env,
    metric: String,
    baseline: Vec<String>,
    system: Vec<String>,
    references: Vec<Vec<String>>,
    resamples: f64,
    seed: f64,
) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let options = bootstrap::Options { resamples: resamples as usize, seed: seed as u64 };
    let compare = move || {
        let metric = specified(&metric)?;
        let [baseline, system] = counted(&metric, [baseline, system], &references)?;
        let paired = bootstrap::paired(metric.metric(), &baseline, &system, options)?;
        let signature = metric.metric().signature(references.len(), Some(Test::Bootstrap(options)));
        Ok::<_, Fault>(Signed { result: paired, signature })
    };
    settle.spawn(compare, |_, paired| Ok(Data(paired)))?;
    Ok(promise)
}

/// Paired approximate randomization between two systems on the same sentences.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn paired_randomization(
    env: &Env,
    metric: String,
    baseline: Vec<String>,
    system: Vec<String>,
    references: Vec<Vec<String>>,
    trials: f64,
    seed: f64,
) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let options = randomization::Options { trials: trials as usize, seed: seed as u64 };
    let compare = move || {
        let metric = specified(&metric)?;
        let [baseline, system] = counted(&metric, [baseline, system], &references)?;
        let paired = randomization::paired(metric.metric(), &baseline, &system, options)?;
        let signature = metric.metric().signature(references.len(), Some(Test::Randomization(options)));
        Ok::<_, Fault>(Signed { result: paired, signature })
    };
    settle.spawn(compare, |_, paired| Ok(Data(paired)))?;
    Ok(promise)
}

/// Student's t-test of a mean, or of the differences from a baseline; numbers that are not there are null.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn t_test(env: &Env, values: Vec<f64>, baseline: Option<Vec<f64>>) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let test = move || match baseline {
        Some(baseline) => Ok::<_, Fault>(t_test::paired(&baseline, &values)?),
        None => Ok(t_test::one_sample(&values)?),
    };
    settle.spawn(test, |_, test| Ok(Data(test)))?;
    Ok(promise)
}

/// A comparison with the signature that says how it was made.
#[derive(serde::Serialize)]
struct Signed<T> {
    #[serde(flatten)]
    result: T,
    signature: String,
}

fn specified(metric: &str) -> Result<MetricSpec, Fault> {
    serde_json::from_str(metric).map_err(|error| Fault::argument("metric", error))
}

fn slices(references: &[Vec<String>]) -> Vec<&[String]> {
    references.iter().map(Vec::as_slice).collect()
}

/// Counts of the sentences of two systems; the same system twice is counted once.
fn counted(
    metric: &MetricSpec,
    [baseline, system]: [Vec<String>; 2],
    references: &[Vec<String>],
) -> Result<[Statistics; 2], MetricsError> {
    let references = slices(references);
    let of_baseline = Statistics::of(metric.metric(), &baseline, &references)?;
    if baseline == system {
        return Ok([of_baseline.clone(), of_baseline]);
    }
    Ok([of_baseline, Statistics::of(metric.metric(), &system, &references)?])
}
