//! What continuation depends on, as one SHA-256 an array: two sessions with the same digests go on to the same bits.

use super::manifest::hex;
use crate::error::TrainerError;
use crate::training::Training;
use sagetrain_models::Model;
use sagetrain_torch::f32_slice;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// One part of a session's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// `parameters/<name>`, `optimizer/<name>/<state>`, `gradients/<name>` of an unfinished accumulation, or `counters`.
    pub name: String,
    /// In hexadecimal.
    pub sha256: String,
}

pub(crate) fn digests(model: &dyn Model, training: &Training) -> Result<Vec<Digest>, TrainerError> {
    let mut all = Vec::new();
    let parameters = model.parameters();
    for parameter in parameters.iter() {
        let bytes = to_bytes(f32_slice(&parameter.tensor)?);
        all.push(digest(format!("parameters/{}", parameter.name), &bytes));
    }
    for (name, _, values) in training.optimizer.state() {
        all.push(digest(format!("optimizer/{name}"), values.bytes()));
    }
    for (parameter, gradient) in parameters.iter().zip(&training.pending.gradients) {
        if let Some(gradient) = gradient {
            all.push(digest(format!("gradients/{}", parameter.name), &to_bytes(f32_slice(gradient)?)));
        }
    }
    all.push(digest("counters".into(), counters(training).as_bytes()));
    Ok(all)
}

/// Everything beside arrays, as text.
fn counters(training: &Training) -> String {
    let Training { step, passes, rate_factor, pending, .. } = training;
    let sums = json!([pending.batches, pending.count, pending.loss, pending.nll]);
    json!({ "step": step, "passes": passes, "rateFactor": rate_factor, "accumulated": sums }).to_string()
}

fn digest(name: String, bytes: &[u8]) -> Digest {
    Digest { name, sha256: hex(&Sha256::digest(bytes)) }
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
