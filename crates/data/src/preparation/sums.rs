//! Checksums of files that have not changed since they were taken: reading gigabytes anew takes seconds each time.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::block;
use crate::{DataError, Result};

/// A file that was written to more recently may have been written to again without a later time.
const SETTLED: Duration = Duration::from_secs(2);
/// Checksums of smaller files are taken anew.
const SMALL: u64 = 16 << 20;

/// What changes when somebody writes to a file or puts another in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    device: u64,
    inode: u64,
    pub(crate) length: u64,
    modified: (i64, i64),
    /// Unlike `modified` nobody can set it.
    changed: (i64, i64),
}

pub(crate) fn version(path: &Path) -> Result<Version> {
    let facts = std::fs::metadata(path).map_err(DataError::io("open", path))?;
    Ok(Version {
        device: facts.dev(),
        inode: facts.ino(),
        length: facts.len(),
        modified: (facts.mtime(), facts.mtime_nsec()),
        changed: (facts.ctime(), facts.ctime_nsec()),
    })
}

/// The checksums that are kept in a folder.
#[derive(Debug)]
pub(crate) struct Sums {
    path: PathBuf,
    sums: BTreeMap<PathBuf, (Version, String)>,
}

impl Sums {
    /// Those that are there; none where they cannot be read, since they only save time.
    pub(crate) fn open(output: &Path) -> Self {
        let path = output.join(".checksums");
        let sums = block::read(&path).ok().flatten().map(|block| block.about).unwrap_or_default();
        Self { path, sums }
    }

    pub(crate) fn get(&self, path: &Path, version: Version) -> Option<String> {
        let path = std::path::absolute(path).ok()?;
        self.sums.get(&path).filter(|(known, _)| *known == version).map(|(_, sum)| sum.clone())
    }

    /// Keeps the checksums of files that are large and have been as they are for a while.
    pub(crate) fn save<'a>(mut self, files: impl Iterator<Item = (&'a Path, Version, &'a str)>) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let settled = |version: &Version| {
            let changed = Duration::from_secs(u64::try_from(version.changed.0).unwrap_or(u64::MAX));
            changed.checked_add(SETTLED).is_some_and(|time| time < now)
        };
        let mut grown = false;
        for (path, version, sum) in
            files.filter(|(_, version, _)| version.length >= SMALL && settled(version))
        {
            let Ok(path) = std::path::absolute(path) else { continue };
            let entry = (version, sum.to_owned());
            grown |= self.sums.insert(path, entry.clone()) != Some(entry);
        }
        if grown {
            self.sums.retain(|path, (known, _)| version(path).is_ok_and(|version| version == *known));
            let _unsaved = block::replace(&self.path, &self.sums);
        }
    }
}
