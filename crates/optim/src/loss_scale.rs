//! Dynamic loss scaling for float16: the scale follows what the gradients can bear, exactly as `torch.amp.GradScaler` (2.13) has it.
//!
//! The loss is multiplied by the scale before the backward pass and the gradients are divided by it before anything looks at them
//! ([`StepInputs::loss_scale`](crate::StepInputs)). A step whose gradients are not finite is not taken, and the scale backs off;
//! after so many good steps in a row it grows.

use crate::error::{OptimError, Result};
use crate::fields::Fields;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the loss scale moves. Defaults are torch's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LossScaleSpec {
    /// Scale of the first step, rounded to float32. Default 65536.
    pub initial: f64,
    /// What the scale is multiplied by after `growth_interval` good steps in a row, above 1. Default 2.
    pub growth_factor: f64,
    /// What the scale is multiplied by after a step with a non-finite gradient, between 0 and 1. Default 0.5.
    pub backoff_factor: f64,
    /// Good steps in a row before the scale grows, at least 1. Default 2000.
    pub growth_interval: u64,
}

impl Default for LossScaleSpec {
    fn default() -> Self {
        Self { initial: 65536.0, growth_factor: 2.0, backoff_factor: 0.5, growth_interval: 2000 }
    }
}

const KEYS: &[&str] = &["initial", "growthFactor", "backoffFactor", "growthInterval"];

impl LossScaleSpec {
    /// Reads `'dynamic'` (every default) or an object; `path` begins the path of a key in an error, e.g. `lossScale`.
    ///
    /// # Errors
    /// `ERR_CONFIG` for an unknown or impossible value.
    pub fn from_json(value: &Value, path: &str) -> Result<Self> {
        let defaults = Self::default();
        if value.as_str() == Some("dynamic") {
            return Ok(defaults);
        }
        if value.is_string() || value.is_number() {
            let problem = format!("is {value}, must be 'dynamic' or an object with {}", KEYS.join(", "));
            return Err(OptimError::config(path, problem));
        }
        let fields = Fields::of(value, path, KEYS)?;
        let wanted = "a number that is finite and normal in float32, such as 65536";
        let initial = fields.number("initial", wanted, |scale| usable(scale as f32))?;
        let growth = fields.number("growthFactor", "a number above 1", |factor| factor > 1.0)?;
        let between = |factor: f64| factor > 0.0 && factor < 1.0;
        let backoff = fields.number("backoffFactor", "a number between 0 and 1", between)?;
        Ok(Self {
            initial: initial.unwrap_or(defaults.initial),
            growth_factor: growth.unwrap_or(defaults.growth_factor),
            backoff_factor: backoff.unwrap_or(defaults.backoff_factor),
            growth_interval: fields.whole("growthInterval", 1)?.unwrap_or(defaults.growth_interval),
        })
    }
}

/// What is saved of a loss scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LossScaleState {
    /// The scale, a float32.
    pub scale: f64,
    /// Good steps since it last moved: torch's `_growth_tracker`.
    pub good_steps: u64,
}

/// A loss scale and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct LossScale {
    spec: LossScaleSpec,
    scale: f32,
    good_steps: u64,
}

impl LossScale {
    /// At the spec's initial scale.
    ///
    /// # Errors
    /// `ERR_CONFIG` for a spec made in Rust that could not be written in JSON.
    pub fn new(spec: LossScaleSpec) -> Result<Self> {
        let json =
            serde_json::to_value(spec).map_err(|error| OptimError::config("lossScale", error.to_string()))?;
        let spec = LossScaleSpec::from_json(&json, "lossScale")?;
        Ok(Self { spec, scale: spec.initial as f32, good_steps: 0 })
    }

    /// What to multiply the loss of the next step with.
    pub fn scale(&self) -> f64 {
        f64::from(self.scale)
    }

    /// The spec it was made from.
    pub fn spec(&self) -> &LossScaleSpec {
        &self.spec
    }

    /// Follows a step: `found_non_finite` says that its gradients held NaN or an infinity and it was not taken. A growth beyond
    /// float32 leaves the scale as it is, as in torch.
    ///
    /// # Errors
    /// `ERR_NON_FINITE` where the scale would fall below the smallest normal float32 (torch goes on to 0, and skips every step from
    /// then on without a word). Nothing has changed then.
    pub fn update(&mut self, found_non_finite: bool) -> Result<()> {
        if found_non_finite {
            let next = self.times(self.spec.backoff_factor);
            if next < f32::MIN_POSITIVE {
                return Err(OptimError::LossScale { scale: self.scale, next });
            }
            (self.scale, self.good_steps) = (next, 0);
            return Ok(());
        }
        self.good_steps += 1;
        // torch asks for equality, and so never grows again where a state is restored under a shorter interval.
        if self.good_steps >= self.spec.growth_interval {
            let next = self.times(self.spec.growth_factor);
            self.scale = if next.is_finite() { next } else { self.scale };
            self.good_steps = 0;
        }
        Ok(())
    }

    /// What a later run goes on from.
    pub fn state(&self) -> LossScaleState {
        LossScaleState { scale: self.scale(), good_steps: self.good_steps }
    }

    /// Goes on from a saved state; the factors and the interval stay those of the spec.
    ///
    /// # Errors
    /// `ERR_CHECKPOINT` for a scale that no loss scale can have. Nothing has changed then.
    pub fn restore(&mut self, state: LossScaleState) -> Result<()> {
        let scale = state.scale as f32;
        if !usable(scale) || f64::from(scale) != state.scale {
            let problem = format!("its loss scale is {}, must be a normal float32 above 0", state.scale);
            return Err(OptimError::checkpoint(problem));
        }
        (self.scale, self.good_steps) = (scale, state.good_steps);
        Ok(())
    }

    /// Multiplied in float64 and rounded once, as torch does.
    fn times(&self, factor: f64) -> f32 {
        (f64::from(self.scale) * factor) as f32
    }
}

fn usable(scale: f32) -> bool {
    scale.is_normal() && scale > 0.0
}
