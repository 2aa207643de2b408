//! One named field of many samples: rows of ids of any length, or rows of numbers of one width.

use serde::{Deserialize, Serialize};

use crate::{DataError, Result};

/// One field of many samples, in plain buffers.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Rows of ids back to back, without padding: row i is `values[offsets[i]..offsets[i + 1]]`.
    Ragged {
        /// `[tokens]`
        values: Vec<i32>,
        /// `[samples + 1]`, rising from 0 to `values.len()`.
        offsets: Vec<i64>,
    },
    /// Rows of `width` numbers back to back.
    Dense {
        /// `[samples, width]`
        values: Vec<f32>,
        /// Numbers a row; at least 1.
        width: usize,
    },
}

/// One row of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Row<'a> {
    /// `[length]` ids.
    Ragged(&'a [i32]),
    /// `[width]` numbers.
    Dense(&'a [f32]),
}

/// How the ids of a ragged column are kept: two bytes each where they fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// 0 ..= 65535.
    U16,
    /// Any id; an id that is not negative has the same four bytes as u32.
    I32,
}

impl Element {
    /// Bytes of one id.
    pub fn bytes(self) -> usize {
        match self {
            Self::U16 => 2,
            Self::I32 => 4,
        }
    }

    /// The smallest element that holds every id in `least ..= greatest`.
    pub fn holding(least: i32, greatest: i32) -> Self {
        if least >= 0 && greatest <= i32::from(u16::MAX) { Self::U16 } else { Self::I32 }
    }
}

/// What a dataset says about one of its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// Unique within the dataset.
    pub name: String,
    /// Its rows.
    #[serde(flatten)]
    pub kind: ColumnKind,
}

/// The kind of a column's rows, with what is known of their values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ColumnKind {
    /// Rows of ids.
    Ragged {
        /// Stored width of an id.
        element: Element,
        /// Tokens of the longest row.
        longest: u64,
        /// Smallest id, 0 when there is none.
        least: i32,
        /// Greatest id, 0 when there is none: compare it with the vocabulary before an embedding reads it.
        greatest: i32,
    },
    /// Rows of `width` float32 numbers.
    Dense {
        /// Numbers a row.
        width: usize,
    },
}

impl ColumnInfo {
    /// An empty column of this kind to append rows to.
    pub(crate) fn empty(&self, samples: usize) -> Column {
        match self.kind {
            ColumnKind::Ragged { .. } => {
                let mut offsets = Vec::with_capacity(samples + 1);
                offsets.push(0);
                Column::Ragged { values: Vec::new(), offsets }
            }
            ColumnKind::Dense { width } => {
                Column::Dense { values: Vec::with_capacity(samples * width), width }
            }
        }
    }
}

impl Column {
    /// A ragged column from rows.
    pub fn ragged<R: AsRef<[i32]>>(rows: impl IntoIterator<Item = R>) -> Self {
        let (mut values, mut offsets) = (Vec::new(), vec![0]);
        for row in rows {
            values.extend_from_slice(row.as_ref());
            offsets.push(values.len() as i64);
        }
        Self::Ragged { values, offsets }
    }

    /// Rows in this column.
    pub fn samples(&self) -> usize {
        match self {
            Self::Ragged { offsets, .. } => offsets.len().saturating_sub(1),
            Self::Dense { values, width } => values.len() / (*width).max(1),
        }
    }

    /// Row `sample`, or None past the end.
    pub fn row(&self, sample: usize) -> Option<Row<'_>> {
        match self {
            Self::Ragged { values, offsets } => {
                let range = *offsets.get(sample)? as usize..*offsets.get(sample + 1)? as usize;
                values.get(range).map(Row::Ragged)
            }
            Self::Dense { values, width } => values.get(sample * width..(sample + 1) * width).map(Row::Dense),
        }
    }

    /// Checks the buffers against each other; `name` is for the message.
    ///
    /// # Errors
    /// `ERR_SHAPE`: offsets that do not rise from 0 to the number of values, or a width that does not divide them.
    pub fn validate(&self, name: &str) -> Result<()> {
        match self {
            Self::Ragged { values, offsets } => validate_offsets(name, offsets, values.len()),
            Self::Dense { width: 0, .. } => {
                Err(DataError::shape(name, "width is 0; a row has at least one number"))
            }
            Self::Dense { values, width } if values.len() % width != 0 => {
                Err(DataError::shape(name, format!("{} values are not rows of width {width}", values.len())))
            }
            Self::Dense { .. } => Ok(()),
        }
    }
}

fn validate_offsets(name: &str, offsets: &[i64], values: usize) -> Result<()> {
    if offsets.first() != Some(&0) {
        return Err(DataError::shape(name, "offsets must have samples + 1 entries and start with 0"));
    }
    if let Some(row) = offsets.windows(2).position(|pair| pair[1] < pair[0]) {
        let (start, end) = (offsets[row], offsets[row + 1]);
        return Err(DataError::shape(name, format!("offsets fall from {start} to {end} after row {row}")));
    }
    match offsets.last() {
        Some(&end) if end == values as i64 => Ok(()),
        end => Err(DataError::shape(name, format!("offsets end at {end:?}, there are {values} values"))),
    }
}
