//! Specifications as JSON text: checked and completed by the crate that knows them.

use crate::fault::Fault;
use crate::slot::guarded;
use napi_derive::napi;
use sagetrain_optim::{OptimizerSpec, ScheduleSpec};
use serde::Serialize;
use serde_json::Value;

/// Reads JSON text that TypeScript wrote.
pub(crate) fn parse(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::argument("json", error))
}

/// Writes JSON text for TypeScript.
pub(crate) fn write(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::internal(&error.to_string()))
}

/// An optimizer's specification with every default filled in; `path` begins the paths in messages.
#[napi(catch_unwind)]
pub fn resolve_optimizer(spec: String, path: String) -> napi::Result<String> {
    guarded(|| write(&OptimizerSpec::from_json(&parse(&spec)?, &path)?))
}

/// A schedule's specification with every default filled in; `path` begins the paths in messages.
#[napi(catch_unwind)]
pub fn resolve_schedule(spec: String, path: String) -> napi::Result<String> {
    guarded(|| write(&ScheduleSpec::from_json(&parse(&spec)?, &path)?))
}

/// s(step), `step` counting from 1.
#[napi(catch_unwind)]
pub fn schedule_multiplier(spec: String, step: f64, total_steps: Option<f64>) -> napi::Result<f64> {
    guarded(|| {
        let schedule = ScheduleSpec::from_json(&parse(&spec)?, "schedule")?;
        Ok::<_, Fault>(schedule.multiplier(step as u64, total_steps.map(|total| total as u64))?)
    })
}
