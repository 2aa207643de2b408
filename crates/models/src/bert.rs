//! An encoder of sequences with a head that classifies them or gives each a number.

use std::path::Path;

use serde_json::{Map, Value};
use tch::Tensor;

use crate::bert_encoder::BertEncoder;
use crate::bert_folder;
use crate::bert_head::BertHead;
use crate::bert_spec::BertSpec;
use crate::classification::{classification_loss, regression_loss};
use crate::error::{ModelError, Result};
use crate::head_spec::{HeadKind, HeadSpec};
use crate::inputs::Inputs;
use crate::layout::Layout;
use crate::mlp::LABEL;
use crate::model::{Forward, Loss, Model};
use crate::parameters::{Declaration, Parameters};
use crate::pass::{Pass, Stack};
use crate::ragged::Ragged;
use crate::sequence_encoder::SequenceEncoder;
use crate::smoothness::Smoothness;
use crate::spec::ModelSpec;

/// The batch's column of sequences, each with its special tokens and without padding.
pub const TOKENS: &str = "tokens";
/// The batch's column of token types, as long as [`TOKENS`]; where it is absent all are zero.
pub const TYPES: &str = "types";
/// The batch's column of numbers that regression is to give, `[samples, 1]`.
pub const NUMBER: &str = "target";

/// BERT or RoBERTa: parameters, and layers that hold handles to them.
#[derive(Debug)]
pub struct Bert {
    pub(crate) spec: BertSpec,
    model_spec: ModelSpec,
    parameters: Parameters,
    encoder: BertEncoder,
    head: Option<(HeadSpec, BertHead)>,
    /// Settings of the config.json it came from that mean nothing here, but may to others, and its word for the activation.
    pub(crate) settings: Map<String, Value>,
}

impl Bert {
    /// The parameters in order, under transformers' names.
    pub fn layout(spec: &BertSpec) -> Vec<Declaration> {
        let mut layout = Layout::default();
        BertEncoder::declare(&mut layout, spec);
        if let Some(head) = &spec.head {
            BertHead::declare(&mut layout, spec, head);
        }
        layout.finish()
    }

    /// A model with initial values drawn from `seed`.
    pub fn create(spec: BertSpec, seed: u64) -> Result<Self> {
        let parameters = Parameters::initialise(&Self::layout(&spec), seed)?;
        Self::assemble(spec, parameters, Map::new())
    }

    /// Layers over given parameters.
    pub fn assemble(spec: BertSpec, parameters: Parameters, settings: Map<String, Value>) -> Result<Self> {
        let head = spec
            .head
            .as_ref()
            .map(|head| -> Result<_> { Ok((head.clone(), BertHead::new(&parameters, &spec, head)?)) });
        Ok(Self {
            encoder: BertEncoder::new(&parameters, &spec)?,
            head: head.transpose()?,
            model_spec: ModelSpec::Bert(spec.clone()),
            parameters,
            spec,
            settings,
        })
    }

    /// Tokens and their types, int64 `[tokens]`.
    fn sequences<'a>(&self, inputs: &'a Inputs) -> Result<(&'a Ragged, Tensor)> {
        let tokens = inputs.get_ragged(TOKENS)?;
        tokens.check(TOKENS, self.spec.vocabulary_size, self.spec.max_positions)?;
        let Some(types) = inputs.find_ragged(TYPES)? else {
            return Ok((tokens, tokens.values.f_zeros_like()?));
        };
        if types.offsets != tokens.offsets {
            let problem = format!("sequences as long as those of \"{TOKENS}\" are expected");
            return Err(ModelError::input(TYPES, problem));
        }
        types.check(TYPES, self.spec.type_vocabulary_size.max(1), self.spec.max_positions)?;
        Ok((tokens, types.values.shallow_clone()))
    }

    fn pass<'a>(&self, forward: &'a Forward) -> Pass<'a> {
        Pass::new(forward, self.spec.rates(), Stack::Encoder)
    }

    /// The loss of what was said about a batch.
    fn loss_of(&self, logits: &Tensor, inputs: &Inputs, smoothing: f64) -> Result<Loss> {
        let (spec, _) = self.head()?;
        match spec.kind {
            HeadKind::Classification => classification_loss(logits, labels(inputs, spec.classes)?, smoothing),
            HeadKind::Regression if smoothing != 0.0 => {
                let problem = "a number is given, which has no label to smooth: leave it out";
                Err(ModelError::spec("labelSmoothing", problem))
            }
            HeadKind::Regression => regression_loss(logits, numbers(inputs)?),
        }
    }

    fn head(&self) -> Result<&(HeadSpec, BertHead)> {
        let problem = "null: a model without a head gives hidden states only; give its spec a head, or open its folder for fine-tuning";
        self.head.as_ref().ok_or_else(|| ModelError::spec("model.head", problem))
    }
}

impl SequenceEncoder for Bert {
    fn hidden(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor> {
        let (tokens, types) = self.sequences(inputs)?;
        self.encoder.hidden(tokens, &types, &self.pass(forward))
    }

    fn pooled(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor> {
        let (_, head) = self.head()?;
        let (tokens, types) = self.sequences(inputs)?;
        let pass = self.pass(forward);
        head.pool(&self.encoder.first(tokens, &types, &pass)?, &pass)
    }

    fn smooth_loss(
        &self,
        inputs: &Inputs,
        smoothing: f64,
        smoothness: &Smoothness,
        forward: &Forward,
    ) -> Result<Loss> {
        let (spec, head) = self.head()?;
        let (tokens, types) = self.sequences(inputs)?;
        let logits = self.forward(inputs, forward)?;
        let loss = self.loss_of(&logits, inputs, smoothing)?;
        let embeddings = self.encoder.embed(tokens, &types, &self.pass(&forward.again(1)))?;
        let say = |embeddings: Tensor, times: u32| {
            let forward = forward.again(1 + times);
            let pass = self.pass(&forward);
            let first = self.encoder.first_of(embeddings, tokens, &pass)?;
            head.classify(&head.pool(&first, &pass)?, &pass)
        };
        let term = smoothness.term(spec.kind, &embeddings, &logits, forward, say)?;
        Ok(Loss { smoothness: Some(term), ..loss })
    }
}

impl Model for Bert {
    fn spec(&self) -> &ModelSpec {
        &self.model_spec
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn loss(&self, inputs: &Inputs, smoothing: f64, forward: &Forward) -> Result<Loss> {
        self.loss_of(&self.forward(inputs, forward)?, inputs, smoothing)
    }

    fn forward(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor> {
        let (_, head) = self.head()?;
        head.classify(&self.pooled(inputs, forward)?, &self.pass(forward))
    }

    fn save(&self, folder: &Path) -> Result<()> {
        bert_folder::save(self, folder)
    }

    fn as_encoder(&self) -> Option<&dyn SequenceEncoder> {
        Some(self)
    }
}

fn samples(inputs: &Inputs) -> Result<i64> {
    Ok(inputs.get_ragged(TOKENS)?.sequences() as i64)
}

fn labels(inputs: &Inputs, classes: usize) -> Result<&Tensor> {
    let labels = inputs.get_ragged(LABEL)?;
    labels.check(LABEL, classes, 1)?;
    labels.check_count(LABEL, samples(inputs)?, TOKENS)?;
    Ok(&labels.values)
}

fn numbers(inputs: &Inputs) -> Result<&Tensor> {
    let (target, samples) = (inputs.get_dense(NUMBER)?, samples(inputs)?);
    if target.size() == [samples, 1] {
        return Ok(target);
    }
    let problem = format!("[{samples}, 1] is expected, found {:?}", target.size());
    Err(ModelError::input(NUMBER, problem))
}
