//! Output projection, softmax and label-smoothed cross-entropy as one operation.

use tch::{Kind, Reduction, Tensor};

use crate::error::TorchError;
use crate::precision::Precision;

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
/// `hidden` `[tokens, width]`, `table` float32 `[vocabulary, width]`, `bias` float32 `[vocabulary]`, `targets` int64 `[tokens]`. The
/// target has weight `1 − smoothing`, every other entry `smoothing / (vocabulary − 1)`, as in fairseq's
/// `label_smoothed_cross_entropy`. The product runs in `precision`, the softmax in float32.
/// Errors: `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`, `ERR_TORCH` (a target out of range).
pub fn projected_cross_entropy(
    hidden: &Tensor,
    table: &Tensor,
    bias: Option<&Tensor>,
    targets: &Tensor,
    smoothing: f64,
    precision: Precision,
) -> Result<LossSums, TorchError> {
    check(hidden, table, bias, targets, smoothing)?;
    let weights = table.f_to_kind(precision.kind())?.f_tr()?;
    let mut logits = hidden.f_to_kind(precision.kind())?.f_matmul(&weights)?.f_to_kind(Kind::Float)?;
    if let Some(bias) = bias {
        logits = logits.f_add(bias)?;
    }
    let log_probabilities = logits.f_log_softmax(-1, Kind::Float)?;
    let nll = log_probabilities.f_nll_loss(targets, None::<&Tensor>, Reduction::Sum, -100)?;
    let spread = smoothing / (table.size()[0] - 1).max(1) as f64;
    // Σ over all entries counts the target once too often: its weight is 1 − ε − ε/(V−1) beside the uniform part.
    let all = log_probabilities.f_sum(Kind::Float)?.f_neg()?;
    let loss = nll.f_mul_scalar(1.0 - smoothing - spread)?.f_add(&all.f_mul_scalar(spread)?)?;
    Ok(LossSums { loss, nll: nll.f_detach()? })
}

fn check(
    hidden: &Tensor,
    table: &Tensor,
    bias: Option<&Tensor>,
    targets: &Tensor,
    smoothing: f64,
) -> Result<(), TorchError> {
    let op = "projected_cross_entropy";
    let (shape, rows) = (hidden.size(), table.size());
    if shape.len() != 2 {
        return Err(TorchError::Shape {
            op,
            name: "hidden",
            found: shape,
            expected: "[tokens, width]".into(),
        });
    }
    if rows.len() != 2 || rows[1] != shape[1] || rows[0] < 1 {
        return Err(TorchError::Shape {
            op,
            name: "table",
            found: rows,
            expected: format!("[vocabulary, {}]", shape[1]),
        });
    }
    if table.kind() != Kind::Float {
        return Err(TorchError::Dtype { op, name: "table", found: table.kind(), expected: "float32" });
    }
    if let Some(bias) = bias.filter(|bias| bias.size() != [rows[0]]) {
        return Err(TorchError::Shape {
            op,
            name: "bias",
            found: bias.size(),
            expected: format!("[{}]", rows[0]),
        });
    }
    if targets.size() != [shape[0]] {
        return Err(TorchError::Shape {
            op,
            name: "targets",
            found: targets.size(),
            expected: format!("[{}]", shape[0]),
        });
    }
    if targets.kind() != Kind::Int64 {
        return Err(TorchError::Dtype { op, name: "targets", found: targets.kind(), expected: "int64" });
    }
    if !(0.0..1.0).contains(&smoothing) {
        let expected = "in [0, 1)".to_string();
        return Err(TorchError::Argument { op, name: "smoothing", found: smoothing.to_string(), expected });
    }
    Ok(())
}
