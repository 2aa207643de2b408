//! Embeddings that are learnt altogether, tokens, positions and types, and normalised, as BERT begins (Devlin et al., arXiv 1810.04805).

use tch::{Kind, Tensor};

use crate::check;
use crate::dropout::{Dropout, dropout};
use crate::embed::embed;
use crate::error::TorchError;
use crate::layer_norm::layer_norm;
use crate::precision::Precision;
use crate::residual::residual_norm;
use crate::table::Table;

/// What is looked up: int64 `[tokens]` each.
#[derive(Debug, Clone, Copy)]
pub struct Lookups<'a> {
    /// Token ids.
    pub ids: &'a Tensor,
    /// Rows of the table of positions.
    pub positions: &'a Tensor,
    /// Rows of the table of types.
    pub types: &'a Tensor,
}

/// Where it is looked up, and the norm of the sum: float32, `[rows, width]` and `[width]`.
#[derive(Debug, Clone, Copy)]
pub struct LearntTables<'a> {
    /// `[vocabulary, width]`.
    pub tokens: Table<'a>,
    /// `[positions, width]`.
    pub positions: &'a Tensor,
    /// `[types, width]`, where there are any.
    pub types: Option<&'a Tensor>,
    /// The norm's gain and shift, and what is added to the variance.
    pub norm: (&'a Tensor, &'a Tensor, f64),
}

/// `dropout(layer_norm(tokens[ids] + positions[positions] + types[types]))`: → `[tokens, width]` of `precision`; up to there all is float32.
///
/// The gradients of the tables are summed in token order, on any number of threads.
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH` (an id out of range).
pub fn embed_norm(
    lookups: Lookups,
    tables: LearntTables,
    precision: Precision,
    mask: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let Lookups { ids, positions, types } = lookups;
    let (gamma, beta, eps) = tables.norm;
    let sum = embed(ids, positions, tables.tokens, tables.positions, 1.0, Precision::Float32, None)?;
    let normal = match tables.types {
        Some(table) => residual_norm(&rows(table, types, &sum)?, &sum, gamma, beta, eps, None)?,
        None => layer_norm(&sum, gamma, beta, eps)?,
    };
    dropout(&normal.f_to_kind(precision.kind())?, mask)
}

/// `table[types]`: there are a few types only, which ATen sums one after the other.
fn rows(table: &Tensor, types: &Tensor, sum: &Tensor) -> Result<Tensor, TorchError> {
    let op = "embed_norm";
    let (tokens, width) = check::matrix(op, "sum", sum, "[tokens, width]")?;
    check::shape(op, "types", types, &[tokens])?;
    check::kind(op, "types", types, Kind::Int64, "int64")?;
    let (count, _) = check::matrix(op, "type_table", table, "[types, width]")?;
    check::shape(op, "type_table", table, &[count, width])?;
    check::float32(op, "type_table", table)?;
    check::same_device(op, sum, &[("types", Some(types)), ("type_table", Some(table))])?;
    Ok(Tensor::f_embedding(table, types, -1, false, false)?)
}
