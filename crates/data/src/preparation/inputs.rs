//! The files of a preparation: their checksums, and whether they are still what they were.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::Watch;
use super::sums::{Sums, Version, version};
use super::watch::{look, share};
use crate::dataset::header::hex;
use crate::parallel::ordered;
use crate::text::open;
use crate::{DataError, Result};

/// A file that was read for its checksum.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    pub(crate) sha256: String,
    path: PathBuf,
    version: Version,
}

impl InputFile {
    /// Bytes on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.version.length
    }

    /// Fails where the file is no longer the one whose checksum was taken.
    pub(crate) fn refuse_changed(&self) -> Result<()> {
        if version(&self.path)? == self.version {
            return Ok(());
        }
        Err(DataError::Corpus {
            path: self.path.clone(),
            line: None,
            reason: "it was changed while it was being prepared".into(),
            remedy: "prepare again once it is complete".into(),
        })
    }
}

/// The checksums of all files, taken side by side; `output` keeps those of large ones.
pub(crate) fn inputs(
    paths: &[&Path],
    output: &Path,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<InputFile>> {
    let known = Sums::open(output);
    let mut versions = Vec::new();
    for path in paths {
        versions.push(version(path)?);
    }
    let whole: u64 = versions.iter().map(|version| version.length).sum();
    let read = AtomicU64::new(0);
    let sum = |index: usize| {
        let (path, version) = (paths[index], versions[index]);
        let sha256 = match known.get(path, version) {
            Some(sha256) => sha256,
            None => checksum(path, |bytes| {
                let done = read.fetch_add(bytes, Ordering::Relaxed) + bytes;
                look(watch, "checksum", 0, share(done, whole))
            })?,
        };
        Ok(InputFile { sha256, path: path.to_owned(), version })
    };
    let mut files = Vec::new();
    ordered(
        threads,
        (0..paths.len()).map(Ok),
        || sum,
        |file| {
            files.push(file);
            Ok(())
        },
    )?;
    known.save(files.iter().map(|file| (file.path.as_path(), file.version, file.sha256.as_str())));
    Ok(files)
}

/// SHA-256 of a file as it lies on the disk, in hexadecimal; `look` is told of the bytes as they are read.
pub(crate) fn checksum(path: &Path, mut look: impl FnMut(u64) -> Result<()>) -> Result<String> {
    let mut file = open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(digest.finalize())),
            Ok(read) => {
                digest.update(&buffer[..read]);
                look(read as u64)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(DataError::io("read", path)(error)),
        }
    }
}
