//! Writing a dataset row by row: each section grows in an unnamed file, then all are joined behind the header.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::column_writer::ColumnWriter;
use super::header::{Header, HeaderColumn, LONGEST_HEADER, MAGIC};
use super::replace;
use crate::{ColumnInfo, ColumnKind, DataError, Result, Row};

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
