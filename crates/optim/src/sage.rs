//! `sage` and `observe` of an optimizer's spec.

use crate::error::Result;
use crate::fields::Fields;
use crate::scope::Scope;
use sagetrain_kernels::Modulation;
use serde::{Serialize, Serializer, ser::Error};

/// Sensitivity-guided learning rates (Liang et al., ICLR 2022).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SageSpec {
    /// β0 of the moving average, in (0, 1). Default 0.75.
    pub beta0: f64,
    /// Which of the two forms of the method. Default `paper`.
    pub form: Form,
    /// ε of the modulation, above 0. Default 1e-12; `None` in the released form, which squares the optimizer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
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
    /// The authors' released code, of AdamW and Adamax.
    Released,
}

/// ε of the modulation in the paper's form.
pub(crate) const EPSILON: f64 = 1e-12;
/// β0 of an average that is kept for a report alone.
pub(crate) const OBSERVED_BETA0: f64 = 0.75;

impl Default for SageSpec {
    fn default() -> Self {
        let modulation = Some(Modulation::Sage);
        Self { beta0: 0.75, form: Form::Paper, epsilon: Some(EPSILON), modulation, scope: Scope::All }
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

const KEYS: &[&str] = &["beta0", "form", "epsilon", "modulation", "scope"];

impl SageSpec {
    /// `sage` of an optimizer's fields; `released` says whether that optimizer has a released form.
    pub(crate) fn read(optimizer: &Fields<'_>, released: bool) -> Result<Option<Self>> {
        let Some(value) = optimizer.get("sage") else { return Ok(None) };
        let path = optimizer.path("sage");
        let fields = Fields::of(value, &path, KEYS)?;
        let mut spec = Self::default();
        spec.beta0 = beta0(&fields)?.unwrap_or(spec.beta0);
        spec.form = fields
            .choice("form", &[("paper", Form::Paper), ("released", Form::Released)])?
            .unwrap_or_default();
        spec.modulation = fields.choice("modulation", &MODULATIONS)?.unwrap_or(spec.modulation);
        let epsilon = fields.number("epsilon", "a number above 0", |epsilon| epsilon > 0.0)?;
        if spec.form == Form::Released {
            spec.check_released(&fields, released)?;
        }
        spec.epsilon = if spec.form == Form::Released { None } else { epsilon.or(spec.epsilon) };
        if let Some(scope) = fields.get("scope") {
            spec.scope = Scope::from_json(scope, &fields.path("scope"))?;
        }
        Ok(Some(spec))
    }

    fn check_released(&self, fields: &Fields<'_>, released: bool) -> Result<()> {
        if !released {
            return Err(fields.error("form", "'released' exists of adamw and adamax alone; use 'paper'"));
        }
        if fields.get("epsilon").is_some() {
            return Err(fields
                .error("epsilon", "has no effect in the released form, which squares the optimizer's eps"));
        }
        if self.modulation != Some(Modulation::Sage) {
            return Err(fields.error("modulation", "the released form has 'sage' alone; use form 'paper'"));
        }
        Ok(())
    }
}

fn modulation_word<S: Serializer>(
    modulation: &Option<Modulation>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let word = MODULATIONS.iter().find(|(_, known)| known == modulation).map(|(word, _)| *word);
    match word {
        Some(word) => serializer.serialize_str(word),
        None => {
            Err(S::Error::custom(format!("sage.modulation {modulation:?} is asked for by form, not by name")))
        }
    }
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
    /// `observe` of an optimizer's fields; `sage` says whether that is on.
    pub(crate) fn read(optimizer: &Fields<'_>, sage: bool) -> Result<Option<Self>> {
        let Some(value) = optimizer.get("observe") else { return Ok(None) };
        let path = optimizer.path("observe");
        let fields = Fields::of(value, &path, &["every", "beta0"])?;
        let every = fields.whole("every", 1)?;
        let every = every.ok_or_else(|| fields.error("every", "is missing, must be a number of steps"))?;
        match beta0(&fields)? {
            None if sage => Ok(Some(Self { every, beta0: None })),
            beta0 if !sage => Ok(Some(Self { every, beta0: Some(beta0.unwrap_or(OBSERVED_BETA0)) })),
            _ => {
                let problem = "has no effect beside sage, whose own average is observed; set sage.beta0 or leave it out";
                Err(fields.error("beta0", problem))
            }
        }
    }
}

fn beta0(fields: &Fields<'_>) -> Result<Option<f64>> {
    fields.number("beta0", "a number between 0 and 1", |beta| beta > 0.0 && beta < 1.0)
}
