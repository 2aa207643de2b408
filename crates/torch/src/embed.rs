//! Token embeddings with positions.

use tch::{Kind, Tensor};

use crate::check;
use crate::composed::{self, is_composed};
use crate::dropout::{Dropout, effective};
use crate::error::TorchError;
use crate::ffi;
use crate::precision::Precision;
use crate::table::Table;

/// `dropout(scale · table[ids] + position_table[positions])`: ids and positions int64 `[tokens]` → `[tokens, width]` of `precision`.
///
/// `table` `[vocabulary, width]`, given with or without a row that is never learnt, and `position_table` `[positions, width]` are float32. The gradient of `table` is summed in token
/// order, on any number of threads. Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH` (an id out of range).
#[allow(clippy::too_many_arguments, reason = "the operation's inputs; no two could be swapped unnoticed")]
pub fn embed<'a>(
    ids: &Tensor,
    positions: &Tensor,
    table: impl Into<Table<'a>>,
    position_table: &Tensor,
    scale: f64,
    precision: Precision,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let table = table.into();
    check(ids, positions, table.rows, position_table)?;
    table.check("embed")?;
    let dropout = effective("embed", dropout)?;
    if is_composed(table.rows) {
        return composed::rows::embed(ids, positions, (table, position_table), scale, precision, dropout);
    }
    ffi::embed(ids, positions, (table, position_table), scale, precision, dropout)
}

fn check(
    ids: &Tensor,
    positions: &Tensor,
    table: &Tensor,
    position_table: &Tensor,
) -> Result<(), TorchError> {
    let op = "embed";
    for (name, tensor) in [("ids", ids), ("positions", positions)] {
        check::shape(op, name, tensor, &[ids.numel() as i64])?;
        check::kind(op, name, tensor, Kind::Int64, "int64")?;
    }
    let others =
        [("positions", Some(positions)), ("table", Some(table)), ("position_table", Some(position_table))];
    check::same_device(op, ids, &others)?;
    let (_, width) = check::matrix(op, "table", table, "[vocabulary, width]")?;
    let (rows, _) = check::matrix(op, "position_table", position_table, "[positions, width]")?;
    check::shape(op, "position_table", position_table, &[rows, width])?;
    check::float32(op, "table", table)?;
    check::float32(op, "position_table", position_table)
}
