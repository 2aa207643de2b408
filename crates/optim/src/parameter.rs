//! What an optimizer knows of a parameter.

use crate::error::{OptimError, Result};
use std::collections::HashSet;

/// Name, shape and role of one parameter. Tied weights are one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// Unique name, Hugging Face's where the model is one of theirs.
    pub name: String,
    /// Extents; empty for a scalar, with a 0 for an empty tensor.
    pub shape: Vec<usize>,
    /// What the parameter is in its model; `None` where no model says.
    pub role: Option<Role>,
}

/// What a parameter is in its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Weight or bias of a query, key, value, attention output or feed-forward projection of an encoder layer.
    EncoderLinear,
    /// Weight or bias of any other linear layer.
    Linear,
    /// A token or position table.
    Embedding,
    /// Scale or shift of a normalisation.
    Normalisation,
    /// Anything else.
    Other,
}

impl ParameterInfo {
    /// A parameter that no model has given a role.
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> Self {
        Self { name: name.into(), shape: shape.into(), role: None }
    }

    /// Number of elements: 1 for a scalar.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    pub(crate) fn check_shape(&self, what: &str, shape: &[usize], found: usize) -> Result<()> {
        self.check_length(what, found)?;
        if shape == self.shape {
            return Ok(());
        }
        let what = format!("{what} of shape {shape:?}");
        let (name, shape) = (self.name.clone(), self.shape.clone());
        Err(OptimError::Shape { what, name, shape, expected: self.elements(), found })
    }

    pub(crate) fn check_length(&self, what: &str, found: usize) -> Result<()> {
        let expected = self.elements();
        if expected == found {
            return Ok(());
        }
        let (name, shape) = (self.name.clone(), self.shape.clone());
        Err(OptimError::Shape { what: what.to_owned(), name, shape, expected, found })
    }
}

/// No two parameters may have one name: states are saved by it.
pub(crate) fn check_names(parameters: &[ParameterInfo]) -> Result<()> {
    let mut seen = HashSet::new();
    for parameter in parameters {
        if !seen.insert(parameter.name.as_str()) {
            let problem = format!("two are named '{}'; a tied weight is given once", parameter.name);
            return Err(OptimError::Argument { argument: "parameters", problem });
        }
    }
    Ok(())
}
