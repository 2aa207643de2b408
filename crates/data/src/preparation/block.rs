//! What a preparation keeps of a stage that is done: files of a line with their checksum, a line of JSON and a body. One
//! that was torn, by a kill or a loss of power, is noticed by its checksum and made again, so none needs to wait for the
//! disk.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dataset::replace;
use crate::{DataError, Result};

/// Begins every block; another number makes what an earlier version has left be made again.
const TAG: &str = "sagetrain-block-2";

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

/// The two lines that stand before `body`.
fn head<T: Serialize>(path: &Path, about: &T, body: &[u8]) -> Result<String> {
    let about = serde_json::to_string(about)
        .map_err(|error| DataError::Internal(format!("cannot encode {}: {error}", path.display())))?;
    let mut sum = crc32fast::Hasher::new();
    [about.as_bytes(), b"\n", body].into_iter().for_each(|bytes| sum.update(bytes));
    Ok(format!("{TAG} {:08x} {}\n{about}\n", sum.finalize(), about.len() + 1 + body.len()))
}

/// Writes a block through a temporary name. Nobody else may write the same one: a work folder is locked.
pub(crate) fn write<T: Serialize>(path: &Path, about: &T, body: &[u8]) -> Result<()> {
    let head = head(path, about, body)?;
    let temporary = path.with_extension("tmp");
    let fill = |mut file: std::fs::File| {
        file.write_all(head.as_bytes())?;
        file.write_all(body)
    };
    std::fs::File::create(&temporary).and_then(fill).map_err(DataError::io("write", &temporary))?;
    std::fs::rename(&temporary, path).map_err(DataError::io("rename into place", path))
}

/// Writes a block without a body where others may do the same at the same time; durable.
pub(crate) fn replace<T: Serialize>(path: &Path, about: &T) -> Result<()> {
    let head = head(path, about, &[])?;
    replace::file(path, |file| file.write_all(head.as_bytes()))
}

/// Reads a block; None where there is none, or not all of it.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<Block<T>>> {
    let file = match std::fs::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DataError::io("read", path)(error)),
    };
    let Some((about, start)) = understood(&file) else { return Ok(None) };
    Ok(Some(Block { about, file, start }))
}

/// What a block is about and where its body starts; None where it is not what its checksum says.
fn understood<T: DeserializeOwned>(file: &[u8]) -> Option<(T, usize)> {
    let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n');
    let first = line(file)?;
    let mut fields = std::str::from_utf8(&file[..first]).ok()?.split(' ');
    let (tag, sum, length) = (fields.next()?, fields.next()?, fields.next()?);
    let rest = &file[first + 1..];
    let whole = tag == TAG
        && length.parse() == Ok(rest.len())
        && u32::from_str_radix(sum, 16) == Ok(crc32fast::hash(rest));
    let end = line(rest).filter(|_| whole)?;
    Some((serde_json::from_slice(&rest[..end]).ok()?, first + 1 + end + 1))
}

/// Reads a block that this preparation has written before.
pub(crate) fn expect<T: DeserializeOwned>(path: &Path) -> Result<Block<T>> {
    read(path)?.ok_or_else(|| DataError::Dataset {
        path: path.to_owned(),
        problem: "it is damaged or gone while it is needed".into(),
        remedy: "prepare again: what is whole is used".into(),
    })
}

/// A block whose checksum is right and whose body is not what this version writes.
pub(crate) fn foreign(path: &Path) -> DataError {
    DataError::Internal(format!("{} does not hold what its checksum says", path.display()))
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
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert!(read::<u32>(&path).unwrap().is_none(), "{at}");
        }
        assert_eq!(expect::<u32>(&path).unwrap_err().code(), "ERR_DATASET");
    }
}
