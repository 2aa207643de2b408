//! Samples that do not change: in memory, or in a memory-mapped file that is refused by name unless it is whole.

mod bytes;
pub(crate) mod header;
pub(crate) mod replace;
mod stored;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use self::bytes::Bytes;
use self::header::{Header, Section, hex};
use self::stored::StoredColumn;
use self::writer::encode_ids;
pub use self::writer::{ColumnSpec, DatasetWriter};
use crate::{Batch, Column, ColumnInfo, ColumnKind, DataError, Element, LoaderState, Result};

/// Samples with named columns, read-only and cheap to share.
#[derive(Debug)]
pub struct Dataset {
    path: Option<PathBuf>,
    columns: Vec<StoredColumn>,
    infos: Vec<ColumnInfo>,
    sections: Vec<(String, Section, Bytes)>,
    samples: usize,
    about: serde_json::Value,
    fingerprint: String,
}

impl Dataset {
    /// Maps the dataset file `path` and checks its head; [`Dataset::verify`] checks every byte.
    ///
    /// # Errors
    /// `ERR_DATASET`: foreign, truncated, of another version, or with a damaged header. `ERR_IO`.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(DataError::io("open", path))?;
        let metadata = file.metadata().map_err(DataError::io("read", path))?;
        if !metadata.is_file() {
            return Err(DataError::dataset(path, "it is not a regular file"));
        }
        if metadata.len() == 0 {
            return Err(DataError::dataset(path, "it is empty"));
        }
        let bytes = Bytes::map(&file).map_err(DataError::io("map", path))?;
        let (header, data, fingerprint) =
            Header::decode(bytes.as_slice()).map_err(|problem| DataError::dataset(path, problem))?;
        let part = |section: &Section| {
            let part = data.checked_add(section.start).and_then(|start| bytes.part(start, section.bytes));
            part.ok_or_else(|| DataError::dataset(path, "a section lies outside it"))
        };
        let mut sections = Vec::new();
        let mut columns = Vec::new();
        for column in header.columns {
            let values = part(&column.values)?;
            sections.push((column.info.name.clone(), column.values, values.clone()));
            let offsets =
                column.offsets.map(|section| part(&section).map(|bytes| (section, bytes))).transpose()?;
            let offsets = offsets.map(|(section, bytes)| {
                sections.push((column.info.name.clone(), section, bytes.clone()));
                bytes
            });
            columns.push(StoredColumn { info: column.info, values, offsets });
        }
        let samples = usize::try_from(header.samples)
            .map_err(|_| DataError::dataset(path, format!("{} samples are too many here", header.samples)))?;
        let infos = columns.iter().map(|column| column.info.clone()).collect();
        Ok(Self {
            path: Some(path.to_owned()),
            columns,
            infos,
            sections,
            samples,
            about: header.about,
            fingerprint,
        })
    }

    /// A dataset in memory.
    ///
    /// # Errors
    /// `ERR_SHAPE`: no column, two of one name, columns of different numbers of samples, buffers that do not fit.
    pub fn from_columns(columns: Vec<(String, Column)>) -> Result<Self> {
        let samples = validate(&columns)?;
        let mut digest = Sha256::new();
        let columns: Vec<_> = columns.into_iter().map(|(name, column)| store(name, column)).collect();
        for column in &columns {
            let info = serde_json::to_vec(&column.info)
                .map_err(|error| DataError::Internal(format!("cannot encode a column: {error}")))?;
            digest.update(&info);
            digest.update(column.values.as_slice());
            digest.update(column.offsets.as_ref().map_or(&[][..], Bytes::as_slice));
        }
        let infos = columns.iter().map(|column| column.info.clone()).collect();
        let fingerprint = hex(digest.finalize());
        let about = serde_json::Value::Null;
        Ok(Self { path: None, columns, infos, sections: Vec::new(), samples, about, fingerprint })
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

    fn damaged(&self, column: &StoredColumn, index: u64) -> DataError {
        let problem = format!("row {index} of column `{}` contradicts the header", column.info.name);
        DataError::dataset(self.path().unwrap_or(Path::new("(memory)")), problem)
    }

    /// Ids in every row of column `index`.
    pub(crate) fn lengths(&self, index: usize) -> Result<Vec<u32>> {
        let column = &self.columns[index];
        let length = |sample| column.length(sample).and_then(|length| u32::try_from(length).ok());
        (0..self.samples)
            .map(|sample| length(sample).ok_or_else(|| self.damaged(column, sample as u64)))
            .collect()
    }

    /// Reads every byte and compares it with the header's checksums. Nothing to do in memory.
    ///
    /// # Errors
    /// `ERR_DATASET`, naming the column that is damaged.
    pub fn verify(&self) -> Result<()> {
        for (name, section, bytes) in &self.sections {
            if hex(Sha256::digest(bytes.as_slice())) != section.sha256 {
                let path = self.path().unwrap_or(Path::new("(memory)"));
                return Err(DataError::dataset(path, format!("the bytes of column `{name}` are damaged")));
            }
        }
        Ok(())
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
    let owned = |bytes: Vec<u8>| Bytes::Owned(Arc::new(bytes));
    match column {
        Column::Ragged { values, offsets } => {
            let (least, greatest) = (values.iter().min().copied(), values.iter().max().copied());
            let (least, greatest) = (least.unwrap_or(0), greatest.unwrap_or(0));
            let longest = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as u64).max().unwrap_or(0);
            let element = Element::holding(least, greatest);
            let info = ColumnInfo { name, kind: ColumnKind::Ragged { element, longest, least, greatest } };
            let offsets = offsets.iter().flat_map(|offset| (*offset as u64).to_le_bytes()).collect();
            StoredColumn { info, values: owned(encode_ids(&values, element)), offsets: Some(owned(offsets)) }
        }
        Column::Dense { values, width } => {
            let info = ColumnInfo { name, kind: ColumnKind::Dense { width } };
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            StoredColumn { info, values: owned(bytes), offsets: None }
        }
    }
}
