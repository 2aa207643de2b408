//! Columns of samples, as typed arrays.

use crate::fault::Fault;
use napi::bindgen_prelude::{Float32Array, Float64Array, Int32Array};
use napi_derive::napi;
use sagetrain_data::Column;
use serde_json::json;

/// A named column: `ids` with `offsets`, or `numbers` with `width`.
#[napi(object, js_name = "NativeColumn")]
pub struct NamedColumn {
    pub name: String,
    pub ids: Option<Int32Array>,
    pub offsets: Option<Float64Array>,
    pub numbers: Option<Float32Array>,
    pub width: Option<f64>,
}

impl NamedColumn {
    /// A copy of `column` for JavaScript.
    pub(crate) fn copy(name: &str, column: &Column) -> Self {
        let empty = Self { name: name.to_owned(), ids: None, offsets: None, numbers: None, width: None };
        match column {
            Column::Ragged { values, offsets } => {
                let offsets: Vec<f64> = offsets.iter().map(|offset| *offset as f64).collect();
                Self { ids: Some(values.clone().into()), offsets: Some(offsets.into()), ..empty }
            }
            Column::Dense { values, width } => {
                Self { numbers: Some(values.clone().into()), width: Some(*width as f64), ..empty }
            }
        }
    }

    /// A copy for Rust.
    ///
    /// # Errors
    /// `ERR_SHAPE` for a column of neither kind; the buffers are checked by the dataset.
    pub(crate) fn column(self) -> Result<(String, Column), Fault> {
        let column = match self {
            Self { ids: Some(ids), offsets: Some(offsets), .. } => Column::Ragged {
                values: ids.to_vec(),
                offsets: offsets.iter().map(|offset| *offset as i64).collect(),
            },
            Self { numbers: Some(numbers), width: Some(width), .. } => {
                Column::Dense { values: numbers.to_vec(), width: width as usize }
            }
            Self { name, .. } => {
                let message = format!("column `{name}`: expected ids with offsets, or numbers with a width");
                return Err(Fault::new("ERR_SHAPE", message, json!({ "column": name })));
            }
        };
        Ok((self.name, column))
    }
}

/// Bytes of a column's buffers.
pub(crate) fn bytes(column: &Column) -> usize {
    match column {
        Column::Ragged { values, offsets } => {
            size_of_val(values.as_slice()) + size_of_val(offsets.as_slice())
        }
        Column::Dense { values, .. } => size_of_val(values.as_slice()),
    }
}
