//! Samples that do not change: in memory, or in memory-mapped files that are refused by name unless they are whole.

mod bytes;
mod column_writer;
pub(crate) mod header;
mod memory;
mod open;
pub(crate) mod replace;
mod shards;
pub(crate) mod stored;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub(crate) use self::shards::of_shards;
use self::stored::StoredColumn;
pub use self::writer::{ColumnSpec, DatasetWriter};
use crate::{Batch, Column, ColumnInfo, DataError, LoaderState, Result};

/// Samples with named columns, read-only and cheap to share.
#[derive(Debug)]
pub struct Dataset {
    path: Option<PathBuf>,
    infos: Vec<ColumnInfo>,
    samples: usize,
    shards: Vec<Shard>,
    fingerprint: String,
}

/// Samples that lie together: a file, or all there are in memory.
#[derive(Debug)]
struct Shard {
    path: Option<PathBuf>,
    /// Samples before it.
    start: usize,
    samples: usize,
    columns: Vec<StoredColumn>,
    about: serde_json::Value,
}

impl Dataset {
    fn of(shard: Shard, fingerprint: String) -> Self {
        let infos = shard.columns.iter().map(|column| column.info.clone()).collect();
        Self { path: shard.path.clone(), infos, samples: shard.samples, shards: vec![shard], fingerprint }
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

    /// The file, the folder of its shards, the first file of a list, or None in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What the writer said of the data (of shards, the first one's); null in memory.
    pub fn about(&self) -> &serde_json::Value {
        self.shards.first().map_or(&serde_json::Value::Null, |shard| &shard.about)
    }

    /// SHA-256 that stands for the contents, in hexadecimal: of the header for a file, of the bytes in memory.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The samples of each file, in order.
    pub(crate) fn shards(&self) -> Vec<Range<usize>> {
        self.shards.iter().map(|shard| shard.start..shard.start + shard.samples).collect()
    }

    /// Bytes of all columns.
    pub(crate) fn bytes(&self) -> u64 {
        let runs = self.shards.iter().flat_map(|shard| &shard.columns).flat_map(StoredColumn::runs);
        runs.map(|run| run.bytes.as_slice().len() as u64).sum()
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
        (0..self.infos.len()).map(|column| self.gather_column(column, indices)).collect()
    }

    /// All samples of the column `name`, without reading the others; None where there is no such column.
    ///
    /// # Errors
    /// `ERR_DATASET`: the file's bytes contradict its header.
    pub fn column(&self, name: &str) -> Result<Option<Column>> {
        let Some(index) = self.infos.iter().position(|info| info.name == name) else { return Ok(None) };
        let all: Vec<u64> = (0..self.samples as u64).collect();
        self.gather_column(index, &all).map(|(_, column)| Some(column))
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

    /// The shard that sample `index` lies in.
    pub(crate) fn shard_of(&self, index: usize) -> usize {
        self.shards.partition_point(|shard| shard.start <= index).saturating_sub(1)
    }

    fn gather_column(&self, column: usize, indices: &[u64]) -> Result<(String, Column)> {
        let info = &self.infos[column];
        let mut rows = info.empty(indices.len());
        for &index in indices {
            let shard = &self.shards[self.shard_of(index as usize)];
            let stored = &shard.columns[column];
            let appended = stored.append(index as usize - shard.start, &mut rows);
            appended.ok_or_else(|| shard.damaged(stored, index))?;
        }
        Ok((info.name.clone(), rows))
    }

    /// Hands over the number of ids in every row of column `index`, in order.
    pub(crate) fn each_length(
        &self,
        index: usize,
        mut take: impl FnMut(usize, u32) -> Result<()>,
    ) -> Result<()> {
        for shard in &self.shards {
            let column = &shard.columns[index];
            for row in 0..shard.samples {
                let sample = shard.start + row;
                let length = column.length(row).and_then(|length| u32::try_from(length).ok());
                take(sample, length.ok_or_else(|| shard.damaged(column, sample as u64))?)?;
            }
        }
        Ok(())
    }

    /// Tells the kernel that shard `index` is about to be read, from a time on when others are.
    pub(crate) fn will_need(&self, index: usize) {
        let runs = self.shards.get(index).into_iter().flat_map(|shard| &shard.columns);
        runs.flat_map(StoredColumn::runs).for_each(|run| run.bytes.will_need());
    }

    /// Tells the kernel that shard `index` has been read.
    pub(crate) fn read_through(&self, index: usize) {
        let runs = self.shards.get(index).into_iter().flat_map(|shard| &shard.columns);
        runs.flat_map(StoredColumn::runs).for_each(|run| run.bytes.read_through());
    }

    /// Writes the dataset to one file, durable and under its name in one step; an older dataset there is replaced.
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

impl Shard {
    fn refused(&self, problem: String) -> DataError {
        DataError::dataset(self.path.as_deref().unwrap_or(Path::new("(memory)")), problem)
    }

    fn damaged(&self, column: &StoredColumn, index: u64) -> DataError {
        self.refused(format!("row {index} of column `{}` contradicts the header", column.info.name))
    }
}
