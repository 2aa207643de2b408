//! What stands on an encoder: a pooler over each sequence's first token, and a linear layer.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::bert_spec::Architecture;
use crate::error::Result;
use crate::fields::Fields;

/// What a head says about a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum HeadKind {
    /// One of several classes: softmax and cross-entropy.
    Classification,
    /// A number: squared error.
    Regression,
}

/// A head: the first token's last hidden state → dropout → dense → tanh → dropout → linear.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadSpec {
    /// What it says about a sequence.
    pub kind: HeadKind,
    /// How many numbers it gives: classes, or 1 for regression.
    pub classes: usize,
    /// What the classes are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Dropout before the last layer.
    pub dropout: f64,
    /// Dropout before the pooler's dense layer.
    pub pooler_dropout: f64,
}

/// A head as it is asked for, before it is known on what encoder it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadOptions {
    /// What it says about a sequence.
    pub kind: HeadKind,
    /// How many numbers it gives: classes, or 1 for regression.
    pub classes: usize,
    /// What the classes are called, one each.
    pub labels: Option<Vec<String>>,
    /// Dropout before the last layer: the encoder's, where not given.
    pub dropout: Option<f64>,
    /// Dropout before the pooler's dense layer: what transformers has there, where not given.
    pub pooler_dropout: Option<f64>,
}

impl HeadOptions {
    /// Reads `{ kind, classes, labels?, dropout?, poolerDropout? }`.
    ///
    /// # Errors
    /// `ERR_CONFIG` with the field's path for an unknown key, a missing `classes` or an impossible value.
    pub fn read(path: &str, object: &Map<String, Value>) -> Result<Self> {
        let fields = Fields::new(path, object);
        let kinds = [("classification", HeadKind::Classification), ("regression", HeadKind::Regression)];
        let kind = fields.word("kind", &kinds)?.ok_or_else(|| fields.missing("kind"))?;
        let labels = fields.texts("labels")?;
        let options = Self {
            kind,
            classes: classes(&fields, kind, labels.as_ref())?,
            labels,
            dropout: fields.probability("dropout")?,
            pooler_dropout: fields.probability("poolerDropout")?,
        };
        fields.finish()?;
        Ok(options)
    }

    /// The head on an encoder of that architecture and dropout. Names that only number the classes, as a saved config.json must,
    /// are none, so that a spec is the same before a save and after it.
    pub fn on(self, architecture: Architecture, dropout: f64) -> HeadSpec {
        let dropout = self.dropout.unwrap_or(dropout);
        let pooler_dropout = self.pooler_dropout.unwrap_or_else(|| architecture.pooler_dropout(dropout));
        let labels = self.labels.filter(|labels| !are_standard(labels));
        HeadSpec { kind: self.kind, classes: self.classes, labels, dropout, pooler_dropout }
    }
}

/// What transformers calls a class that nobody has named.
pub fn standard_label(index: usize) -> String {
    format!("LABEL_{index}")
}

fn are_standard(labels: &[String]) -> bool {
    labels.iter().enumerate().all(|(index, label)| *label == standard_label(index))
}

fn classes(fields: &Fields, kind: HeadKind, labels: Option<&Vec<String>>) -> Result<usize> {
    let classes = match kind {
        HeadKind::Classification => {
            let given = fields.integer("classes", 2..=1_048_576)?;
            given.or_else(|| labels.map(Vec::len).filter(|&count| count > 1))
        }
        HeadKind::Regression => Some(fields.integer("classes", 1..=1)?.unwrap_or(1)),
    };
    let classes = classes.ok_or_else(|| fields.missing("classes"))?;
    if labels.is_some_and(|labels| labels.len() != classes) {
        return Err(fields.error("labels", format!("one for each of {classes} classes is expected")));
    }
    Ok(classes)
}
