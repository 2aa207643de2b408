//! What works row by row: dropout, the residual connection, layer norm, embeddings. Sums are float32, and rounded once at the end.

use tch::{Kind, Tensor};

use super::mask::drop;
use crate::dropout::Dropout;
use crate::error::TorchError;
use crate::precision::Precision;
use crate::table::Table;

/// `dropout(x) + residual`.
pub(crate) fn drop_add(
    x: &Tensor,
    residual: Option<&Tensor>,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    match residual {
        None => drop(x, dropout),
        Some(residual) => Ok(sum(x, Some(residual), dropout)?.f_to_kind(x.f_kind()?)?),
    }
}

/// `layer_norm(dropout(x) + residual)`.
pub(crate) fn layer_norm(
    x: &Tensor,
    residual: Option<&Tensor>,
    (gamma, beta, eps): (&Tensor, &Tensor, f64),
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let sum = sum(x, residual, dropout)?;
    let normal = sum.f_layer_norm(gamma.size(), Some(gamma), Some(beta), eps, false)?;
    Ok(normal.f_to_kind(x.f_kind()?)?)
}

/// `dropout(scale · table[ids] + position_table[positions])`.
pub(crate) fn embed(
    ids: &Tensor,
    positions: &Tensor,
    (table, position_table): (Table, &Tensor),
    scale: f64,
    precision: Precision,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    // ATen reads a row of −1 as none, and leaves the gradient of any other at zero.
    let fixed = table.fixed_row.unwrap_or(-1);
    let rows = Tensor::f_embedding(table.rows, ids, fixed, false, false)?.f_mul_scalar(scale)?;
    let places = Tensor::f_embedding(position_table, positions, -1, false, false)?;
    Ok(drop(&rows.f_add(&places)?, dropout)?.f_to_kind(precision.kind())?)
}

/// Float32, `dropout(x) + residual`.
fn sum(x: &Tensor, residual: Option<&Tensor>, dropout: Option<Dropout>) -> Result<Tensor, TorchError> {
    let x = drop(&x.f_to_kind(Kind::Float)?, dropout)?;
    match residual {
        Some(residual) => Ok(x.f_add(&residual.f_to_kind(Kind::Float)?)?),
        None => Ok(x),
    }
}
