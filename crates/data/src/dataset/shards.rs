//! Several dataset files that are one dataset: samples are counted through them in order.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::header::hex;
use super::{Dataset, Shard};
use crate::{ColumnInfo, ColumnKind, DataError, Result};

/// What stands for the contents of shards: the fingerprint of the only one, or one of all of theirs.
pub(crate) fn of_shards(fingerprints: &[String]) -> String {
    match fingerprints {
        [only] => only.clone(),
        all => hex(Sha256::digest(all.join("\n"))),
    }
}

impl Dataset {
    /// Maps dataset files as one dataset, in this order.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`: no file. `ERR_DATASET`: as [`Dataset::open`], or shards of different columns.
    pub fn open_shards(paths: &[PathBuf]) -> Result<Self> {
        let mut paths = paths.iter();
        let Some(first) = paths.next() else {
            return Err(DataError::argument("path", "there is no file in the list", "name at least one"));
        };
        let mut whole = Self::open_file(first)?;
        let mut fingerprints = vec![whole.fingerprint.clone()];
        for path in paths {
            let shard = Self::open_file(path)?;
            fingerprints.push(shard.fingerprint.clone());
            whole.append(shard, path)?;
        }
        whole.fingerprint = of_shards(&fingerprints);
        Ok(whole)
    }

    /// Maps the shards that a preparation has put into a folder.
    pub(super) fn open_folder(folder: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(DataError::io("read", folder))? {
            let path = entry.map_err(DataError::io("read", folder))?.path();
            if path.extension().is_some_and(|extension| extension == "dataset") {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(DataError::dataset(
                folder,
                "it is not a regular file, and as a folder it holds no shard (no .dataset file)",
            ));
        }
        let mut whole = Self::open_shards(&paths)?;
        whole.refuse_incomplete(folder, &paths)?;
        whole.path = Some(folder.to_owned());
        Ok(whole)
    }

    /// Shards say which of how many they are.
    fn refuse_incomplete(&self, folder: &Path, paths: &[PathBuf]) -> Result<()> {
        for (index, (shard, path)) in self.shards.iter().zip(paths).enumerate() {
            let about = &shard.about["shard"];
            let Some(count) = about["count"].as_u64() else { continue };
            if count != paths.len() as u64 {
                let problem = format!("it has {} shards of {count}", paths.len());
                return Err(DataError::dataset(folder, problem));
            }
            if about["index"] != index {
                return Err(DataError::dataset(path, format!("it is not shard {index} of its folder")));
            }
        }
        Ok(())
    }

    fn append(&mut self, other: Self, path: &Path) -> Result<()> {
        let fits = self.infos.len() == other.infos.len();
        let joined = self.infos.iter().zip(&other.infos).map(|(one, other)| joined(one, other));
        let Some(infos) = joined.collect::<Option<Vec<_>>>().filter(|_| fits) else {
            return Err(DataError::dataset(path, "its columns are not those of the shard before it"));
        };
        self.infos = infos;
        for shard in other.shards {
            let start = self.samples;
            self.samples += shard.samples;
            self.shards.push(Shard { start, ..shard });
        }
        Ok(())
    }
}

/// A column of two shards; None where they do not fit.
fn joined(one: &ColumnInfo, other: &ColumnInfo) -> Option<ColumnInfo> {
    let kind = match (one.kind, other.kind) {
        (
            ColumnKind::Ragged { element, longest, least, greatest },
            ColumnKind::Ragged { element: same, longest: longer, least: less, greatest: greater },
        ) if element == same => ColumnKind::Ragged {
            element,
            longest: longest.max(longer),
            least: least.min(less),
            greatest: greatest.max(greater),
        },
        (ColumnKind::Dense { width }, ColumnKind::Dense { width: same }) if width == same => one.kind,
        _ => return None,
    };
    (one.name == other.name).then(|| ColumnInfo { name: one.name.clone(), kind })
}
