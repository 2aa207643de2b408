//! Output projection, softmax and label-smoothed cross-entropy as one operation.

use tch::{Kind, Tensor};

use crate::check;
use crate::error::TorchError;
use crate::ffi;
use crate::precision::Precision;
use crate::table::Table;

/// Sums over the tokens of a batch; divide by their number for the mean.
#[derive(Debug)]
pub struct LossSums {
    /// The label-smoothed loss in nats, a differentiable float32 scalar.
    pub loss: Tensor,
    /// The negative log-likelihood of the targets in nats, a detached float32 scalar.
    pub nll: Tensor,
}

/// Cross-entropy of `softmax(hidden tableᵀ + bias)` with smoothed labels (Szegedy et al., arXiv 1512.00567).
///
/// `hidden` `[tokens, width]`, `table` float32 `[vocabulary, width]` with or without a row that is never learnt, `bias` float32 `[vocabulary]`, `targets` int64 `[tokens]`. The
/// target has weight `1 − smoothing`, every other entry `smoothing / (vocabulary − 1)`, as in fairseq's
/// `label_smoothed_cross_entropy`. The product runs in `precision`, the softmax in float32.
/// `loss_scale`, 1 for none, is what the loss will be multiplied with before the backward pass: gradients are rounded as it makes them.
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH` (a target out of range; on a GPU nobody looks).
pub fn projected_cross_entropy<'a>(
    hidden: &Tensor,
    table: impl Into<Table<'a>>,
    bias: Option<&Tensor>,
    targets: &Tensor,
    smoothing: f64,
    precision: Precision,
    loss_scale: f64,
) -> Result<LossSums, TorchError> {
    let table = table.into();
    check(hidden, table.rows, bias, targets, smoothing)?;
    table.check("projected_cross_entropy")?;
    ffi::projected_cross_entropy(hidden, table, bias, targets, smoothing, precision, loss_scale)
}

fn check(
    hidden: &Tensor,
    table: &Tensor,
    bias: Option<&Tensor>,
    targets: &Tensor,
    smoothing: f64,
) -> Result<(), TorchError> {
    let op = "projected_cross_entropy";
    let (tokens, width) = check::matrix(op, "hidden", hidden, "[tokens, width]")?;
    check::float(op, "hidden", hidden)?;
    let (classes, _) = check::matrix(op, "table", table, "[vocabulary, width]")?;
    check::shape(op, "table", table, &[classes.max(1), width])?;
    check::float32(op, "table", table)?;
    if let Some(bias) = bias {
        check::shape(op, "bias", bias, &[classes])?;
        check::float32(op, "bias", bias)?;
    }
    check::same_device(op, hidden, &[("table", Some(table)), ("bias", bias), ("targets", Some(targets))])?;
    check::shape(op, "targets", targets, &[tokens])?;
    check::kind(op, "targets", targets, Kind::Int64, "int64")?;
    if (0.0..1.0).contains(&smoothing) {
        return Ok(());
    }
    let expected = "in [0, 1)".to_string();
    Err(TorchError::Argument { op, name: "smoothing", found: smoothing.to_string(), expected })
}
