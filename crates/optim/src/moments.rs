//! The numbers of Adam, AdamW and Adamax.

use crate::decay;
use crate::error::Result;
use crate::fields::Fields;
use crate::sage::{Form, ObserveSpec, SageSpec};
use sagetrain_kernels::Decay;
use serde::Serialize;
use serde_json::Value;

/// The numbers of an optimizer that keeps averages of g and of its size.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MomentSpec {
    /// Base learning rate; a schedule multiplies it.
    pub lr: f64,
    /// Decay rates of the two averages, each in [0, 1). Default 0.9, 0.999.
    pub betas: [f64; 2],
    /// ε of the denominator, above 0. Default 1e-8, in the released form 1e-6.
    pub eps: f64,
    /// λ. Default 0 (torch's AdamW has 0.01).
    pub weight_decay: f64,
    /// Where λ enters; `None` in the released form, which has places of its own.
    #[serde(serialize_with = "decay::write_option", skip_serializing_if = "Option::is_none")]
    pub decay: Option<Decay>,
    /// Sensitivity-guided rates; absent: the base optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sage: Option<SageSpec>,
    /// Reports of sensitivity without any effect on the parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observe: Option<ObserveSpec>,
}

const KEYS: &[&str] = &["type", "lr", "betas", "eps", "weightDecay", "decay", "sage", "observe"];

impl MomentSpec {
    /// Defaults for everything but the rate and where decay enters.
    pub fn new(lr: f64, decay: Decay) -> Self {
        let decay = Some(decay);
        Self { lr, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0, decay, sage: None, observe: None }
    }

    /// `released` says whether the optimizer has a released form.
    pub(crate) fn from_json(value: &Value, path: &str, decay: Decay, released: bool) -> Result<Self> {
        let fields = Fields::of(value, path, KEYS)?;
        let mut spec = Self::new(fields.rate()?, decay);
        let betas =
            fields.pair("betas", "two numbers from 0 to below 1", |beta| (0.0..1.0).contains(&beta))?;
        spec.betas = betas.unwrap_or(spec.betas);
        spec.weight_decay = fields.at_least_0("weightDecay")?.unwrap_or(spec.weight_decay);
        spec.decay = decay::read(&fields)?.or(spec.decay);
        spec.sage = SageSpec::read(&fields, released)?;
        if spec.sage.as_ref().is_some_and(|sage| sage.form == Form::Released) {
            if fields.get("decay").is_some() {
                return Err(fields.error(
                    "decay",
                    "has no effect in the released form, whose decay has a place of its own",
                ));
            }
            (spec.decay, spec.eps) = (None, 1e-6);
        }
        spec.eps = fields.number("eps", "a number above 0", |eps| eps > 0.0)?.unwrap_or(spec.eps);
        spec.observe = ObserveSpec::read(&fields, spec.sage.is_some())?;
        Ok(spec)
    }
}
