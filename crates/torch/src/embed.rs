//! Token embeddings with positions.

use tch::{Kind, Tensor};

use crate::dropout::{Dropout, dropout as drop_out};
use crate::error::TorchError;
use crate::precision::Precision;

/// `dropout(scale · table[ids] + position_table[positions])`: ids and positions int64 `[tokens]` → `[tokens, width]` of `precision`.
///
/// `table` `[vocabulary, width]` and `position_table` `[positions, width]` are float32. The gradient of `table` is summed in token
/// order, on any number of threads. Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH` (an id out of range).
#[allow(clippy::too_many_arguments, reason = "the operation's inputs; no two could be swapped unnoticed")]
pub fn embed(
    ids: &Tensor,
    positions: &Tensor,
    table: &Tensor,
    position_table: &Tensor,
    scale: f64,
    precision: Precision,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    check(ids, positions, table, position_table)?;
    let tokens = Tensor::f_embedding(table, ids, -1, false, false)?.f_mul_scalar(scale)?;
    let sum = tokens.f_add(&position_table.f_index_select(0, positions)?)?;
    Ok(drop_out(&sum, dropout)?.f_to_kind(precision.kind())?)
}

fn check(
    ids: &Tensor,
    positions: &Tensor,
    table: &Tensor,
    position_table: &Tensor,
) -> Result<(), TorchError> {
    let op = "embed";
    for (name, tensor) in [("ids", ids), ("positions", positions)] {
        if tensor.size() != [ids.numel() as i64] {
            let expected = format!("[{}]", ids.numel());
            return Err(TorchError::Shape { op, name, found: tensor.size(), expected });
        }
        if tensor.kind() != Kind::Int64 {
            return Err(TorchError::Dtype { op, name, found: tensor.kind(), expected: "int64" });
        }
    }
    for (name, tensor) in [("table", table), ("position_table", position_table)] {
        let found = tensor.size();
        if found.len() != 2 || table.size().last() != found.last() {
            let expected = "[rows, width], both of one width".into();
            return Err(TorchError::Shape { op, name, found, expected });
        }
        if tensor.kind() != Kind::Float {
            return Err(TorchError::Dtype { op, name, found: tensor.kind(), expected: "float32" });
        }
    }
    Ok(())
}
