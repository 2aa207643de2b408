//! A batch as tensors: packed tokens with offsets, dense features.

use std::collections::HashMap;

use sagetrain_torch::upload;
use tch::{Device, Tensor};

use crate::error::{ModelError, Result};
use crate::ragged::Ragged;

/// One named field of a batch's samples.
#[derive(Debug)]
pub enum InputColumn {
    /// Sequences of ids.
    Ragged(Ragged),
    /// Features, float32 `[samples, width]`.
    Dense(Tensor),
}

/// A batch as tensors, column by column.
#[derive(Debug, Default)]
pub struct Inputs {
    columns: HashMap<String, InputColumn>,
}

impl Inputs {
    /// A batch without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column.
    pub fn column(mut self, name: &str, column: InputColumn) -> Self {
        self.columns.insert(name.to_owned(), column);
        self
    }

    /// Adds sequences of ids: `values` cut at `offsets`. Errors: those of [`Ragged::new`].
    pub fn ragged(self, column: &str, values: &[i32], offsets: &[i64]) -> Result<Self> {
        let ragged = Ragged::new(column, values, offsets)?;
        Ok(self.column(column, InputColumn::Ragged(ragged)))
    }

    /// Adds features: rows of `width` numbers.
    ///
    /// # Errors
    /// `ERR_SHAPE` when `values` is no whole number of rows, or none.
    pub fn dense(self, column: &str, values: &[f32], width: usize) -> Result<Self> {
        if width == 0 || values.is_empty() || !values.len().is_multiple_of(width) {
            return Err(ModelError::input(column, format!("{} values are no rows of {width}", values.len())));
        }
        let shape = [(values.len() / width) as i64, width as i64];
        let tensor = Tensor::f_from_slice(values)?.f_view(shape)?;
        Ok(self.column(column, InputColumn::Dense(tensor)))
    }

    /// The same columns on a device.
    pub fn on(self, device: Device) -> Result<Self> {
        let place = |(name, column)| match column {
            InputColumn::Ragged(ragged) => Ok((name, InputColumn::Ragged(ragged.on(device)?))),
            InputColumn::Dense(dense) => Ok((name, InputColumn::Dense(upload(&dense, device)?))),
        };
        Ok(Self { columns: self.columns.into_iter().map(place).collect::<Result<_>>()? })
    }

    /// The sequences of that name. Errors: `ERR_SHAPE` when there are none.
    pub fn get_ragged(&self, column: &str) -> Result<&Ragged> {
        match self.columns.get(column) {
            Some(InputColumn::Ragged(ragged)) => Ok(ragged),
            found => Err(self.wrong(column, "sequences of ids", found)),
        }
    }

    /// The sequences of that name, if there are any. Errors: `ERR_SHAPE` for a column that is none.
    pub fn find_ragged(&self, column: &str) -> Result<Option<&Ragged>> {
        self.columns.contains_key(column).then(|| self.get_ragged(column)).transpose()
    }

    /// The features of that name, `[samples, width]`. Errors: `ERR_SHAPE` when there are none.
    pub fn get_dense(&self, column: &str) -> Result<&Tensor> {
        match self.columns.get(column) {
            Some(InputColumn::Dense(tensor)) => Ok(tensor),
            found => Err(self.wrong(column, "dense features", found)),
        }
    }

    fn wrong(&self, column: &str, expected: &str, found: Option<&InputColumn>) -> ModelError {
        let found = match found {
            Some(InputColumn::Ragged(_)) => "sequences of ids".to_owned(),
            Some(InputColumn::Dense(_)) => "dense features".to_owned(),
            None => format!("only the columns {:?}", self.columns.keys().collect::<Vec<_>>()),
        };
        ModelError::input(column, format!("{expected} expected, found {found}"))
    }
}
