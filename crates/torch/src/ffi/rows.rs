//! `cpp/residual.cpp` and `cpp/embed.cpp`.

use std::ffi::c_void;
use std::ptr::null_mut;

use tch::Tensor;

use super::{DropoutKey, Status, handle, pointer, receive};
use crate::dropout::Dropout;
use crate::error::TorchError;
use crate::precision::Precision;
use crate::table::Table;

unsafe extern "C" {
    fn sagetrain_drop_add(
        x: *mut c_void,
        residual: *mut c_void,
        dropout: *const DropoutKey,
        out: *mut *mut c_void,
    ) -> Status;
    fn sagetrain_layer_norm(
        x: *mut c_void,
        residual: *mut c_void,
        gamma: *mut c_void,
        beta: *mut c_void,
        eps: f64,
        dropout: *const DropoutKey,
        out: *mut *mut c_void,
    ) -> Status;
    fn sagetrain_embed(
        ids: *mut c_void,
        positions: *mut c_void,
        table: *mut c_void,
        fixed_row: i64,
        position_table: *mut c_void,
        scale: f64,
        precision: i32,
        dropout: *const DropoutKey,
        out: *mut *mut c_void,
    ) -> Status;
}

/// `dropout(x) + residual`, checked by `residual.rs`.
pub(crate) fn drop_add(
    op: &'static str,
    x: &Tensor,
    residual: Option<&Tensor>,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let key = dropout.map(DropoutKey::from);
    let residual = residual.map_or(null_mut(), handle);
    // SAFETY: live tensors, of which the residual may be null, and a key that outlives the call.
    receive(op, |out| unsafe { sagetrain_drop_add(handle(x), residual, pointer(&key), out) })
}

/// `layer_norm(dropout(x) + residual)`, checked by `layer_norm.rs`.
pub(crate) fn layer_norm(
    op: &'static str,
    x: &Tensor,
    residual: Option<&Tensor>,
    (gamma, beta, eps): (&Tensor, &Tensor, f64),
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let key = dropout.map(DropoutKey::from);
    let (residual, key) = (residual.map_or(null_mut(), handle), pointer(&key));
    // SAFETY: live tensors, of which the residual may be null, and a key that outlives the call.
    receive(op, |out| unsafe {
        sagetrain_layer_norm(handle(x), residual, handle(gamma), handle(beta), eps, key, out)
    })
}

/// Checked by `embed.rs`.
pub(crate) fn embed(
    ids: &Tensor,
    positions: &Tensor,
    (table, position_table): (Table, &Tensor),
    scale: f64,
    precision: Precision,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let key = dropout.map(DropoutKey::from);
    let (rows, fixed_row) = (handle(table.rows), table.fixed_row.unwrap_or(-1));
    let (position_table, key) = (handle(position_table), pointer(&key));
    // SAFETY: live tensors of the checked kinds, and a key that outlives the call.
    receive("embed", |out| unsafe {
        let (ids, positions) = (handle(ids), handle(positions));
        sagetrain_embed(ids, positions, rows, fixed_row, position_table, scale, precision as i32, key, out)
    })
}
