//! A column as it lies in a file: little-endian values and, for ragged rows, u64 offsets.

use std::sync::Arc;

use super::bytes::Bytes;
use crate::{Column, ColumnInfo, ColumnKind, Element};

/// Bytes, with the checksum that a file's header has for them.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) bytes: Bytes,
    pub(crate) sha256: Option<String>,
}

impl Run {
    pub(crate) fn owned(bytes: Vec<u8>) -> Self {
        Self { bytes: Bytes::Owned(Arc::new(bytes)), sha256: None }
    }
}

/// One column of a dataset, in memory or mapped.
#[derive(Debug, Clone)]
pub(crate) struct StoredColumn {
    pub(crate) info: ColumnInfo,
    pub(crate) values: Run,
    /// `[samples + 1]` u64, counted in ids; None for dense rows.
    pub(crate) offsets: Option<Run>,
}

impl StoredColumn {
    /// Its bytes.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        [Some(&self.values), self.offsets.as_ref()].into_iter().flatten()
    }

    /// Where row `sample` lies among the ids; None where the file's offsets point outside it.
    fn range(&self, sample: usize) -> Option<std::ops::Range<usize>> {
        let (entries, _) = self.offsets.as_ref()?.bytes.as_slice().as_chunks::<8>();
        let at = |index: usize| usize::try_from(u64::from_le_bytes(*entries.get(index)?)).ok();
        let range = at(sample)?..at(sample + 1)?;
        (range.start <= range.end).then_some(range)
    }

    /// Ids in row `sample`, the width for dense rows.
    pub(crate) fn length(&self, sample: usize) -> Option<usize> {
        match self.info.kind {
            ColumnKind::Ragged { .. } => self.range(sample).map(|range| range.len()),
            ColumnKind::Dense { width } => Some(width),
        }
    }

    /// Appends row `sample` to `column`, made by [`ColumnInfo::empty`]. None: the bytes are not what the header
    /// says, be it offsets that point outside or an id out of its range.
    pub(crate) fn append(&self, sample: usize, column: &mut Column) -> Option<()> {
        match (self.info.kind, column) {
            (ColumnKind::Ragged { element, least, greatest, .. }, Column::Ragged { values, offsets }) => {
                let start = values.len();
                read_ids(self.values.bytes.as_slice(), element, self.range(sample)?, values)?;
                offsets.push(values.len() as i64);
                values[start..].iter().all(|id| (least..=greatest).contains(id)).then_some(())
            }
            (ColumnKind::Dense { width }, Column::Dense { values, .. }) => {
                let (rows, _) = self.values.bytes.as_slice().as_chunks::<4>();
                let row = rows.get(sample.checked_mul(width)?..(sample + 1).checked_mul(width)?)?;
                values.extend(row.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                Some(())
            }
            _ => None,
        }
    }
}

/// Appends the ids `range` of little-endian bytes; None where they are fewer.
pub(crate) fn read_ids(
    bytes: &[u8],
    element: Element,
    range: std::ops::Range<usize>,
    into: &mut Vec<i32>,
) -> Option<()> {
    match element {
        Element::U16 => {
            let ids = bytes.as_chunks::<2>().0.get(range)?;
            into.extend(ids.iter().map(|id| i32::from(u16::from_le_bytes(*id))));
        }
        Element::I32 => {
            let ids = bytes.as_chunks::<4>().0.get(range)?;
            into.extend(ids.iter().map(|id| i32::from_le_bytes(*id)));
        }
    }
    Some(())
}

/// Little-endian ids; the caller has checked that the element holds them.
pub(crate) fn encode_ids(ids: &[i32], element: Element) -> Vec<u8> {
    match element {
        Element::U16 => ids.iter().flat_map(|id| (*id as u16).to_le_bytes()).collect(),
        Element::I32 => ids.iter().flat_map(|id| id.to_le_bytes()).collect(),
    }
}
