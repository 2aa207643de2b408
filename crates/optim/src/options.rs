//! Options of an optimizer beside its spec.

use crate::error::{OptimError, Result};
use crate::fields::Fields;
use crate::loss_scale::LossScaleSpec;
use crate::precision::{Rounding, SensitivityDtype};
use crate::schedule::ScheduleSpec;
use crate::scope::Selection;
use serde::Serialize;
use serde_json::Value;

/// What an optimizer does besides its rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OptimizerOptions {
    /// Parameters with a rate, a decay or a β0 of their own. A parameter may be in one group at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSpec>,
    /// Global L2 norm the gradients are clipped to, as torch's `clip_grad_norm_` does: × min(1, max / (norm + 1e-6)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gradient_norm: Option<f64>,
    /// What to do about NaN or an infinity in a gradient. Default `error`.
    pub non_finite: NonFinite,
    /// Dynamic loss scaling, which leaves steps with a non-finite gradient out: `non_finite` is `skip` beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<LossScaleSpec>,
    /// Keeps an exponential moving average of the parameters, as state `average`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageSpec>,
    /// How a parameter of 16 bits is rounded. Default `nearest`, from a master weight.
    #[serde(skip_serializing_if = "is_default")]
    pub rounding: Rounding,
    /// Type of E. Default that of the arithmetic.
    #[serde(skip_serializing_if = "is_default")]
    pub sensitivity_dtype: SensitivityDtype,
    /// Seed of stochastic rounding. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Multiplier of the learning rate by step. Default constant.
    pub schedule: ScheduleSpec,
    /// Steps the schedule is stretched over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_steps: Option<u64>,
}

/// The average a ← d a + (1 − d) θ after every step; the first step it sees sets it to θ, as torch's `AveragedModel` does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AverageSpec {
    /// d, from 0 to below 1.
    pub decay: f64,
}

/// Policy for a gradient that is not finite. Checking costs one read of the gradients, none where clipping reads them anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NonFinite {
    /// The step fails with `ERR_NON_FINITE`; nothing has changed.
    #[default]
    Error,
    /// The step is not taken and says so; nothing has changed.
    Skip,
    /// Nobody looks.
    Unchecked,
}

/// Parameters that differ from the rest. What is `None` is as in the spec.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupSpec {
    /// Which parameters.
    #[serde(flatten)]
    pub selection: Selection,
    /// Their base learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Their λ; 0 excludes them from decay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// β0 of their sensitivity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta0: Option<f64>,
}

const KEYS: &[&str] = &[
    "groups",
    "maxGradientNorm",
    "nonFinite",
    "lossScale",
    "average",
    "schedule",
    "totalSteps",
    "rounding",
    "sensitivityDtype",
    "seed",
];
const GROUP_KEYS: &[&str] = &["include", "exclude", "lr", "weightDecay", "beta0"];

impl OptimizerOptions {
    /// Reads options; `path` begins the path of a key in an error, and may be empty.
    ///
    /// # Errors
    /// `ERR_CONFIG` for an unknown or impossible value.
    pub fn from_json(value: &Value, path: &str) -> Result<Self> {
        let fields = Fields::of(value, path, KEYS)?;
        let schedule =
            fields.get("schedule").map(|value| ScheduleSpec::from_json(value, &fields.path("schedule")));
        let policies =
            [("error", NonFinite::Error), ("skip", NonFinite::Skip), ("unchecked", NonFinite::Unchecked)];
        let dtypes = [("float32", SensitivityDtype::Float32), ("bfloat16", SensitivityDtype::BFloat16)];
        let non_finite = fields.choice("nonFinite", &policies)?;
        let loss_scale = fields.get("lossScale");
        let loss_scale =
            loss_scale.map(|value| LossScaleSpec::from_json(value, &fields.path("lossScale"))).transpose()?;
        let scales = loss_scale.is_some();
        if scales && non_finite.is_some_and(|policy| policy != NonFinite::Skip) {
            return Err(
                fields.error("nonFinite", "must be 'skip' beside lossScale, which leaves such steps out")
            );
        }
        let options = Self {
            groups: groups(&fields)?,
            max_gradient_norm: fields.number("maxGradientNorm", "a number above 0", |norm| norm > 0.0)?,
            non_finite: non_finite.unwrap_or(if scales { NonFinite::Skip } else { NonFinite::default() }),
            loss_scale,
            average: average(&fields)?,
            rounding: fields.choice("rounding", &ROUNDINGS)?.unwrap_or_default(),
            sensitivity_dtype: fields.choice("sensitivityDtype", &dtypes)?.unwrap_or_default(),
            seed: fields.whole("seed", 0)?,
            schedule: schedule.transpose()?.unwrap_or_default(),
            total_steps: fields.whole("totalSteps", 1)?,
        };
        if options.schedule.needs_total_steps() && options.total_steps.is_none() {
            let problem = format!("is missing, and schedule {:?} needs it", options.schedule);
            return Err(fields.error("totalSteps", problem));
        }
        if options.seed.is_some() && options.rounding != Rounding::Stochastic {
            return Err(fields.error("seed", "has no effect without rounding 'stochastic'"));
        }
        Ok(options)
    }
}

const ROUNDINGS: [(&str, Rounding); 3] =
    [("nearest", Rounding::Nearest), ("stochastic", Rounding::Stochastic), ("kahan", Rounding::Kahan)];

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn average(fields: &Fields<'_>) -> Result<Option<AverageSpec>> {
    let Some(value) = fields.get("average") else { return Ok(None) };
    let path = fields.path("average");
    let own = Fields::of(value, &path, &["decay"])?;
    let decay = own.number("decay", "a number from 0 to below 1", |decay| (0.0..1.0).contains(&decay))?;
    decay
        .map(|decay| Some(AverageSpec { decay }))
        .ok_or_else(|| own.error("decay", "is missing, such as 0.999"))
}

fn groups(fields: &Fields<'_>) -> Result<Vec<GroupSpec>> {
    let Some(value) = fields.get("groups") else { return Ok(Vec::new()) };
    let Some(list) = value.as_array() else { return Err(fields.error("groups", "must be a list of groups")) };
    let path = fields.path("groups");
    list.iter().enumerate().map(|(index, value)| group(value, &format!("{path}[{index}]"))).collect()
}

fn group(value: &Value, path: &str) -> Result<GroupSpec> {
    let fields = Fields::of(value, path, GROUP_KEYS)?;
    let group = GroupSpec {
        selection: Selection::from_fields(&fields)?,
        lr: fields.at_least_0("lr")?,
        weight_decay: fields.at_least_0("weightDecay")?,
        beta0: fields.number("beta0", "a number between 0 and 1", |beta| beta > 0.0 && beta < 1.0)?,
    };
    match (group.lr, group.weight_decay, group.beta0) {
        (None, None, None) => Err(OptimError::config(path, "changes nothing: give lr, weightDecay or beta0")),
        _ => Ok(group),
    }
}
