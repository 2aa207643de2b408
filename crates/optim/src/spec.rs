//! What a user asks for: an optimizer's kind and numbers, as plain JSON with its kind in `type`.

use crate::error::{OptimError, Result};
use crate::fields::not_among;
use crate::moments::MomentSpec;
use crate::sage::{EPSILON, Form, ObserveSpec, SageSpec};
use crate::sgd::SgdSpec;
use sagetrain_kernels::Decay;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

/// An optimizer. Serialises with every default filled in; reading refuses unknown keys with a did-you-mean.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum OptimizerSpec {
    /// Stochastic gradient descent; weight decay coupled unless said otherwise.
    Sgd(SgdSpec),
    /// Adam (Kingma and Ba, 2015); weight decay coupled unless said otherwise.
    Adam(MomentSpec),
    /// AdamW (Loshchilov and Hutter, 2019): Adam whose weight decay is decoupled unless said otherwise.
    AdamW(MomentSpec),
    /// Adamax (Kingma and Ba, 2015, Section 7.1); weight decay coupled unless said otherwise.
    Adamax(MomentSpec),
}

const KINDS: [&str; 4] = ["sgd", "adam", "adamw", "adamax"];

impl OptimizerSpec {
    /// `sgd({ lr })`.
    pub fn sgd(lr: f64) -> Self {
        Self::Sgd(SgdSpec::new(lr))
    }

    /// `adam({ lr })`.
    pub fn adam(lr: f64) -> Self {
        Self::Adam(MomentSpec::new(lr, Decay::Coupled))
    }

    /// `adamw({ lr })`.
    pub fn adamw(lr: f64) -> Self {
        Self::AdamW(MomentSpec::new(lr, Decay::Decoupled))
    }

    /// `adamax({ lr })`.
    pub fn adamax(lr: f64) -> Self {
        Self::Adamax(MomentSpec::new(lr, Decay::Coupled))
    }

    /// The same with sensitivity-guided rates of the paper's form, or without.
    pub fn with_sage(mut self, sage: impl Into<Option<SageSpec>>) -> Self {
        match &mut self {
            Self::Sgd(spec) => spec.sage = sage.into(),
            Self::Adam(spec) | Self::AdamW(spec) | Self::Adamax(spec) => spec.sage = sage.into(),
        }
        self
    }

    /// `type` in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::Adamax(_) => "adamax",
        }
    }

    /// Base learning rate.
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd(spec) => spec.lr,
            Self::Adam(spec) | Self::AdamW(spec) | Self::Adamax(spec) => spec.lr,
        }
    }

    /// λ of parameters that no group gives another.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd(spec) => spec.weight_decay,
            Self::Adam(spec) | Self::AdamW(spec) | Self::Adamax(spec) => spec.weight_decay,
        }
    }

    /// The sensitivity part, where there is one.
    pub fn sage(&self) -> Option<&SageSpec> {
        match self {
            Self::Sgd(spec) => spec.sage.as_ref(),
            Self::Adam(spec) | Self::AdamW(spec) | Self::Adamax(spec) => spec.sage.as_ref(),
        }
    }

    /// What is to be reported, where something is.
    pub fn observe(&self) -> Option<&ObserveSpec> {
        match self {
            Self::Sgd(spec) => spec.observe.as_ref(),
            Self::Adam(spec) | Self::AdamW(spec) | Self::Adamax(spec) => spec.observe.as_ref(),
        }
    }

    /// Names of the states a parameter has besides `sensitivity`.
    pub fn states(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd(spec) if spec.momentum == 0.0 => &[],
            Self::Sgd(_) => &["momentum"],
            Self::Adam(_) | Self::AdamW(_) => &["exp_avg", "exp_avg_sq"],
            Self::Adamax(_) => &["exp_avg", "exp_inf"],
        }
    }

    /// Whether Î is E/(1 − β0^t) rather than E.
    pub(crate) fn corrects(&self) -> bool {
        match self {
            Self::Sgd(_) => false,
            Self::Adam(_) | Self::AdamW(_) => true,
            Self::Adamax(_) => !self.released(),
        }
    }

    /// The schedule's index of step t, from 1: t, and t − 1 in the released Adamax.
    pub(crate) fn schedule_index(&self, step: u64) -> u64 {
        step - u64::from(self.released() && matches!(self, Self::Adamax(_)))
    }

    /// Every ε there is, by its key.
    pub(crate) fn epsilons(&self) -> Vec<(&'static str, f64)> {
        let own = match self {
            Self::Sgd(_) => None,
            Self::Adam(spec) | Self::AdamW(spec) | Self::Adamax(spec) => Some(("eps", spec.eps)),
        };
        own.into_iter().chain(self.sage_epsilon()).collect()
    }

    /// ε of the modulation, or of the report, less what bias correction and β0 take off it at most.
    fn sage_epsilon(&self) -> Option<(&'static str, f64)> {
        let sage = self.sage()?;
        let (key, epsilon) = match sage.form {
            Form::Paper => ("sage.epsilon", sage.epsilon.unwrap_or(EPSILON)),
            Form::Released => ("eps", self.modulation_epsilon()),
        };
        Some((key, epsilon * (1.0 - sage.beta0)))
    }

    /// ε in the modulation.
    pub(crate) fn modulation_epsilon(&self) -> f64 {
        match self {
            Self::AdamW(spec) | Self::Adamax(spec) if self.released() => spec.eps * spec.eps,
            _ => self.sage().and_then(|sage| sage.epsilon).unwrap_or(EPSILON),
        }
    }

    pub(crate) fn released(&self) -> bool {
        self.sage().is_some_and(|sage| sage.form == Form::Released)
    }

    /// Reads a spec; `path` begins the path of a key in an error, e.g. `optimizer`.
    ///
    /// # Errors
    /// `ERR_CONFIG` for a missing, unknown or impossible value.
    pub fn from_json(value: &Value, path: &str) -> Result<Self> {
        let kind_path = format!("{path}.type");
        let Some(kind) = value.get("type") else {
            return Err(OptimError::config(
                kind_path,
                format!("is missing, must be one of {}", KINDS.join(", ")),
            ));
        };
        let moments = |decay, released| MomentSpec::from_json(value, path, decay, released);
        match kind.as_str() {
            Some("sgd") => Ok(Self::Sgd(SgdSpec::from_json(value, path)?)),
            Some("adam") => Ok(Self::Adam(moments(Decay::Coupled, false)?)),
            Some("adamw") => Ok(Self::AdamW(moments(Decay::Decoupled, true)?)),
            Some("adamax") => Ok(Self::Adamax(moments(Decay::Coupled, true)?)),
            _ => Err(OptimError::config(kind_path, not_among(kind, &KINDS))),
        }
    }
}

impl<'de> Deserialize<'de> for OptimizerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?, "optimizer").map_err(D::Error::custom)
    }
}
