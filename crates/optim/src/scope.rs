//! Which parameters a thing applies to: by role, by Hugging Face name, by glob.

use crate::error::{OptimError, Result};
use crate::fields::{Fields, not_among};
use crate::parameter::{ParameterInfo, Role};
use globset::{Glob, GlobMatcher};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The parameters whose rate is modulated.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scope {
    /// Every parameter: the paper's text.
    #[default]
    All,
    /// Query, key, value, attention output and both feed-forward matrices of encoder layers, and their biases.
    EncoderLinear,
    /// By name.
    Names(Selection),
}

/// Globs over names: `*` any characters (dots too), `?` one, `[ab]` one of, `{a,b}` either.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Selection {
    /// What is selected; each glob must match some name.
    pub include: Vec<String>,
    /// What is taken out again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

impl Scope {
    pub(crate) fn from_json(value: &Value, path: &str) -> Result<Self> {
        match value.as_str() {
            Some("all") => Ok(Self::All),
            Some("encoder-linear") => Ok(Self::EncoderLinear),
            None if value.is_object() => {
                let fields = Fields::of(value, path, &["include", "exclude"])?;
                Ok(Self::Names(Selection::from_fields(&fields)?))
            }
            _ => Err(OptimError::config(
                path,
                format!(
                    "{}, or an object with include and exclude",
                    not_among(value, &["all", "encoder-linear"])
                ),
            )),
        }
    }

    /// For each parameter whether it is in the scope.
    ///
    /// # Errors
    /// `ERR_SCOPE_EMPTY` when none is, `ERR_CONFIG` for a bad glob.
    pub fn select(&self, parameters: &[ParameterInfo], path: &str) -> Result<Vec<bool>> {
        match self {
            Self::All => Ok(vec![true; parameters.len()]),
            Self::EncoderLinear => {
                let by_role = parameters.iter().any(|parameter| parameter.role.is_some());
                let inside = |parameter: &ParameterInfo| match by_role {
                    true => parameter.role == Some(Role::EncoderLinear),
                    false => named_encoder_linear(&parameter.name),
                };
                non_empty(parameters.iter().map(inside).collect(), parameters, path, "'encoder-linear'")
            }
            Self::Names(selection) => selection.select(parameters, path),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::EncoderLinear => serializer.serialize_str("encoder-linear"),
            Self::Names(selection) => selection.serialize(serializer),
        }
    }
}

impl Selection {
    pub(crate) fn from_fields(fields: &Fields<'_>) -> Result<Self> {
        let include = fields.strings("include")?;
        let include = include
            .ok_or_else(|| fields.error("include", "is missing, must be a list of globs over names"))?;
        Ok(Self { include, exclude: fields.strings("exclude")?.unwrap_or_default() })
    }

    /// For each parameter whether it is selected.
    ///
    /// # Errors
    /// `ERR_SCOPE_EMPTY` when a glob matches no name or nothing is left, `ERR_CONFIG` for a bad glob.
    pub fn select(&self, parameters: &[ParameterInfo], path: &str) -> Result<Vec<bool>> {
        let include = matches(&self.include, parameters, &format!("{path}.include"))?;
        let exclude = matches(&self.exclude, parameters, &format!("{path}.exclude"))?;
        let selected = include.iter().zip(exclude).map(|(include, exclude)| *include && !exclude).collect();
        non_empty(selected, parameters, path, &format!("{:?} without {:?}", self.include, self.exclude))
    }
}

fn matches(patterns: &[String], parameters: &[ParameterInfo], path: &str) -> Result<Vec<bool>> {
    let mut matched = vec![false; parameters.len()];
    for pattern in patterns {
        let glob = compile(pattern, path)?;
        let hits: Vec<bool> = parameters.iter().map(|parameter| glob.is_match(&parameter.name)).collect();
        let hits = non_empty(hits, parameters, path, &format!("'{pattern}'"))?;
        matched.iter_mut().zip(hits).for_each(|(matched, hit)| *matched |= hit);
    }
    Ok(matched)
}

fn compile(pattern: &str, path: &str) -> Result<GlobMatcher> {
    let glob = Glob::new(pattern);
    glob.map(|glob| glob.compile_matcher()).map_err(|error| OptimError::config(path, error.to_string()))
}

fn non_empty(
    selected: Vec<bool>,
    parameters: &[ParameterInfo],
    path: &str,
    selector: &str,
) -> Result<Vec<bool>> {
    if selected.contains(&true) {
        return Ok(selected);
    }
    // A few from the whole range: the first ones alone are all embeddings.
    let stride = parameters.len().div_ceil(5).max(1);
    Err(OptimError::ScopeEmpty {
        path: path.to_owned(),
        selector: selector.to_owned(),
        count: parameters.len(),
        names: parameters.iter().step_by(stride).map(|parameter| parameter.name.clone()).collect(),
    })
}

/// What follows `encoder.layer.<n>.` (or `layers`) in BERT, RoBERTa, ViT, BART and Marian.
const ENCODER_LINEAR: [&str; 15] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.attention.query",
    "attention.attention.key",
    "attention.attention.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "fc1",
    "fc2",
];

fn named_encoder_linear(name: &str) -> bool {
    let Some((_, rest)) = name.split_once("encoder.layer.").or_else(|| name.split_once("encoder.layers."))
    else {
        return false;
    };
    let Some((_, rest)) = rest.split_once('.') else { return false };
    let linear = rest.strip_suffix(".weight").or_else(|| rest.strip_suffix(".bias"));
    linear.is_some_and(|linear| ENCODER_LINEAR.contains(&linear))
}
