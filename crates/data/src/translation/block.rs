//! What a preparation keeps of a stage that is done: files of a line of JSON and a body. One that was torn, by a kill or
//! a loss of power, is noticed by its checksum and made again, so none needs to wait for the disk.

use std::io::Write;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{DataError, Result};

#[derive(Serialize, Deserialize)]
struct Head<T> {
    bytes: u64,
    crc32: u32,
    about: T,
}

/// A file that was read whole.
#[derive(Debug)]
pub(crate) struct Block<T> {
    pub(crate) about: T,
    file: Vec<u8>,
    start: usize,
}

impl<T> Block<T> {
    pub(crate) fn body(&self) -> &[u8] {
        &self.file[self.start..]
    }
}

/// Writes a block through a temporary name; nobody else may write the same one.
pub(crate) fn write<T: Serialize>(path: &Path, about: &T, body: &[u8]) -> Result<()> {
    let head = Head { bytes: body.len() as u64, crc32: crc32fast::hash(body), about };
    let line = serde_json::to_string(&head)
        .map_err(|error| DataError::Internal(format!("cannot encode {}: {error}", path.display())))?;
    let temporary = path.with_extension("tmp");
    let fill = |mut file: std::fs::File| {
        writeln!(file, "{line}")?;
        file.write_all(body)
    };
    std::fs::File::create(&temporary).and_then(fill).map_err(DataError::io("write", &temporary))?;
    std::fs::rename(&temporary, path).map_err(DataError::io("rename into place", path))
}

/// Reads a block; None where there is none, or not all of it.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<Block<T>>> {
    let file = match std::fs::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DataError::io("read", path)(error)),
    };
    let Some(end) = file.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let Ok(head) = serde_json::from_slice::<Head<T>>(&file[..end]) else { return Ok(None) };
    let start = end + 1;
    let body = &file[start..];
    if body.len() as u64 != head.bytes || crc32fast::hash(body) != head.crc32 {
        return Ok(None);
    }
    Ok(Some(Block { about: head.about, file, start }))
}

/// Reads a block that this preparation has written before.
pub(crate) fn expect<T: DeserializeOwned>(path: &Path) -> Result<Block<T>> {
    read(path)?.ok_or_else(|| DataError::Dataset {
        path: path.to_owned(),
        problem: "it is damaged or gone while it is needed".into(),
        remedy: "prepare again: what is whole is used".into(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_block_comes_back_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.block");
        assert!(read::<u32>(&path).unwrap().is_none());
        write(&path, &7, b"body\n\n").unwrap();
        let block = read::<u32>(&path).unwrap().unwrap();
        assert_eq!((block.about, block.body()), (7, b"body\n\n".as_slice()));
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read::<u32>(&path).unwrap().is_none(), "{length}");
        }
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() = b'x';
        std::fs::write(&path, changed).unwrap();
        assert!(read::<u32>(&path).unwrap().is_none());
        assert_eq!(expect::<u32>(&path).unwrap_err().code(), "ERR_DATASET");
    }
}
