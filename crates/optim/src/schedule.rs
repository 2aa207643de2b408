//! Schedules: multipliers of the learning rate, without a rate of their own.

use crate::error::{OptimError, Result};
use crate::fields::{Fields, not_among};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use std::f64::consts::PI;

/// A multiplier s(t) of the learning rate, t counting optimizer steps from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ScheduleSpec {
    /// 1.
    #[default]
    Constant,
    /// Linear to 1 over the warm-up, then linear to 0 at the last step (transformers `get_linear_schedule_with_warmup`).
    Linear {
        /// Length of the warm-up.
        #[serde(flatten)]
        warmup: Warmup,
    },
    /// Linear to 1 over the warm-up, then √(warm-up / t) (fairseq `inverse_sqrt`).
    InverseSqrt {
        /// Steps of warm-up, at least 1.
        warmup_steps: u64,
    },
    /// Linear to 1 over the warm-up, then half a cosine to 0 (transformers `get_cosine_schedule_with_warmup`).
    Cosine {
        /// Steps of warm-up.
        warmup_steps: u64,
    },
    /// Linear to 1 over the warm-up, then (share of steps left)^power (fairseq `polynomial_decay`).
    Polynomial {
        /// The exponent, above 0.
        power: f64,
        /// Steps of warm-up.
        warmup_steps: u64,
    },
    /// With x = t / total: x / warm-up before it, then 1 − x, a jump of the size of the warm-up between (the released code).
    WarmupLinear {
        /// Share of all steps.
        warmup_ratio: f64,
    },
}

/// Length of a warm-up, in steps or as a share of all steps (then rounded up).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Warmup {
    /// Steps.
    #[serde(rename = "warmupSteps")]
    Steps(u64),
    /// Share of all steps, in [0, 1].
    #[serde(rename = "warmupRatio")]
    Ratio(f64),
}

impl ScheduleSpec {
    /// Whether [`multiplier`](Self::multiplier) needs the total number of steps.
    pub fn needs_total_steps(&self) -> bool {
        !matches!(self, Self::Constant | Self::InverseSqrt { .. })
    }

    /// s(`step`), from 0 to 1; `step` counts from 1. Past the last step it is 0 for the schedules that end there.
    ///
    /// # Errors
    /// `ERR_CONFIG` when the schedule needs `total_steps` and there are none.
    pub fn multiplier(&self, step: u64, total_steps: Option<u64>) -> Result<f64> {
        let total = match total_steps {
            Some(total) => total,
            None if self.needs_total_steps() => {
                return Err(OptimError::config(
                    "totalSteps",
                    format!("is missing, and schedule {self:?} needs it"),
                ));
            }
            None => 0,
        };
        Ok(match *self {
            Self::Constant => 1.0,
            Self::Linear { warmup } => Span { step, total, warmup: warmup.steps(total) }.shape(|left| left),
            Self::InverseSqrt { warmup_steps } if step < warmup_steps => step as f64 / warmup_steps as f64,
            Self::InverseSqrt { warmup_steps } => (warmup_steps as f64 / step.max(1) as f64).sqrt(),
            Self::Cosine { warmup_steps: warmup } => {
                Span { step, total, warmup }.shape(|left| 0.5 * (1.0 + (PI * (1.0 - left)).cos()))
            }
            Self::Polynomial { power, warmup_steps: warmup } => {
                Span { step, total, warmup }.shape(|left| left.powf(power))
            }
            Self::WarmupLinear { warmup_ratio } => {
                warmup_linear(step as f64 / total.max(1) as f64, warmup_ratio)
            }
        })
    }

    /// Reads a schedule; `path` begins the path of a key in an error, e.g. `schedule`.
    ///
    /// # Errors
    /// `ERR_CONFIG` for a missing, unknown or impossible value.
    pub fn from_json(value: &Value, path: &str) -> Result<Self> {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        let read = |keys: &[&str]| Fields::of(value, path, &[&["type"], keys].concat());
        match kind {
            "constant" => read(&[]).map(|_| Self::Constant),
            "linear" => linear(&read(&["warmupRatio", "warmupSteps"])?),
            "inverseSqrt" => {
                Ok(Self::InverseSqrt { warmup_steps: warmup_steps(&read(&["warmupSteps"])?, 1)? })
            }
            "cosine" => Ok(Self::Cosine { warmup_steps: warmup_steps(&read(&["warmupSteps"])?, 0)? }),
            "polynomial" => polynomial(&read(&["power", "warmupSteps"])?),
            "warmupLinear" => {
                let fields = read(&["warmupRatio"])?;
                let ratio = ratio(&fields)?;
                let warmup_ratio = ratio
                    .ok_or_else(|| fields.error("warmupRatio", "is missing, must be a share of all steps"))?;
                Ok(Self::WarmupLinear { warmup_ratio })
            }
            _ => Err(OptimError::config(
                format!("{path}.type"),
                not_among(value.get("type").unwrap_or(&Value::Null), &KINDS),
            )),
        }
    }
}

const KINDS: [&str; 6] = ["constant", "linear", "inverseSqrt", "cosine", "polynomial", "warmupLinear"];

impl<'de> Deserialize<'de> for ScheduleSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?, "schedule").map_err(D::Error::custom)
    }
}

/// A step within a warm-up and what follows it.
struct Span {
    step: u64,
    total: u64,
    warmup: u64,
}

impl Span {
    /// t / warm-up, then `shape` of the share of steps left.
    fn shape(&self, shape: impl Fn(f64) -> f64) -> f64 {
        if self.step < self.warmup {
            return self.step as f64 / self.warmup as f64;
        }
        let left = self.total.saturating_sub(self.step) as f64;
        let span = self.total.saturating_sub(self.warmup).max(1) as f64;
        shape((left / span).min(1.0))
    }
}

impl Warmup {
    fn steps(self, total: u64) -> u64 {
        match self {
            Self::Steps(steps) => steps,
            Self::Ratio(ratio) => (ratio * total as f64).ceil() as u64,
        }
    }
}

fn warmup_linear(x: f64, warmup: f64) -> f64 {
    if x < warmup { x / warmup } else { (1.0 - x).max(0.0) }
}

fn linear(fields: &Fields<'_>) -> Result<ScheduleSpec> {
    let warmup = match (ratio(fields)?, fields.whole("warmupSteps", 0)?) {
        (Some(_), Some(_)) => {
            return Err(fields.error("warmupRatio", "excludes warmupSteps: give one of them"));
        }
        (Some(ratio), None) => Warmup::Ratio(ratio),
        (None, steps) => Warmup::Steps(steps.unwrap_or(0)),
    };
    Ok(ScheduleSpec::Linear { warmup })
}

fn polynomial(fields: &Fields<'_>) -> Result<ScheduleSpec> {
    let power = fields.number("power", "a number above 0", |power| power > 0.0)?;
    let power = power.ok_or_else(|| fields.error("power", "is missing, must be a number above 0"))?;
    Ok(ScheduleSpec::Polynomial { power, warmup_steps: warmup_steps(fields, 0)? })
}

fn warmup_steps(fields: &Fields<'_>, least: u64) -> Result<u64> {
    let steps = fields.whole("warmupSteps", least)?;
    steps.ok_or_else(|| fields.error("warmupSteps", "is missing, must be a number of steps"))
}

fn ratio(fields: &Fields<'_>) -> Result<Option<f64>> {
    fields.number("warmupRatio", "a number from 0 to 1", |ratio| (0.0..=1.0).contains(&ratio))
}
