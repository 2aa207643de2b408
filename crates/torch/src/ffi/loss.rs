//! `cpp/loss.cpp` and `cpp/composed_loss.cpp`.

use std::ffi::c_void;
use std::ptr::null_mut;

use tch::Tensor;

use super::{Status, adopt, handle};
use crate::composed::is_composed;
use crate::error::TorchError;
use crate::loss::LossSums;
use crate::precision::Precision;
use crate::table::Table;

unsafe extern "C" {
    fn sagetrain_projected_cross_entropy(
        hidden: *mut c_void,
        table: *mut c_void,
        fixed_row: i64,
        bias: *mut c_void,
        targets: *mut c_void,
        smoothing: f64,
        precision: i32,
        loss_scale: f64,
        loss: *mut *mut c_void,
        nll: *mut *mut c_void,
    ) -> Status;
    fn sagetrain_composed_cross_entropy(
        hidden: *mut c_void,
        table: *mut c_void,
        fixed_row: i64,
        bias: *mut c_void,
        targets: *mut c_void,
        smoothing: f64,
        precision: i32,
        loss_scale: f64,
        loss: *mut *mut c_void,
        nll: *mut *mut c_void,
    ) -> Status;
}

/// Shapes and kinds are checked by `loss.rs`.
pub(crate) fn projected_cross_entropy(
    hidden: &Tensor,
    table: Table,
    bias: Option<&Tensor>,
    targets: &Tensor,
    smoothing: f64,
    precision: Precision,
    loss_scale: f64,
) -> Result<LossSums, TorchError> {
    let (mut loss, mut nll) = (null_mut(), null_mut());
    let call = if is_composed(hidden) {
        sagetrain_composed_cross_entropy
    } else {
        sagetrain_projected_cross_entropy
    };
    // SAFETY: live tensors of one device, the CPU where the call is the fused one; the bias may be null, two results are writable.
    let status = unsafe {
        call(
            handle(hidden),
            handle(table.rows),
            table.fixed_row.unwrap_or(-1),
            bias.map_or(null_mut(), handle),
            handle(targets),
            smoothing,
            precision as i32,
            loss_scale,
            &mut loss,
            &mut nll,
        )
    };
    status.check("projected_cross_entropy")?;
    Ok(LossSums { loss: adopt(loss), nll: adopt(nll) })
}
