//! Writing a dataset row by row: each section grows in an unnamed file, then all are joined behind the header.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::header::{Header, HeaderColumn, LONGEST_HEADER, MAGIC, Section, aligned, hex};
use super::replace;
use crate::{ColumnInfo, ColumnKind, DataError, Element, Result, Row};

/// What a column will hold.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnSpec {
    /// Ids below `vocabulary` (and not negative); kept in two bytes each up to 65,536 of them.
    Ragged {
        /// Unique within the dataset.
        name: String,
        /// Ids are below it.
        vocabulary: usize,
    },
    /// Rows of `width` numbers.
    Dense {
        /// Unique within the dataset.
        name: String,
        /// Numbers a row; at least 1.
        width: usize,
    },
}

/// Writes a dataset file row by row; the file appears under its name only when [`DatasetWriter::finish`] returns.
#[derive(Debug)]
pub struct DatasetWriter {
    path: PathBuf,
    columns: Vec<ColumnWriter>,
    samples: u64,
}

#[derive(Debug)]
struct ColumnWriter {
    info: ColumnInfo,
    /// Smallest and greatest id that may be pushed.
    allowed: (i32, i32),
    values: Spill,
    offsets: Option<Spill>,
    tokens: u64,
}

/// A section under way: an unnamed file in the target's folder, and its checksum so far.
#[derive(Debug)]
struct Spill {
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl DatasetWriter {
    /// Starts a dataset that will be `path`.
    ///
    /// # Errors
    /// `ERR_SHAPE`: two columns of one name, a dense width of 0. `ERR_DATASET`: `path` exists and is something else
    /// than a dataset. `ERR_IO`.
    pub fn create(path: &Path, columns: &[ColumnSpec]) -> Result<Self> {
        refuse_foreign(path)?;
        let columns = columns.iter().map(|spec| ColumnWriter::new(path, spec)).collect::<Result<Vec<_>>>()?;
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].iter().any(|other| other.info.name == column.info.name) {
                return Err(DataError::shape(&column.info.name, "two columns have this name"));
            }
        }
        Ok(Self { path: path.to_owned(), columns, samples: 0 })
    }

    /// Starts a file for the columns of a dataset that exists.
    pub(super) fn like(path: &Path, columns: &[ColumnInfo]) -> Result<Self> {
        refuse_foreign(path)?;
        let column = |info: &ColumnInfo| match info.kind {
            ColumnKind::Ragged { element, least, greatest, .. } => {
                let kind = ColumnKind::Ragged { element, longest: 0, least: 0, greatest: 0 };
                ColumnWriter::of_kind(path, &info.name, kind, (least, greatest))
            }
            kind => ColumnWriter::of_kind(path, &info.name, kind, (0, 0)),
        };
        let columns = columns.iter().map(column).collect::<Result<_>>()?;
        Ok(Self { path: path.to_owned(), columns, samples: 0 })
    }

    /// Adds one sample: a row for each column, in the order of the specs.
    ///
    /// # Errors
    /// `ERR_SHAPE`: a row of another kind or width, a missing row, an id outside the vocabulary. `ERR_IO`.
    pub fn push(&mut self, rows: &[Row<'_>]) -> Result<()> {
        if rows.len() != self.columns.len() {
            let reason = format!("{} rows for {} columns", rows.len(), self.columns.len());
            return Err(DataError::shape("*", reason));
        }
        let sample = self.samples;
        self.samples += 1;
        self.columns.iter_mut().zip(rows).try_for_each(|(column, row)| column.push(sample, *row, &self.path))
    }

    /// Samples pushed so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Joins the sections, makes them durable and gives the file its name, replacing an older dataset in one step.
    /// `about` is kept in the header as it is. Returns the dataset's fingerprint.
    ///
    /// # Errors
    /// `ERR_IO`.
    pub fn finish(self, about: serde_json::Value) -> Result<String> {
        let Self { path, columns, samples } = self;
        let mut start = 0;
        let mut described = Vec::new();
        let mut sections = Vec::new();
        for column in columns {
            let values = column.values.close(&mut start, &mut sections, &path)?;
            let offsets =
                column.offsets.map(|spill| spill.close(&mut start, &mut sections, &path)).transpose()?;
            described.push(HeaderColumn { info: column.info, values, offsets });
        }
        let header = Header { samples, columns: described, about };
        let (head, fingerprint) = header
            .encode()
            .map_err(|error| DataError::Internal(format!("cannot encode a header: {error}")))?;
        if head.len() > LONGEST_HEADER {
            return Err(DataError::shape("*", format!("a header of {} bytes is too long", head.len())));
        }
        replace::file(&path, |file| {
            file.write_all(&head)?;
            sections.into_iter().try_for_each(|section| join(section, file))
        })?;
        Ok(fingerprint)
    }
}

/// Copies one section and pads the section before it.
fn join((mut section, gap): (File, u64), file: &mut BufWriter<&File>) -> std::io::Result<()> {
    file.write_all(&vec![0; gap as usize])?;
    section.seek(SeekFrom::Start(0))?;
    std::io::copy(&mut BufReader::with_capacity(1 << 20, section), file).map(drop)
}

impl ColumnWriter {
    fn new(path: &Path, spec: &ColumnSpec) -> Result<Self> {
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
    fn of_kind(path: &Path, name: &str, kind: ColumnKind, allowed: (i32, i32)) -> Result<Self> {
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

    fn push(&mut self, sample: u64, row: Row<'_>, path: &Path) -> Result<()> {
        let name = &self.info.name;
        match (&mut self.info.kind, row, &mut self.offsets) {
            (ColumnKind::Ragged { element, longest, least, greatest }, Row::Ragged(ids), Some(offsets)) => {
                let (low, high) = self.allowed;
                if let Some(id) = ids.iter().find(|id| !(low..=high).contains(*id)) {
                    return Err(DataError::shape(
                        name,
                        format!("id {id} of sample {sample} is not in {low}..={high}"),
                    ));
                }
                if let (Some(&first), Some(&last)) = (ids.iter().min(), ids.iter().max()) {
                    let seen = self.tokens > 0;
                    *least = if seen { first.min(*least) } else { first };
                    *greatest = if seen { last.max(*greatest) } else { last };
                }
                *longest = (*longest).max(ids.len() as u64);
                self.tokens += ids.len() as u64;
                self.values.write(&encode_ids(ids, *element), path)?;
                offsets.write(&self.tokens.to_le_bytes(), path)
            }
            (ColumnKind::Dense { width }, Row::Dense(numbers), _) if numbers.len() == *width => {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                self.values.write(&bytes, path)
            }
            (ColumnKind::Dense { width }, Row::Dense(numbers), _) => {
                let found = numbers.len();
                Err(DataError::shape(
                    name,
                    format!("sample {sample} has {found} numbers, the width is {width}"),
                ))
            }
            _ => Err(DataError::shape(name, format!("sample {sample} has a row of the other kind"))),
        }
    }
}

/// Little-endian ids; the caller has checked that the element holds them.
pub(crate) fn encode_ids(ids: &[i32], element: Element) -> Vec<u8> {
    match element {
        Element::U16 => ids.iter().flat_map(|id| (*id as u16).to_le_bytes()).collect(),
        Element::I32 => ids.iter().flat_map(|id| id.to_le_bytes()).collect(),
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
    fn close(self, start: &mut u64, sections: &mut Vec<(File, u64)>, path: &Path) -> Result<Section> {
        let file =
            self.file.into_inner().map_err(|error| DataError::io("write", path)(error.into_error()))?;
        let place = aligned(*start);
        sections.push((file, place - *start));
        *start = place + self.bytes;
        Ok(Section { start: place, bytes: self.bytes, sha256: hex(self.digest.finalize()) })
    }
}

/// Whatever lies at `path` and is not a dataset stays.
fn refuse_foreign(path: &Path) -> Result<()> {
    let mut start = Vec::new();
    match File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start)) {
        Ok(_) if start == MAGIC => Ok(()),
        Ok(_) => Err(DataError::Dataset {
            path: path.to_owned(),
            problem: "it exists and is not a dataset, so it is not overwritten".into(),
            remedy: "choose another name or move it away".into(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DataError::io("open", path)(error)),
    }
}
