//! What a user asks for: an optimizer's kind and numbers, as plain JSON with its kind in `type`.

use crate::error::{OptimError, Result};
use crate::fields::{Fields, not_among};
use crate::sage::{ObserveSpec, SageSpec};
use sagetrain_kernels::Decay;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

/// An optimizer. Serialises with every default filled in; reading refuses unknown keys with a did-you-mean.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum OptimizerSpec {
    /// Adam (Kingma and Ba, 2015); weight decay coupled unless said otherwise.
    Adam(AdamSpec),
    /// AdamW (Loshchilov and Hutter, 2019): Adam whose weight decay is decoupled unless said otherwise.
    AdamW(AdamSpec),
}

/// The numbers of Adam and AdamW.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdamSpec {
    /// Base learning rate; a schedule multiplies it.
    pub lr: f64,
    /// Decay rates of the two moments, each in [0, 1). Default 0.9, 0.999.
    pub betas: [f64; 2],
    /// ε of the denominator. Default 1e-8.
    pub eps: f64,
    /// λ. Default 0 (torch's AdamW has 0.01).
    pub weight_decay: f64,
    /// Where λ enters.
    #[serde(serialize_with = "decay_word")]
    pub decay: Decay,
    /// Sensitivity-guided rates; absent: the base optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sage: Option<SageSpec>,
    /// Reports of sensitivity without any effect on the parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observe: Option<ObserveSpec>,
}

impl AdamSpec {
    /// Defaults for everything but the rate and where decay enters.
    pub fn new(lr: f64, decay: Decay) -> Self {
        Self { lr, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0, decay, sage: None, observe: None }
    }
}

impl OptimizerSpec {
    /// `adam({ lr })`.
    pub fn adam(lr: f64) -> Self {
        Self::Adam(AdamSpec::new(lr, Decay::Coupled))
    }

    /// `adamw({ lr })`.
    pub fn adamw(lr: f64) -> Self {
        Self::AdamW(AdamSpec::new(lr, Decay::Decoupled))
    }

    /// The same with sensitivity-guided rates, or without.
    pub fn with_sage(mut self, sage: impl Into<Option<SageSpec>>) -> Self {
        self.adam_mut().sage = sage.into();
        self
    }

    /// `type` and the default of `decay`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
        }
    }

    /// Base learning rate.
    pub fn lr(&self) -> f64 {
        self.as_adam().lr
    }

    /// λ of parameters that no group gives another.
    pub fn weight_decay(&self) -> f64 {
        self.as_adam().weight_decay
    }

    /// The sensitivity part, where there is one.
    pub fn sage(&self) -> Option<&SageSpec> {
        self.as_adam().sage.as_ref()
    }

    /// What is to be reported, where something is.
    pub fn observe(&self) -> Option<&ObserveSpec> {
        self.as_adam().observe.as_ref()
    }

    /// Names of the states a parameter has besides `sensitivity`.
    pub fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    pub(crate) fn as_adam(&self) -> &AdamSpec {
        match self {
            Self::Adam(spec) | Self::AdamW(spec) => spec,
        }
    }

    fn adam_mut(&mut self) -> &mut AdamSpec {
        match self {
            Self::Adam(spec) | Self::AdamW(spec) => spec,
        }
    }

    /// Reads a spec; `path` begins the path of a key in an error, e.g. `optimizer`.
    ///
    /// # Errors
    /// `ERR_CONFIG` for a missing, unknown or impossible value.
    pub fn from_json(value: &Value, path: &str) -> Result<Self> {
        let kind = value.get("type").ok_or_else(|| missing(path, "type", "'adam' or 'adamw'"))?;
        match kind.as_str() {
            Some("adam") => Ok(Self::Adam(adam(value, path, Decay::Coupled)?)),
            Some("adamw") => Ok(Self::AdamW(adam(value, path, Decay::Decoupled)?)),
            _ => Err(OptimError::config(format!("{path}.type"), not_among(kind, &["adam", "adamw"]))),
        }
    }
}

impl<'de> Deserialize<'de> for OptimizerSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?, "optimizer").map_err(D::Error::custom)
    }
}

const ADAM_KEYS: &[&str] = &["type", "lr", "betas", "eps", "weightDecay", "decay", "sage", "observe"];

fn adam(value: &Value, path: &str, decay: Decay) -> Result<AdamSpec> {
    let fields = Fields::of(value, path, ADAM_KEYS, &[])?;
    let lr = fields.number("lr", "a number of at least 0", |lr| lr >= 0.0)?;
    let mut spec = AdamSpec::new(lr.ok_or_else(|| missing(path, "lr", "a learning rate"))?, decay);
    let betas = fields.pair("betas", "two numbers from 0 to below 1", |beta| (0.0..1.0).contains(&beta))?;
    spec.betas = betas.unwrap_or(spec.betas);
    spec.eps = fields.number("eps", "a number of at least 0", |eps| eps >= 0.0)?.unwrap_or(spec.eps);
    let weight_decay = fields.number("weightDecay", "a number of at least 0", |decay| decay >= 0.0)?;
    spec.weight_decay = weight_decay.unwrap_or(spec.weight_decay);
    spec.decay = fields.choice("decay", &DECAYS)?.unwrap_or(spec.decay);
    spec.sage = fields.get("sage").map(|sage| SageSpec::from_json(sage, &fields.path("sage"))).transpose()?;
    let observe = |value| ObserveSpec::from_json(value, &fields.path("observe"), spec.sage.is_some());
    spec.observe = fields.get("observe").map(observe).transpose()?;
    Ok(spec)
}

const DECAYS: [(&str, Decay); 3] =
    [("coupled", Decay::Coupled), ("decoupled", Decay::Decoupled), ("modulated", Decay::Modulated)];

fn missing(path: &str, key: &str, wanted: &str) -> OptimError {
    OptimError::config(format!("{path}.{key}"), format!("is missing, must be {wanted}"))
}

fn decay_word<S: serde::Serializer>(decay: &Decay, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let word = DECAYS.iter().find(|(_, known)| known == decay).map_or("decoupled", |(word, _)| word);
    serializer.serialize_str(word)
}
