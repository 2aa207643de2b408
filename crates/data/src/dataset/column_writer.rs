//! One column of a dataset under way: its sections grow in unnamed files, which end with their process.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::header::{Section, aligned, hex};
use super::replace;
use super::stored::encode_ids;
use super::writer::ColumnSpec;
use crate::{ColumnInfo, ColumnKind, DataError, Element, Result, Row};

#[derive(Debug)]
pub(super) struct ColumnWriter {
    pub(super) info: ColumnInfo,
    /// Smallest and greatest id that may be pushed.
    allowed: (i32, i32),
    pub(super) values: Spill,
    pub(super) offsets: Option<Spill>,
    tokens: u64,
}

/// A section under way: an unnamed file in the target's folder, and its checksum so far.
#[derive(Debug)]
pub(super) struct Spill {
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl ColumnWriter {
    pub(super) fn new(path: &Path, spec: &ColumnSpec) -> Result<Self> {
        let (name, kind, allowed) = match spec {
            ColumnSpec::Ragged { name, vocabulary } => {
                let greatest = i32::try_from(vocabulary.saturating_sub(1)).map_err(|_| {
                    DataError::shape(name, format!("a vocabulary of {vocabulary} is too large"))
                })?;
                let element = Element::holding(0, greatest);
                (name, ColumnKind::Ragged { element, longest: 0, least: 0, greatest: 0 }, (0, greatest))
            }
            ColumnSpec::Dense { name, width: 0 } => {
                return Err(DataError::shape(name, "width is 0; a row has at least one number"));
            }
            ColumnSpec::Dense { name, width } => (name, ColumnKind::Dense { width: *width }, (0, 0)),
        };
        Self::of_kind(path, name, kind, allowed)
    }

    /// A column whose ids lie in `allowed`, which the element of `kind` holds.
    pub(super) fn of_kind(path: &Path, name: &str, kind: ColumnKind, allowed: (i32, i32)) -> Result<Self> {
        let offsets = match kind {
            ColumnKind::Ragged { .. } => {
                let mut offsets = Spill::new(path)?;
                offsets.write(&0u64.to_le_bytes(), path)?;
                Some(offsets)
            }
            ColumnKind::Dense { .. } => None,
        };
        let info = ColumnInfo { name: name.to_owned(), kind };
        Ok(Self { info, allowed, values: Spill::new(path)?, offsets, tokens: 0 })
    }

    pub(super) fn push(&mut self, sample: u64, row: Row<'_>, path: &Path) -> Result<()> {
        match (&mut self.info.kind, row) {
            (ColumnKind::Ragged { .. }, Row::Ragged(ids)) => self.push_ids(sample, ids, path),
            (ColumnKind::Dense { width }, Row::Dense(numbers)) if numbers.len() == *width => {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                self.values.write(&bytes, path)
            }
            (ColumnKind::Dense { width }, Row::Dense(numbers)) => {
                let reason = format!("sample {sample} has {} numbers, the width is {width}", numbers.len());
                Err(DataError::shape(&self.info.name, reason))
            }
            _ => {
                Err(DataError::shape(&self.info.name, format!("sample {sample} has a row of the other kind")))
            }
        }
    }

    fn push_ids(&mut self, sample: u64, ids: &[i32], path: &Path) -> Result<()> {
        let (low, high) = self.allowed;
        if let Some(id) = ids.iter().find(|id| !(low..=high).contains(*id)) {
            let reason = format!("id {id} of sample {sample} is not in {low}..={high}");
            return Err(DataError::shape(&self.info.name, reason));
        }
        let ColumnKind::Ragged { element, longest, least, greatest } = &mut self.info.kind else {
            return Ok(());
        };
        if let (Some(&first), Some(&last)) = (ids.iter().min(), ids.iter().max()) {
            let before = if self.tokens > 0 { (*least, *greatest) } else { (first, last) };
            (*least, *greatest) = (first.min(before.0), last.max(before.1));
        }
        *longest = (*longest).max(ids.len() as u64);
        self.tokens += ids.len() as u64;
        self.values.write(&encode_ids(ids, *element), path)?;
        self.offsets.as_mut().map_or(Ok(()), |offsets| offsets.write(&self.tokens.to_le_bytes(), path))
    }
}

impl Spill {
    fn new(path: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(replace::folder_of(path))
            .map_err(DataError::io("make a file beside", path))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 16, file), digest: Sha256::new(), bytes: 0 })
    }

    fn write(&mut self, bytes: &[u8], path: &Path) -> Result<()> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(DataError::io("write", path))
    }

    /// Ends the section at the next aligned place after `start`, and notes its file with the gap before it.
    pub(super) fn close(
        self,
        start: &mut u64,
        sections: &mut Vec<(File, u64)>,
        path: &Path,
    ) -> Result<Section> {
        let file =
            self.file.into_inner().map_err(|error| DataError::io("write", path)(error.into_error()))?;
        let place = aligned(*start);
        sections.push((file, place - *start));
        *start = place + self.bytes;
        Ok(Section { start: place, bytes: self.bytes, sha256: hex(self.digest.finalize()) })
    }
}
