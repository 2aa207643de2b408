//! `state.json`: counters, specs and the machine they ran on.

use super::changes::{changes, is_binding, warning};
use crate::error::TrainerError;
use crate::options::SessionOptions;
use crate::tally::Sums;
use crate::training::{Pending, Training};
use sagetrain_optim::Change;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::Path;

const FORMAT: u32 = 1;
const LARGEST: u64 = 16 << 20;

/// Contents of `state.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Version of this file's layout.
    pub format: u32,
    /// Optimizer steps finished.
    pub step: u64,
    /// Batches seen: the counter of every random stream.
    pub passes: u64,
    /// Batches since the last update.
    pub accumulated: Accumulated,
    /// Loss scale; 1 without float16.
    pub loss_scale: f64,
    /// What multiplies every rate beside the schedule: 1 unless training was set back.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rate_factor: f64,
    /// The session's options as resolved.
    pub options: SessionOptions,
    /// Names the optimizer's `sage` scope selected, empty without `sage`.
    pub scope: Vec<String>,
    /// Where it ran.
    #[serde(flatten)]
    pub environment: Environment,
    /// What the training loop keeps: data position, epoch, best score.
    pub run: serde_json::Value,
}

fn one() -> f64 {
    1.0
}

fn cpu() -> String {
    "cpu".into()
}

fn is_cpu(device: &String) -> bool {
    device == "cpu"
}

fn is_one(factor: &f64) -> bool {
    *factor == 1.0
}

fn is_zero(sum: &f64) -> bool {
    *sum == 0.0
}

/// Sums over the batches since the last update; their gradients are in `optimizer.safetensors` as `<name>/gradient`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Accumulated {
    /// Batches.
    pub batches: u32,
    /// Tokens or samples.
    pub count: i64,
    /// Summed loss.
    pub loss: f64,
    /// Summed negative log-likelihood.
    pub nll: f64,
    /// Summed smoothness term.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub smoothness: f64,
}

impl Accumulated {
    fn of(pending: &Pending) -> Self {
        let (Sums { loss, nll, smoothness }, count) = (pending.tally.sums, pending.tally.count);
        Self { batches: pending.batches, count, loss, nll, smoothness }
    }

    pub(super) fn sums(&self) -> Sums {
        Sums { loss: self.loss, nll: self.nll, smoothness: self.smoothness }
    }
}

/// What bit-exact continuation depends on beside the state itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// libtorch's version.
    pub libtorch: String,
    /// `cpu` or `cuda`.
    #[serde(default = "cpu", skip_serializing_if = "is_cpu")]
    pub device: String,
    /// Threads of the session.
    pub threads: usize,
    /// libtorch's vector instruction level.
    pub cpu_capability: String,
    /// That of the fused operations.
    pub kernels: String,
}

impl Environment {
    pub(super) fn current(training: &Training) -> Result<Self, TrainerError> {
        let runtime = sagetrain_torch::runtime()?;
        Ok(Self {
            libtorch: runtime.libtorch_version,
            device: if training.device.is_cuda() { "cuda".into() } else { cpu() },
            threads: training.options.threads(),
            cpu_capability: runtime.cpu_capability,
            kernels: runtime.kernels,
        })
    }

    /// One sentence for each difference; none means bit-exact continuation.
    pub(super) fn differences(&self, now: &Self) -> Vec<String> {
        let pairs = [
            ("device", self.device.clone(), now.device.clone()),
            ("threads", self.threads.to_string(), now.threads.to_string()),
            ("libtorch", self.libtorch.clone(), now.libtorch.clone()),
            ("CPU capability", self.cpu_capability.clone(), now.cpu_capability.clone()),
            ("kernels", self.kernels.clone(), now.kernels.clone()),
        ];
        let changed = pairs.into_iter().filter(|(_, before, now)| before != now);
        let sentence = |(what, before, now)| {
            format!(
                "{what} changed from {before} to {now}: the order of samples stays, sums will differ by rounding"
            )
        };
        changed.map(sentence).collect()
    }
}

impl State {
    /// Refuses a session whose state would not continue this one's; says what else makes it take another course.
    pub(super) fn check(&self, folder: &Path, training: &Training) -> Result<Vec<String>, TrainerError> {
        let changes = changes(&self.options, &training.options);
        if let Some(Change { key, before, now }) = changes.iter().find(|change| is_binding(change)) {
            let message =
                format!("was trained with {key} {before}, this session has {now}; give the same {key}");
            return Err(TrainerError::checkpoint(folder, message));
        }
        let scope = training.optimizer.resolved_scope();
        if self.scope != scope {
            let message = format!(
                "its sage scope names {} parameters, this session's {}; give the same sage.scope",
                self.scope.len(),
                scope.len()
            );
            return Err(TrainerError::checkpoint(folder, message));
        }
        let mut warnings: Vec<String> = changes.iter().map(warning).collect();
        warnings.extend(self.environment.differences(&Environment::current(training)?));
        Ok(warnings)
    }
}

pub(super) fn write(path: &Path, training: &Training, run: &serde_json::Value) -> Result<(), TrainerError> {
    let state = State {
        format: FORMAT,
        step: training.step,
        passes: training.passes,
        accumulated: Accumulated::of(&training.pending),
        loss_scale: training.optimizer.loss_scale(),
        rate_factor: training.rate_factor,
        options: training.options.clone(),
        scope: training.optimizer.resolved_scope().to_vec(),
        environment: Environment::current(training)?,
        run: run.clone(),
    };
    let text = serde_json::to_vec_pretty(&state)
        .map_err(|error| TrainerError::checkpoint(path, error.to_string()))?;
    File::create(path).and_then(|mut file| file.write_all(&text)).map_err(TrainerError::io(path))
}

pub(super) fn read(path: &Path) -> Result<State, TrainerError> {
    let size = std::fs::metadata(path).map_err(TrainerError::io(path))?.len();
    if size > LARGEST {
        return Err(TrainerError::checkpoint(path, format!("has {size} bytes; at most {LARGEST} are read")));
    }
    let text = std::fs::read(path).map_err(TrainerError::io(path))?;
    let malformed = |error: serde_json::Error| TrainerError::checkpoint(path, error.to_string());
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(malformed)?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => serde_json::from_value(value).map_err(malformed),
        found => {
            Err(TrainerError::checkpoint(path, format!("has format {found:?}, this version reads {FORMAT}")))
        }
    }
}
