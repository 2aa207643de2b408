//! The encoder-decoder for translation (Vaswani et al., 2017), its parameters and its passes.

use std::path::Path;

use sagetrain_torch::{linear, projected_cross_entropy};
use tch::{Kind, Tensor};

use crate::decoder::Decoder;
use crate::encoder::Encoder;
use crate::error::Result;
use crate::format::Format;
use crate::init::from_values;
use crate::inputs::Inputs;
use crate::layout::Layout;
use crate::marian;
use crate::model::{Forward, Loss, Model};
use crate::parameters::{Declaration, Parameters};
use crate::pass::{Pass, Site, Stack};
use crate::ragged::Ragged;
use crate::spec::ModelSpec;
use crate::tables::Tables;
use crate::transformer_spec::TransformerSpec;
use crate::translator::Translator;

/// The batch's column of source sentences.
pub const SOURCE: &str = "source";
/// The batch's column of target sentences.
pub const TARGET: &str = "target";

/// A translation model: parameters, and layers that hold handles to them.
#[derive(Debug)]
pub struct Transformer {
    pub(crate) spec: TransformerSpec,
    model_spec: ModelSpec,
    parameters: Parameters,
    pub(crate) tables: Tables,
    pub(crate) encoder: Encoder,
    pub(crate) decoder: Decoder,
    /// `[target vocabulary]`; a buffer that Marian's format has and nobody trains, zero unless a loaded folder says otherwise.
    pub(crate) logits_bias: Option<Tensor>,
}

impl Transformer {
    /// The parameters in order: Marian's names, and in pre-norm `model.{encoder,decoder}.layer_norm` besides.
    pub fn layout(spec: &TransformerSpec) -> Vec<Declaration> {
        let mut layout = Layout::default();
        Tables::declare_source(&mut layout, spec);
        Encoder::declare(&mut layout, spec);
        Tables::declare_target(&mut layout, spec);
        Decoder::declare(&mut layout, spec);
        Tables::declare_output(&mut layout, spec);
        layout.finish()
    }

    /// A model with initial values drawn from `seed`.
    pub fn create(spec: TransformerSpec, seed: u64) -> Result<Self> {
        let parameters = Parameters::initialise(&Self::layout(&spec), seed)?;
        Self::assemble(spec, parameters, None)
    }

    /// Layers over given parameters. `logits_bias` `[target vocabulary]` is kept only where it is not zero.
    pub fn assemble(
        spec: TransformerSpec,
        parameters: Parameters,
        logits_bias: Option<&[f32]>,
    ) -> Result<Self> {
        let bias = logits_bias.filter(|bias| bias.iter().any(|&value| value != 0.0));
        Ok(Self {
            tables: Tables::new(&parameters, &spec)?,
            encoder: Encoder::new(&parameters, &spec)?,
            decoder: Decoder::new(&parameters, &spec)?,
            logits_bias: bias.map(|bias| from_values(bias, &[bias.len() as i64])).transpose()?,
            model_spec: ModelSpec::Transformer(spec.clone()),
            parameters,
            spec,
        })
    }

    /// The encoded source `[source tokens, width]`.
    pub(crate) fn encode(&self, source: &Ragged, forward: &Forward) -> Result<Tensor> {
        source.check(SOURCE, self.spec.vocabulary.source(), self.spec.max_positions)?;
        let pass = Pass::new(forward, self.spec.rates(Stack::Encoder), Stack::Encoder);
        let dropout = pass.dropout(Site::Embedding);
        let x = self.tables.source.apply(&source.values, &source.positions, forward.precision, dropout)?;
        self.encoder.apply(x, &source.offsets, &pass)
    }

    /// The decoder's last hidden states `[target tokens, width]`, each made from the tokens before it.
    fn hidden(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor> {
        let (source, target) = (inputs.get_ragged(SOURCE)?, inputs.get_ragged(TARGET)?);
        target.check(TARGET, self.spec.vocabulary.target(), self.spec.max_positions)?;
        target.check_count(TARGET, source.sequences() as i64, SOURCE)?;

        let encoded = self.encode(source, forward)?;
        let pass = Pass::new(forward, self.spec.rates(Stack::Decoder), Stack::Decoder);
        let memories = self.decoder.memories(&encoded, &source.offsets, &pass)?;

        let ids = target.shifted(self.spec.start_id())?; // [target tokens]
        let dropout = pass.dropout(Site::Embedding);
        let x = self.tables.target.apply(&ids, &target.positions, forward.precision, dropout)?;
        self.decoder.apply(x, &target.offsets, &memories, &pass)
    }
}

impl Model for Transformer {
    fn spec(&self) -> &ModelSpec {
        &self.model_spec
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn buffers(&self) -> Vec<Tensor> {
        self.logits_bias.iter().map(Tensor::shallow_clone).chain([self.tables.positions()]).collect()
    }

    fn loss(&self, inputs: &Inputs, smoothing: f64, forward: &Forward) -> Result<Loss> {
        let hidden = self.hidden(inputs, forward)?;
        let target = inputs.get_ragged(TARGET)?;
        let (table, bias) = (self.tables.output_table(), self.logits_bias.as_ref());
        let (precision, loss_scale) = (forward.precision, forward.loss_scale);
        let targets = &target.values;
        let sums = projected_cross_entropy(&hidden, table, bias, targets, smoothing, precision, loss_scale)?;
        let count = target.tokens();
        Ok(Loss { sum: sums.loss, nll: sums.nll, count, correct: None, smoothness: None })
    }

    fn forward(&self, inputs: &Inputs, forward: &Forward) -> Result<Tensor> {
        let hidden = self.hidden(inputs, forward)?;
        let layer = (&self.tables.output, self.logits_bias.as_ref());
        let logits = linear(&hidden, &[layer], sagetrain_torch::Activation::None, forward.precision)?;
        Ok(logits.f_to_kind(Kind::Float)?) // [target tokens, vocabulary]
    }

    fn check_format(&self, format: &str) -> Result<()> {
        Format::check(format, &self.spec)
    }

    fn save(&self, folder: &Path) -> Result<()> {
        marian::save(self, folder)
    }

    fn as_translator(&self) -> Option<&dyn Translator> {
        Some(self)
    }
}
