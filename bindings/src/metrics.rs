//! Scores of translations on plain strings.

use crate::data::Data;
use crate::fault::Fault;
use crate::promise::promise;
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;
use sagetrain_metrics::{bleu, bootstrap, chrf};

/// Corpus BLEU, as sacreBLEU's.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn corpus_bleu(env: &Env, hypotheses: Vec<String>, references: Vec<String>) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    settle.spawn(move || bleu::corpus(&hypotheses, &references), |_, score| Ok(Data(score)))?;
    Ok(promise)
}

/// Corpus chrF2, as sacreBLEU's.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn corpus_chrf(env: &Env, hypotheses: Vec<String>, references: Vec<String>) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    settle.spawn(move || chrf::corpus(&hypotheses, &references), |_, score| Ok(Data(score)))?;
    Ok(promise)
}

/// Paired bootstrap of `metric` ("bleu" or "chrf") between two systems on the same sentences.
#[napi(catch_unwind, ts_return_type = "Promise<unknown>")]
pub fn paired_bootstrap(
    env: &Env,
    metric: String,
    baseline: Vec<String>,
    system: Vec<String>,
    references: Vec<String>,
    resamples: f64,
    seed: f64,
) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let options = bootstrap::Options { resamples: resamples as usize, seed: seed as u64 };
    let compare = move || {
        Ok::<_, Fault>(match metric.as_str() {
            "chrf" => {
                let (baseline, system) =
                    (chrf::counts(&baseline, &references)?, chrf::counts(&system, &references)?);
                bootstrap::paired(&baseline, &system, options)?
            }
            _ => {
                let (baseline, system) =
                    (bleu::counts(&baseline, &references)?, bleu::counts(&system, &references)?);
                bootstrap::paired(&baseline, &system, options)?
            }
        })
    };
    settle.spawn(compare, |_, paired| Ok(Data(paired)))?;
    Ok(promise)
}
