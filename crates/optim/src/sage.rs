//! `sage` and `observe` of an optimizer's spec.

use crate::error::{OptimError, Result};
use crate::fields::Fields;
use crate::scope::Scope;
use sagetrain_kernels::Modulation;
use serde::Serialize;
use serde_json::Value;

/// Sensitivity-guided learning rates (Liang et al., ICLR 2022), paper form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SageSpec {
    /// β0 of the moving average, in (0, 1). Default 0.75.
    pub beta0: f64,
    /// Which of the two forms of the method. Default `paper`.
    pub form: Form,
    /// ε of the modulation, above 0. Default 1e-12.
    pub epsilon: f64,
    /// What is made of U and Î; `None` is `none`: the base optimizer, no average kept. Default `sage`.
    #[serde(serialize_with = "modulation_word")]
    pub modulation: Option<Modulation>,
    /// Which parameters. Default all.
    pub scope: Scope,
}

/// Form of the method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The paper's equations.
    #[default]
    Paper,
}

impl Default for SageSpec {
    fn default() -> Self {
        Self {
            beta0: 0.75,
            form: Form::Paper,
            epsilon: 1e-12,
            modulation: Some(Modulation::Sage),
            scope: Scope::All,
        }
    }
}

const MODULATIONS: [(&str, Option<Modulation>); 7] = [
    ("sage", Some(Modulation::Sage)),
    ("product", Some(Modulation::Product)),
    ("inverse", Some(Modulation::Inverse)),
    ("average", Some(Modulation::Average)),
    ("reciprocal", Some(Modulation::Reciprocal)),
    ("variation", Some(Modulation::Variation)),
    ("none", None),
];

impl SageSpec {
    pub(crate) fn from_json(value: &Value, path: &str) -> Result<Self> {
        let fields = Fields::of(value, path, &["beta0", "form", "epsilon", "modulation", "scope"], &[])?;
        let mut spec = Self::default();
        spec.beta0 = beta0(&fields)?.unwrap_or(spec.beta0);
        spec.form = fields.choice("form", &[("paper", Form::Paper)])?.unwrap_or(spec.form);
        spec.epsilon = fields.number("epsilon", "a number above 0", |e| e > 0.0)?.unwrap_or(spec.epsilon);
        spec.modulation = fields.choice("modulation", &MODULATIONS)?.unwrap_or(spec.modulation);
        if let Some(scope) = fields.get("scope") {
            spec.scope = Scope::from_json(scope, &fields.path("scope"))?;
        }
        Ok(spec)
    }
}

fn modulation_word<S: serde::Serializer>(
    modulation: &Option<Modulation>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let word = MODULATIONS.iter().find(|(_, known)| known == modulation).map_or("none", |(word, _)| word);
    serializer.serialize_str(word)
}

/// Reports of I, Î, U and r every so many steps, without a changed bit of any parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObserveSpec {
    /// Report after every step that is a multiple of this.
    pub every: u64,
    /// β0 of the average that is kept for the report; absent with `sage` on, whose own average is reported. Default 0.75.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta0: Option<f64>,
}

impl ObserveSpec {
    pub(crate) fn from_json(value: &Value, path: &str, sage: bool) -> Result<Self> {
        let fields = Fields::of(value, path, &["every", "beta0"], &[])?;
        let every = fields.whole("every", 1)?;
        let every = every.ok_or_else(|| fields.error("every", "is missing, must be a number of steps"))?;
        let beta0 = beta0(&fields)?;
        match beta0 {
            Some(_) if sage => Err(OptimError::config(
                fields.path("beta0"),
                "has no effect beside sage, whose own average is observed; set sage.beta0 or leave it out",
            )),
            _ => Ok(Self { every, beta0: if sage { None } else { beta0.or(Some(0.75)) } }),
        }
    }
}

fn beta0(fields: &Fields<'_>) -> Result<Option<f64>> {
    fields.number("beta0", "a number between 0 and 1", |beta| beta > 0.0 && beta < 1.0)
}
