//! The numbers of SGD.

use crate::decay;
use crate::error::Result;
use crate::fields::Fields;
use crate::sage::{ObserveSpec, SageSpec};
use sagetrain_kernels::Decay;
use serde::Serialize;
use serde_json::Value;

/// The numbers of stochastic gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SgdSpec {
    /// Base learning rate; a schedule multiplies it.
    pub lr: f64,
    /// μ in [0, 1). Default 0: no buffer is kept.
    pub momentum: f64,
    /// Nesterov's momentum. Default off.
    pub nesterov: bool,
    /// λ. Default 0.
    pub weight_decay: f64,
    /// Where λ enters. Default coupled.
    #[serde(serialize_with = "decay::write")]
    pub decay: Decay,
    /// Sensitivity-guided rates; absent: the base optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sage: Option<SageSpec>,
    /// Reports of sensitivity without any effect on the parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observe: Option<ObserveSpec>,
}

const KEYS: &[&str] = &["type", "lr", "momentum", "nesterov", "weightDecay", "decay", "sage", "observe"];

impl SgdSpec {
    /// Defaults for everything but the rate.
    pub fn new(lr: f64) -> Self {
        let decay = Decay::Coupled;
        Self { lr, momentum: 0.0, nesterov: false, weight_decay: 0.0, decay, sage: None, observe: None }
    }

    pub(crate) fn from_json(value: &Value, path: &str) -> Result<Self> {
        let fields = Fields::of(value, path, KEYS)?;
        let mut spec = Self::new(fields.rate()?);
        let momentum =
            fields.number("momentum", "a number from 0 to below 1", |mu| (0.0..1.0).contains(&mu))?;
        spec.momentum = momentum.unwrap_or(spec.momentum);
        spec.nesterov = fields.flag("nesterov")?.unwrap_or(spec.nesterov);
        if spec.nesterov && spec.momentum == 0.0 {
            return Err(fields.error("nesterov", "has no effect without momentum; give one above 0"));
        }
        spec.weight_decay = fields.at_least_0("weightDecay")?.unwrap_or(spec.weight_decay);
        spec.decay = decay::read(&fields)?.unwrap_or(spec.decay);
        spec.sage = SageSpec::read(&fields, false)?;
        spec.observe = ObserveSpec::read(&fields, spec.sage.is_some())?;
        Ok(spec)
    }
}
