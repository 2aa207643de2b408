//! Samples that do not change: in memory, or in a memory-mapped file that is refused by name unless it is whole.

mod bytes;
mod column_writer;
pub(crate) mod header;
mod memory;
mod open;
pub(crate) mod replace;
mod stored;
mod writer;

use std::path::{Path, PathBuf};

use self::stored::StoredColumn;
pub use self::writer::{ColumnSpec, DatasetWriter};
use crate::{Batch, Column, ColumnInfo, DataError, LoaderState, Result};

/// Samples with named columns, read-only and cheap to share.
#[derive(Debug)]
pub struct Dataset {
    path: Option<PathBuf>,
    columns: Vec<StoredColumn>,
    infos: Vec<ColumnInfo>,
    samples: usize,
    about: serde_json::Value,
    fingerprint: String,
}

impl Dataset {
    /// What is read from these columns; the caller fills in the rest.
    fn of(columns: Vec<StoredColumn>) -> Self {
        let infos = columns.iter().map(|column| column.info.clone()).collect();
        Self {
            path: None,
            columns,
            infos,
            samples: 0,
            about: serde_json::Value::Null,
            fingerprint: String::new(),
        }
    }

    /// Samples.
    pub fn len(&self) -> usize {
        self.samples
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Names and kinds of the columns, in order.
    pub fn columns(&self) -> &[ColumnInfo] {
        &self.infos
    }

    /// The file, or None in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What the writer said of the data; null in memory.
    pub fn about(&self) -> &serde_json::Value {
        &self.about
    }

    /// SHA-256 that stands for the contents, in hexadecimal: of the header for a file, of the bytes in memory.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// One sample: every column with one row.
    ///
    /// # Errors
    /// As [`Dataset::gather`].
    pub fn sample(&self, index: usize) -> Result<Vec<(String, Column)>> {
        self.gather(&[index as u64])
    }

    /// The samples `indices` side by side: every column with one row an index.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: an index past the end. `ERR_DATASET`: the file's bytes contradict its header.
    pub fn gather(&self, indices: &[u64]) -> Result<Vec<(String, Column)>> {
        if let Some(index) = indices.iter().find(|index| **index >= self.samples as u64) {
            let reason = format!("there is no sample {index}, the dataset has {}", self.samples);
            return Err(DataError::argument("index", reason, "count from 0"));
        }
        self.columns.iter().map(|column| self.gather_column(column, indices)).collect()
    }

    /// The samples `indices` as a batch outside any loader's order.
    ///
    /// # Errors
    /// As [`Dataset::gather`].
    pub fn batch(&self, indices: Vec<u64>) -> Result<Batch> {
        let columns = self.gather(&indices)?;
        let samples = indices.len();
        let tokens = Batch::count_tokens(&columns, samples);
        let (position, next) = (LoaderState::default(), LoaderState::default());
        Ok(Batch { columns, samples, tokens, position, next, indices })
    }

    fn gather_column(&self, column: &StoredColumn, indices: &[u64]) -> Result<(String, Column)> {
        let mut rows = column.empty(indices.len());
        for &index in indices {
            column.append(index as usize, &mut rows).ok_or_else(|| self.damaged(column, index))?;
        }
        Ok((column.info.name.clone(), rows))
    }

    fn refused(&self, problem: String) -> DataError {
        DataError::dataset(self.path().unwrap_or(Path::new("(memory)")), problem)
    }

    fn damaged(&self, column: &StoredColumn, index: u64) -> DataError {
        self.refused(format!("row {index} of column `{}` contradicts the header", column.info.name))
    }

    /// Ids in every row of column `index`.
    pub(crate) fn lengths(&self, index: usize) -> Result<Vec<u32>> {
        let column = &self.columns[index];
        let length = |sample| column.length(sample).and_then(|length| u32::try_from(length).ok());
        (0..self.samples)
            .map(|sample| length(sample).ok_or_else(|| self.damaged(column, sample as u64)))
            .collect()
    }

    /// Writes the dataset to `path`, durable and under its name in one step; an older dataset there is replaced.
    ///
    /// # Errors
    /// `ERR_DATASET`: `path` is something else than a dataset. `ERR_IO`.
    pub fn write(&self, path: &Path, about: serde_json::Value) -> Result<()> {
        let mut writer = DatasetWriter::like(path, &self.infos)?;
        for index in 0..self.samples {
            let columns = self.sample(index)?;
            let rows: Option<Vec<_>> = columns.iter().map(|(_, column)| column.row(0)).collect();
            writer.push(&rows.ok_or_else(|| DataError::Internal("a gathered row is missing".into()))?)?;
        }
        writer.finish(about).map(drop)
    }
}
