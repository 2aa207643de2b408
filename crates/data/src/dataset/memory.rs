//! A dataset made from columns in memory.

use sha2::{Digest, Sha256};

use super::header::hex;
use super::stored::{Run, StoredColumn, encode_ids};
use super::{Dataset, Shard};
use crate::{Column, ColumnInfo, ColumnKind, DataError, Element, Result};

impl Dataset {
    /// A dataset in memory.
    ///
    /// # Errors
    /// `ERR_SHAPE`: no column, two of one name, columns of different numbers of samples, buffers that do not fit.
    pub fn from_columns(columns: Vec<(String, Column)>) -> Result<Self> {
        let samples = validate(&columns)?;
        let columns: Vec<_> = columns.into_iter().map(|(name, column)| store(name, column)).collect();
        let fingerprint = fingerprint(&columns)?;
        let about = serde_json::Value::Null;
        Ok(Self::of(Shard { path: None, start: 0, samples, columns, about }, fingerprint))
    }
}

fn validate(columns: &[(String, Column)]) -> Result<usize> {
    let Some((first, column)) = columns.first() else {
        return Err(DataError::shape("*", "a dataset has at least one column"));
    };
    let samples = column.samples();
    for (index, (name, column)) in columns.iter().enumerate() {
        column.validate(name)?;
        if columns[..index].iter().any(|(other, _)| other == name) {
            return Err(DataError::shape(name, "two columns have this name"));
        }
        if column.samples() != samples {
            let found = column.samples();
            return Err(DataError::shape(name, format!("{found} samples, column `{first}` has {samples}")));
        }
    }
    Ok(samples)
}

fn store(name: String, column: Column) -> StoredColumn {
    match column {
        Column::Ragged { values, offsets } => {
            let bound = |id: Option<&i32>| id.copied().unwrap_or(0);
            let (least, greatest) = (bound(values.iter().min()), bound(values.iter().max()));
            let longest = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as u64).max().unwrap_or(0);
            let element = Element::holding(least, greatest);
            let info = ColumnInfo { name, kind: ColumnKind::Ragged { element, longest, least, greatest } };
            let offsets = offsets.iter().flat_map(|offset| (*offset as u64).to_le_bytes()).collect();
            StoredColumn {
                info,
                values: Run::owned(encode_ids(&values, element)),
                offsets: Some(Run::owned(offsets)),
            }
        }
        Column::Dense { values, width } => {
            let info = ColumnInfo { name, kind: ColumnKind::Dense { width } };
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            StoredColumn { info, values: Run::owned(bytes), offsets: None }
        }
    }
}

fn fingerprint(columns: &[StoredColumn]) -> Result<String> {
    let mut digest = Sha256::new();
    for column in columns {
        let info = serde_json::to_vec(&column.info)
            .map_err(|error| DataError::Internal(format!("cannot encode a column: {error}")))?;
        digest.update(&info);
        for run in [Some(&column.values), column.offsets.as_ref()].into_iter().flatten() {
            digest.update((run.bytes.as_slice().len() as u64).to_le_bytes());
            digest.update(run.bytes.as_slice());
        }
    }
    Ok(hex(digest.finalize()))
}
