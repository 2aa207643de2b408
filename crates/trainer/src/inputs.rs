//! Batches as the model sees them: tensors on the session's device.

use crate::error::TrainerError;
use sagetrain_data::{Batch, Column};
use sagetrain_models::Inputs;
use tch::Device;

/// Copies a batch's columns into tensors on a device.
pub(crate) fn inputs(batch: &Batch, device: Device) -> Result<Inputs, TrainerError> {
    let mut inputs = Inputs::new();
    for (name, column) in &batch.columns {
        inputs = match column {
            Column::Ragged { values, offsets } => inputs.ragged(name, values, offsets)?,
            Column::Dense { values, width } => inputs.dense(name, values, *width)?,
        };
    }
    Ok(inputs.on(device)?)
}
