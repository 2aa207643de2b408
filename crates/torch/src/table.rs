//! A table of vectors, one a token.

use tch::Tensor;

use crate::error::TorchError;

/// Token vectors, float32 `[vocabulary, width]`, all learnt or all but one.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// The vectors.
    pub rows: &'a Tensor,
    /// The row whose gradient is zero, what `padding_idx` is to `torch.nn.Embedding`; here in the output projection as well.
    pub fixed_row: Option<i64>,
}

impl Table<'_> {
    pub(crate) fn check(&self, op: &'static str) -> Result<(), TorchError> {
        let rows = self.rows.size().first().copied().unwrap_or(0);
        match self.fixed_row {
            Some(row) if !(0..rows).contains(&row) => {
                let expected = format!("0 to {}", rows - 1);
                Err(TorchError::Argument { op, name: "fixed_row", found: row.to_string(), expected })
            }
            _ => Ok(()),
        }
    }
}

impl<'a> From<&'a Tensor> for Table<'a> {
    fn from(rows: &'a Tensor) -> Self {
        Self { rows, fixed_row: None }
    }
}
