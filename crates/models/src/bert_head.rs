//! The head on an encoder: a pooler over the first token and a linear layer, under transformers' names.

use sagetrain_torch::{Activation, dropout};
use tch::{Kind, Tensor};

use crate::bert_encoder::DEVIATION;
use crate::bert_spec::{Architecture, BertSpec};
use crate::error::Result;
use crate::head_spec::HeadSpec;
use crate::layout::Layout;
use crate::linear::Linear;
use crate::parameters::{Parameters, Role};
use crate::pass::{Pass, Site};

/// Dropout, dense layer, tanh; dropout, linear layer.
#[derive(Debug)]
pub struct BertHead {
    pooler: Linear,
    classifier: Linear,
    dropout: f64,
    pooler_dropout: f64,
}

/// What pooler and classifier are called.
pub fn names(architecture: Architecture) -> [&'static str; 2] {
    match architecture {
        Architecture::Bert => ["bert.pooler.dense", "classifier"],
        Architecture::Roberta => ["classifier.dense", "classifier.out_proj"],
    }
}

impl BertHead {
    /// Declares the pooler's dense layer and the classifier.
    pub fn declare(layout: &mut Layout, spec: &BertSpec, head: &HeadSpec) {
        let [pooler, classifier] = names(spec.architecture);
        let width = spec.hidden_size;
        layout.normal_linear(pooler, [width, width], Role::HiddenLinear, DEVIATION);
        layout.normal_linear(classifier, [width, head.classes], Role::Output, DEVIATION);
    }

    /// Finds the parameters.
    pub fn new(parameters: &Parameters, spec: &BertSpec, head: &HeadSpec) -> Result<Self> {
        let [pooler, classifier] = names(spec.architecture);
        Ok(Self {
            pooler: Linear::new(parameters, pooler)?,
            classifier: Linear::new(parameters, classifier)?,
            dropout: head.dropout,
            pooler_dropout: head.pooler_dropout,
        })
    }

    /// `tanh(dense(dropout(first)))` in float32: `[sequences, width]` → the same.
    pub fn pool(&self, first: &Tensor, pass: &Pass) -> Result<Tensor> {
        let first = dropout(first, pass.dropout_of(self.pooler_dropout, Site::Pooler))?;
        let dense = self.pooler.apply(&first, Activation::None, pass.precision())?;
        Ok(dense.f_to_kind(Kind::Float)?.f_tanh()?)
    }

    /// `linear(dropout(pooled))` in float32: `[sequences, width]` → `[sequences, classes]`.
    pub fn classify(&self, pooled: &Tensor, pass: &Pass) -> Result<Tensor> {
        let pooled = dropout(pooled, pass.dropout_of(self.dropout, Site::Classifier))?;
        let logits = self.classifier.apply(&pooled, Activation::None, pass.precision())?;
        Ok(logits.f_to_kind(Kind::Float)?)
    }
}
