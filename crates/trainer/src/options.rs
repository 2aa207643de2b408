//! What a session is told once, at its creation.

use crate::device;
use crate::error::TrainerError;
use sagetrain_models::Smoothness;
use sagetrain_optim::{LossScaleSpec, NonFinite, OptimizerOptions, OptimizerSpec};
use sagetrain_torch::Precision;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tch::Device;

/// Options of [`crate::Session::create`]. The JSON form is TypeScript's `SessionOptions` without the model: the keys below, with those
/// of [`OptimizerOptions`] beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct SessionOptions {
    /// The update rule and its constants.
    pub optimizer: OptimizerSpec,
    /// Schedule, groups, clipping and the non-finite policy.
    pub update: OptimizerOptions,
    /// The rest.
    pub run: RunOptions,
}

/// Keys of [`SessionOptions`] that are the session's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunOptions {
    /// `auto`, `cpu`, or a GPU such as `cuda:0`.
    pub device: String,
    /// Of the matrix products; without it what the processor does fastest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<PrecisionName>,
    /// Threads of this session; without it the processors this process may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Updates from one reading of losses and norm to the next; without it 1 on the CPU and 50 on a GPU, where a reading waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_every: Option<u64>,
    /// Of dropout.
    pub seed: u64,
    /// Batches whose gradients are summed before an update.
    pub accumulate: u32,
    /// Runs on the CPU what a GPU runs, for the rest of the engine thread's life: to compare the two.
    #[serde(skip)]
    pub composed: bool,
    /// ε of label smoothing, spread as ε/(V−1) over the other labels (fairseq's definition).
    pub label_smoothing: f64,
    /// Adds a term to what is minimised that keeps an encoder's outputs smooth around its embeddings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoothness: Option<Smoothness>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            device: "auto".into(),
            precision: None,
            threads: None,
            log_every: None,
            seed: 1,
            accumulate: 1,
            composed: false,
            label_smoothing: 0.0,
            smoothness: None,
        }
    }
}

impl RunOptions {
    /// Reads a session's own keys; a value that is not understood is named by its key.
    fn from_own(own: &Map<String, Value>) -> Result<Self, TrainerError> {
        let read = |part: Value| serde_json::from_value::<Self>(part);
        for key in OWN_KEYS.into_iter().filter(|key| own.contains_key(*key)) {
            read(json!({ key: own[key] })).map_err(|error| refuse(key, error.to_string()))?;
        }
        read(Value::Object(own.clone())).map_err(|error| refuse("options", error.to_string()))
    }
}

/// [`Precision`] as it is written in specs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionName {
    /// IEEE single.
    Float32,
    /// The 16-bit format with float32's exponent.
    Bfloat16,
    /// IEEE half: with dynamic loss scaling.
    Float16,
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::Float32 => Self::Float32,
            PrecisionName::Bfloat16 => Self::Bfloat16,
            PrecisionName::Float16 => Self::Float16,
        }
    }
}

const OWN_KEYS: [&str; 8] =
    ["device", "precision", "threads", "logEvery", "seed", "accumulate", "labelSmoothing", "smoothness"];

impl SessionOptions {
    /// Defaults around an optimizer.
    pub fn new(optimizer: OptimizerSpec) -> Self {
        Self { optimizer, update: OptimizerOptions::default(), run: RunOptions::default() }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// `ERR_CONFIG` with the key, the value and what fits.
    pub fn from_json(value: &Value) -> Result<Self, TrainerError> {
        let Some(object) = value.as_object() else {
            return Err(refuse("options", "must be an object".into()));
        };
        let Some(optimizer) = object.get("optimizer") else {
            return Err(refuse(
                "optimizer",
                "is required, for example { \"type\": \"adam\", \"lr\": 0.001 }".into(),
            ));
        };
        let (own, mut rest) = partition(object);
        scale_half(&own, &mut rest);
        Ok(Self {
            optimizer: OptimizerSpec::from_json(optimizer, "optimizer")?,
            update: OptimizerOptions::from_json(&rest, "")?,
            run: RunOptions::from_own(&own)?,
        })
    }

    /// Fills in what depends on the machine, and refuses what no machine has.
    pub fn resolve(mut self) -> Result<Self, TrainerError> {
        let run = &mut self.run;
        let device = device::resolve(&run.device, self.optimizer.observe().is_some())?;
        if run.accumulate == 0 {
            return Err(out_of_range("accumulate", 0.0, "of at least 1"));
        }
        if !(0.0..1.0).contains(&run.label_smoothing) {
            return Err(out_of_range("labelSmoothing", run.label_smoothing, "in [0, 1)"));
        }
        run.smoothness.map_or(Ok(()), |smoothness| smoothness.check("smoothness"))?;
        if run.threads == Some(0) {
            return Err(out_of_range("threads", 0.0, "of at least 1"));
        }
        if run.log_every == Some(0) {
            return Err(out_of_range("logEvery", 0.0, "of at least 1"));
        }
        run.device = device::name(device);
        let precision = run.precision.map_or_else(|| fastest_precision(device), Ok)?;
        run.precision = Some(precision);
        run.log_every =
            Some(run.log_every.unwrap_or(if device == Device::Cpu { 1 } else { UPDATES_A_READING }));
        check_loss_scale(&mut self.update, precision)?;
        run.threads = Some(run.threads.unwrap_or_else(available_threads));
        Ok(self)
    }

    pub(crate) fn products(&self) -> Precision {
        self.run.precision.unwrap_or(PrecisionName::Float32).into()
    }

    /// The device that the name is of.
    pub(crate) fn device(&self) -> Result<Device, TrainerError> {
        device::resolve(&self.run.device, false)
    }

    /// Updates from one reading to the next.
    pub(crate) fn log_every(&self) -> u64 {
        self.run.log_every.unwrap_or(1).max(1)
    }

    pub(crate) fn threads(&self) -> usize {
        self.run.threads.unwrap_or(1)
    }
}

impl TryFrom<Value> for SessionOptions {
    type Error = TrainerError;

    fn try_from(value: Value) -> Result<Self, TrainerError> {
        Self::from_json(&value)
    }
}

impl From<SessionOptions> for Value {
    fn from(options: SessionOptions) -> Self {
        let mut object = Map::new();
        object.insert("optimizer".into(), serde_json::to_value(options.optimizer).unwrap_or_default());
        for part in [serde_json::to_value(options.update), serde_json::to_value(options.run)] {
            if let Ok(Self::Object(part)) = part {
                object.extend(part);
            }
        }
        Self::Object(object)
    }
}

/// The session's own keys, and those of the optimizer's options.
fn partition(object: &Map<String, Value>) -> (Map<String, Value>, Value) {
    let given = object.iter().filter(|(key, value)| key.as_str() != "optimizer" && !value.is_null());
    let (own, rest): (Map<_, _>, Map<_, _>) = given
        .map(|(key, value)| (key.clone(), value.clone()))
        .partition(|(key, _)| OWN_KEYS.contains(&key.as_str()));
    (own, Value::Object(rest))
}

fn refuse(key: &'static str, message: String) -> TrainerError {
    TrainerError::Option { key, message }
}

fn out_of_range(key: &'static str, value: f64, wanted: &str) -> TrainerError {
    refuse(key, format!("{value} is out of range; give a number {wanted}"))
}

/// bfloat16 where the processor or the GPU multiplies it natively, float32 elsewhere.
fn fastest_precision(device: Device) -> Result<PrecisionName, TrainerError> {
    let native = match device {
        Device::Cuda(number) => sagetrain_torch::cuda::has_bfloat16(number)?,
        _ => sagetrain_torch::runtime()?.has_bfloat16,
    };
    Ok(if native { PrecisionName::Bfloat16 } else { PrecisionName::Float32 })
}

/// On a GPU a reading waits until all that is queued is done.
const UPDATES_A_READING: u64 = 50;

/// fairseq's: the loss is a sum over tokens here as there, so that torch's 65536 for means would overflow at once.
const INITIAL_LOSS_SCALE: f64 = 128.0;

/// float16 is scaled whether or not that was asked for; before the other options are read, which depend on it.
fn scale_half(own: &Map<String, Value>, rest: &mut Value) {
    let half = own.get("precision").and_then(Value::as_str) == Some("float16");
    if let Some(rest) = rest.as_object_mut().filter(|rest| half && !rest.contains_key("lossScale")) {
        rest.insert("lossScale".into(), json!({ "initial": INITIAL_LOSS_SCALE }));
    }
}

/// Dynamic loss scaling and float16 come together.
fn check_loss_scale(update: &mut OptimizerOptions, precision: PrecisionName) -> Result<(), TrainerError> {
    match (precision, &update.loss_scale) {
        (PrecisionName::Float16, None) => {
            update.loss_scale =
                Some(LossScaleSpec { initial: INITIAL_LOSS_SCALE, ..LossScaleSpec::default() });
            update.non_finite = NonFinite::Skip;
            Ok(())
        }
        (PrecisionName::Float32 | PrecisionName::Bfloat16, Some(_)) => {
            let message =
                "keeps float16 gradients from vanishing; leave it out, or give precision \"float16\"";
            Err(refuse("lossScale", message.to_owned()))
        }
        _ => Ok(()),
    }
}

/// The processors this process may use.
pub(crate) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_understood_is_named_by_its_key() {
        for (key, value) in [("seed", json!(-1)), ("threads", json!("two")), ("precision", json!("float8"))] {
            let options = json!({ "optimizer": { "type": "adam", "lr": 1 }, "accumulate": 2, key: value });
            let error = SessionOptions::from_json(&options).unwrap_err();
            assert!(matches!(error, TrainerError::Option { key: found, .. } if found == key), "{error}");
        }
    }
}
