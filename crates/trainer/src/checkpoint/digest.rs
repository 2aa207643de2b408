//! What continuation depends on, as one SHA-256 an array: two sessions with the same digests go on to the same bits.

use super::manifest::hex;
use crate::error::TrainerError;
use crate::tally::Sums;
use crate::training::Training;
use sagetrain_models::Model;
use sagetrain_torch::f32_values;
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

pub(crate) fn digests(model: &dyn Model, training: &mut Training) -> Result<Vec<Digest>, TrainerError> {
    training.settle()?;
    let mut all = Vec::new();
    let parameters = model.parameters();
    for parameter in parameters.iter() {
        let bytes = to_bytes(&f32_values(&parameter.tensor)?);
        all.push(digest(format!("parameters/{}", parameter.name), &bytes));
    }
    training.optimizer.with_states(|states| {
        all.extend(
            states.iter().map(|(name, _, values)| digest(format!("optimizer/{name}"), values.bytes())),
        );
        Ok(())
    })?;
    for (parameter, gradient) in parameters.iter().zip(&training.pending.gradients) {
        if let Some(gradient) = gradient {
            all.push(digest(format!("gradients/{}", parameter.name), &to_bytes(&f32_values(gradient)?)));
        }
    }
    all.push(digest("counters".into(), counters(training).as_bytes()));
    Ok(all)
}

/// Everything beside arrays, as text.
fn counters(training: &Training) -> String {
    let Training { step, passes, rate_factor, pending, optimizer, .. } = training;
    let Sums { loss, nll, smoothness } = pending.tally.sums;
    let sums = json!([pending.batches, pending.tally.count, loss, nll, smoothness]);
    json!({ "step": step, "passes": passes, "rateFactor": rate_factor, "accumulated": sums, "lossScale": optimizer.loss_scale_state() }).to_string()
}

fn digest(name: String, bytes: &[u8]) -> Digest {
    Digest { name, sha256: hex(&Sha256::digest(bytes)) }
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
