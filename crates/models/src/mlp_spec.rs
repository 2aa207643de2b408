//! What a multi-layer perceptron is made of.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::fields::Fields;
use crate::transformer_spec::Activation;

/// Shape of a perceptron that classifies dense features.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MlpSpec {
    /// Features of a sample.
    pub inputs: usize,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Classes to tell apart.
    pub classes: usize,
    /// The non-linearity after each hidden layer.
    pub activation: Activation,
}

impl MlpSpec {
    /// Reads a spec; `hidden` is three layers of 100 (Figure 5 of the SAGE paper) and `activation` relu where not given.
    ///
    /// # Errors
    /// `ERR_CONFIG` with the field's path for an unknown key, a missing size or an impossible value.
    pub fn read(path: &str, object: &Map<String, Value>) -> Result<Self> {
        let fields = Fields::new(path, object);
        fields.known("type");
        let activations = [("relu", Activation::Relu), ("gelu", Activation::Gelu)];
        let spec = Self {
            inputs: fields.integer("inputs", 1..=1_048_576)?.ok_or_else(|| fields.missing("inputs"))?,
            hidden: fields.integers("hidden", 1..=1_048_576)?.unwrap_or_else(|| vec![100; 3]),
            classes: fields.integer("classes", 2..=1_048_576)?.ok_or_else(|| fields.missing("classes"))?,
            activation: fields.word("activation", &activations)?.unwrap_or(Activation::Relu),
        };
        fields.finish()?;
        Ok(spec)
    }
}
