//! The model's tables of token vectors: source embedding, target embedding and output projection, as far as they are not one.
//!
//! Decoding starts from `<pad>`, whose vector stays as it began: zero, as in Marian, so that CTranslate2, which starts from a
//! zero vector whatever the table says, decodes alike.

use sagetrain_torch::Table;
use tch::Tensor;

use crate::embedding::{Embedding, sinusoids};
use crate::error::Result;
use crate::init::Initial;
use crate::layout::Layout;
use crate::parameters::{Parameters, Role};
use crate::transformer_spec::TransformerSpec;
use crate::vocabulary::Embeddings;

/// The one table of [`Embeddings::Shared`].
pub const SHARED: &str = "model.shared.weight";
/// The source's own table.
pub const SOURCE: &str = "model.encoder.embed_tokens.weight";
/// The target's table, where the source has another.
pub const TARGET: &str = "model.decoder.embed_tokens.weight";
/// The output projection of [`Embeddings::Separate`].
pub const OUTPUT: &str = "lm_head.weight";

/// The parameters that are source embedding, target embedding and output projection.
pub fn names(embeddings: Embeddings) -> [&'static str; 3] {
    match embeddings {
        Embeddings::Shared => [SHARED; 3],
        Embeddings::DecoderShared => [SOURCE, TARGET, TARGET],
        Embeddings::Separate => [SOURCE, TARGET, OUTPUT],
    }
}

/// Handles to the tables.
#[derive(Debug)]
pub struct Tables {
    pub(crate) source: Embedding,
    pub(crate) target: Embedding,
    /// `[target vocabulary, width]`.
    pub(crate) output: Tensor,
    fixed_output_row: Option<i64>,
}

impl Tables {
    /// Declares what stands before the encoder: the shared table or the source's.
    pub fn declare_source(layout: &mut Layout, spec: &TransformerSpec) {
        let [name, ..] = names(spec.embeddings);
        declare(layout, name, spec.vocabulary.source(), spec);
    }

    /// Declares what stands before the decoder: the target's table, where it has one.
    pub fn declare_target(layout: &mut Layout, spec: &TransformerSpec) {
        if spec.embeddings != Embeddings::Shared {
            declare(layout, TARGET, spec.vocabulary.target(), spec);
        }
    }

    /// Declares what stands after the decoder: an output projection of its own.
    pub fn declare_output(layout: &mut Layout, spec: &TransformerSpec) {
        if spec.embeddings == Embeddings::Separate {
            let initial = Initial::Normal { deviation: deviation(spec), zero_row: None };
            layout.declare(
                OUTPUT.into(),
                &[spec.vocabulary.target(), spec.hidden_size],
                Role::Output,
                initial,
            );
        }
    }

    /// Finds the parameters.
    pub fn new(parameters: &Parameters, spec: &TransformerSpec) -> Result<Self> {
        let [source, target, output] = names(spec.embeddings);
        let positions = sinusoids(spec.max_positions, spec.hidden_size)?;
        let start = Some(spec.start_id());
        let embedding = |name, fixed_row| -> Result<Embedding> {
            let scale = if spec.scale_embedding { (spec.hidden_size as f64).sqrt() } else { 1.0 };
            Ok(Embedding::new(parameters.tensor(name)?, fixed_row, positions.shallow_clone(), scale))
        };
        Ok(Self {
            source: embedding(source, start.filter(|_| source == target))?,
            target: embedding(target, start)?,
            output: parameters.tensor(output)?,
            fixed_output_row: start.filter(|_| output == target),
        })
    }

    /// The table of positions, which both embeddings share.
    pub fn positions(&self) -> Tensor {
        self.source.positions()
    }

    /// The output projection for the loss.
    pub fn output_table(&self) -> Table<'_> {
        Table { rows: &self.output, fixed_row: self.fixed_output_row }
    }
}

fn declare(layout: &mut Layout, name: &str, size: usize, spec: &TransformerSpec) {
    let initial = Initial::Normal { deviation: deviation(spec), zero_row: Some(size as i64 - 1) };
    layout.declare(name.into(), &[size, spec.hidden_size], Role::Embedding, initial);
}

fn deviation(spec: &TransformerSpec) -> f64 {
    (spec.hidden_size as f64).sqrt().recip()
}
