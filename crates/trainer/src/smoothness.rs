//! SMART's smoothness in a session: which models can have it, and the loss with it or without.

use crate::error::TrainerError;
use crate::options::RunOptions;
use sagetrain_models::{Forward, Inputs, Loss, Model};

/// Refuses smoothness of a model that has no embeddings to perturb.
pub(crate) fn check(model: &dyn Model, options: &RunOptions) -> Result<(), TrainerError> {
    if options.smoothness.is_none() || model.as_encoder().is_some() {
        return Ok(());
    }
    let kind = model.spec().kind();
    let message = format!(
        "perturbs the embeddings of an encoder, and a model of type \"{kind}\" is none; leave it out"
    );
    Err(TrainerError::Option { key: "smoothness", message })
}

/// The loss of a training batch, with its smoothness term where the session has one.
pub(crate) fn loss(
    model: &dyn Model,
    inputs: &Inputs,
    options: &RunOptions,
    forward: &Forward,
) -> Result<Loss, TrainerError> {
    let smoothing = options.label_smoothing;
    Ok(match (&options.smoothness, model.as_encoder()) {
        (Some(smoothness), Some(encoder)) => encoder.smooth_loss(inputs, smoothing, smoothness, forward)?,
        _ => model.loss(inputs, smoothing, forward)?,
    })
}
