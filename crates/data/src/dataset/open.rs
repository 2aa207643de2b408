//! Opening a dataset file, and checking every byte of it.

use std::fs::File;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::bytes::Bytes;
use super::header::{Header, HeaderColumn, Section, hex};
use super::stored::{Run, StoredColumn};
use super::{Dataset, Shard};
use crate::{DataError, Result};

impl Dataset {
    /// Maps the dataset file `path`, or the shards in the folder `path`, and checks what is at their heads;
    /// [`Dataset::verify`] checks every byte.
    ///
    /// # Errors
    /// `ERR_DATASET`: foreign, truncated, of another version, with a damaged header, or a shard is missing. `ERR_IO`.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() { Self::open_folder(path) } else { Self::open_file(path) }
    }

    pub(super) fn open_file(path: &Path) -> Result<Self> {
        // Asked before the file is opened: opening a pipe would wait for a writer.
        let metadata = std::fs::metadata(path).map_err(DataError::io("open", path))?;
        if !metadata.is_file() {
            return Err(DataError::dataset(path, "it is not a regular file"));
        }
        let file = File::open(path).map_err(DataError::io("open", path))?;
        let bytes = if metadata.len() == 0 {
            Bytes::default()
        } else {
            Bytes::map(&file).map_err(DataError::io("map", path))?
        };
        Self::decode(&bytes, path.to_owned()).map_err(|problem| DataError::dataset(path, problem))
    }

    fn decode(bytes: &Bytes, path: PathBuf) -> Result<Self, String> {
        let (header, data, fingerprint) = Header::decode(bytes.as_slice())?;
        let samples = usize::try_from(header.samples).map_err(|_| "it has too many samples".to_owned())?;
        let column = |column| stored(bytes, data, column);
        let columns = header.columns.into_iter().map(column).collect::<Result<Vec<_>, String>>()?;
        let shard = Shard { path: Some(path), start: 0, samples, columns, about: header.about };
        Ok(Self::of(shard, fingerprint))
    }

    /// Reads every byte and compares it with the header's checksums. Nothing to do in memory.
    ///
    /// # Errors
    /// `ERR_DATASET`, naming the column that is damaged.
    pub fn verify(&self) -> Result<()> {
        for shard in &self.shards {
            for column in &shard.columns {
                for run in column.runs() {
                    let sound = |sha256: &String| hex(Sha256::digest(run.bytes.as_slice())) == *sha256;
                    if !run.sha256.as_ref().is_none_or(sound) {
                        let problem = format!("the bytes of column `{}` are damaged", column.info.name);
                        return Err(shard.refused(problem));
                    }
                }
            }
        }
        Ok(())
    }
}

fn stored(bytes: &Bytes, data: u64, column: HeaderColumn) -> Result<StoredColumn, String> {
    let run = |section: Section| {
        let part = data.checked_add(section.start).and_then(|start| bytes.part(start, section.bytes));
        let bytes = part.ok_or_else(|| "a section lies outside it".to_owned())?;
        Ok::<_, String>(Run { bytes, sha256: Some(section.sha256) })
    };
    let (values, offsets) = (run(column.values)?, column.offsets.map(run).transpose()?);
    Ok(StoredColumn { info: column.info, values, offsets })
}
