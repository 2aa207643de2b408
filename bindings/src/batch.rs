//! A batch of samples.

use crate::column::{NamedColumn, bytes};
use crate::fault::Fault;
use crate::slot::Slot;
use napi::bindgen_prelude::{Env, Float64Array, ObjectFinalize};
use napi_derive::napi;
use sagetrain_data::{Batch, LoaderState};
use std::sync::Arc;

/// A place in a loader's order.
#[napi(object)]
pub struct Position {
    pub epoch: f64,
    pub batch: f64,
}

impl From<LoaderState> for Position {
    fn from(state: LoaderState) -> Self {
        Self { epoch: state.epoch as f64, batch: state.batch as f64 }
    }
}

/// Samples in plain buffers.
#[napi(js_name = "Batch", custom_finalize)]
pub struct NativeBatch {
    slot: Slot<Arc<Batch>>,
}

impl NativeBatch {
    pub(crate) fn new(env: &Env, batch: Batch) -> napi::Result<Self> {
        let bytes = batch.columns.iter().map(|(_, column)| bytes(column)).sum::<usize>()
            + size_of_val(batch.indices.as_slice());
        Ok(Self { slot: Slot::new(env, "batch", Arc::new(batch), bytes)? })
    }

    /// Another owner of the batch, for an engine thread.
    pub(crate) fn share(&mut self) -> napi::Result<Arc<Batch>> {
        self.slot.with(|batch| Ok::<_, Fault>(Arc::clone(batch)))
    }
}

#[napi]
impl NativeBatch {
    /// Rows of each column.
    #[napi(catch_unwind)]
    pub fn samples(&mut self) -> napi::Result<f64> {
        Ok(self.share()?.samples as f64)
    }

    /// Tokens of the last ragged column, else samples.
    #[napi(catch_unwind)]
    pub fn tokens(&mut self) -> napi::Result<f64> {
        Ok(self.share()?.tokens as f64)
    }

    /// Names of the columns.
    #[napi(catch_unwind)]
    pub fn columns(&mut self) -> napi::Result<Vec<String>> {
        Ok(self.share()?.columns.iter().map(|(name, _)| name.clone()).collect())
    }

    /// Where it lies in its loader's order.
    #[napi(catch_unwind)]
    pub fn position(&mut self) -> napi::Result<Position> {
        Ok(self.share()?.position.into())
    }

    /// Where its loader resumes after it.
    #[napi(catch_unwind)]
    pub fn next(&mut self) -> napi::Result<Position> {
        Ok(self.share()?.next.into())
    }

    /// The dataset's sample behind each row.
    #[napi(catch_unwind)]
    pub fn indices(&mut self) -> napi::Result<Float64Array> {
        Ok(self.share()?.indices.iter().map(|index| *index as f64).collect::<Vec<_>>().into())
    }

    /// A copy of a column.
    #[napi(catch_unwind)]
    pub fn column(&mut self, name: String) -> napi::Result<NamedColumn> {
        self.slot.with(|batch| {
            let column = batch.column(&name).ok_or_else(|| {
                let known: Vec<&str> = batch.columns.iter().map(|(name, _)| name.as_str()).collect();
                Fault::argument("column", format!("there is no \"{name}\"; there are {}", known.join(", ")))
            })?;
            Ok::<_, Fault>(NamedColumn::copy(&name, column))
        })
    }

    /// Frees the buffers; idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self, env: &Env) -> napi::Result<()> {
        self.slot.dispose(env)
    }
}

impl ObjectFinalize for NativeBatch {
    fn finalize(mut self, env: Env) -> napi::Result<()> {
        self.slot.dispose(&env)
    }
}
