//! fairseq's `MMapIndexedDataset`: rows of ids in `PREFIX.bin`, their lengths and places in `PREFIX.idx`.
//!
//! The index is `MMIDIDX\0\0`, the version (u64), a code of the ids' type (u8), the number of rows (u64), their lengths
//! (i32 each) and their first bytes in the data (i64 each), all little-endian. Source: `fairseq/data/indexed_dataset.py`.
//!
//! Files of others may shrink while they are read, which would end the process if they were mapped: they are read in pieces.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::{DataError, Result};

const MAGIC: &[u8; 9] = b"MMIDIDX\0\0";
/// Magic, version, type and number of rows.
const HEAD: usize = 26;
/// Bytes of the index for each row.
const ENTRY: u64 = 12;
/// Bytes read together.
const PIECE: u64 = 1 << 20;

/// Whole numbers of one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Integer {
    bytes: usize,
    signed: bool,
}

impl Integer {
    fn of_code(code: u8) -> Result<Self, String> {
        let (bytes, signed) = match code {
            1 => (1, false),
            2 => (1, true),
            3 => (2, true),
            4 => (4, true),
            5 => (8, true),
            6 | 7 => return Err(format!("its type code {code} means floating-point numbers, not ids")),
            8 => (2, false),
            9 => (4, false),
            10 => (8, false),
            _ => return Err(format!("its type code {code} is not one of 1 to 10")),
        };
        Ok(Self { bytes, signed })
    }

    /// The number in `bytes`, at most as wide as it fits an i64.
    fn read(self, bytes: &[u8]) -> i64 {
        let mut wide = [0; 8];
        wide[..self.bytes].copy_from_slice(bytes);
        let unused = 64 - 8 * self.bytes as u32;
        let number = i64::from_le_bytes(wide);
        if self.signed { number << unused >> unused } else { number }
    }
}

/// Rows of ids that are read one after another.
#[derive(Debug)]
pub(super) struct IndexedDataset {
    data: File,
    path: PathBuf,
    integer: Integer,
    lengths: Vec<usize>,
    next: usize,
    /// First byte of row `next`.
    at: u64,
    piece: Vec<u8>,
    /// First byte of `piece`.
    piece_at: u64,
}

impl IndexedDataset {
    /// Opens `prefix.idx` and `prefix.bin`, and checks them against each other.
    ///
    /// # Errors
    /// `ERR_DATASET`: either is not what fairseq's builder writes, or they do not belong together. `ERR_IO`.
    pub fn open(prefix: &Path) -> Result<Self> {
        let (index, path) = (with_extension(prefix, "idx"), with_extension(prefix, "bin"));
        let bytes = std::fs::read(&index).map_err(DataError::io("read", &index))?;
        let data = File::open(&path).map_err(DataError::io("open", &path))?;
        let length = data.metadata().map_err(DataError::io("read", &path))?.len();
        let (integer, lengths) = parse(&bytes).map_err(|problem| refused(&index, problem))?;
        let end = end(&bytes[HEAD..], integer, &lengths).map_err(|problem| refused(&index, problem))?;
        if end != length {
            return Err(refused(&path, format!("it has {length} bytes, its index describes {end}")));
        }
        Ok(Self { data, path, integer, lengths, next: 0, at: 0, piece: Vec::new(), piece_at: 0 })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// The next row, into `ids`; false after the last.
    ///
    /// # Errors
    /// `ERR_IO`, also when the file has shrunk since it was opened.
    pub fn read_next(&mut self, ids: &mut Vec<i64>) -> Result<bool> {
        let Some(&length) = self.lengths.get(self.next) else { return Ok(false) };
        let bytes = (length * self.integer.bytes) as u64;
        if self.at + bytes > self.piece_at + self.piece.len() as u64 {
            self.read_piece(bytes)?;
        }
        let row = &self.piece[(self.at - self.piece_at) as usize..][..bytes as usize];
        ids.clear();
        ids.extend(row.chunks_exact(self.integer.bytes).map(|bytes| self.integer.read(bytes)));
        self.at += bytes;
        self.next += 1;
        Ok(true)
    }

    /// At least the `needed` bytes of the next row.
    fn read_piece(&mut self, needed: u64) -> Result<()> {
        let left: u64 = self.lengths[self.next..].iter().map(|&length| length as u64).take(1 << 16).sum();
        let wanted = PIECE.min(left * self.integer.bytes as u64).max(needed);
        self.piece.resize(wanted as usize, 0);
        self.piece_at = self.at;
        self.data.read_exact_at(&mut self.piece, self.at).map_err(DataError::io("read", &self.path))
    }

    /// A refusal of the row that was read last.
    pub fn refused_row(&self, problem: impl std::fmt::Display) -> DataError {
        refused(&self.path, format!("sentence {}: {problem}", self.next))
    }
}

/// The type of the ids and the lengths of the rows.
fn parse(bytes: &[u8]) -> Result<(Integer, Vec<usize>), String> {
    if bytes.len() < HEAD {
        return Err(format!("it has {} bytes, an index has at least {HEAD}", bytes.len()));
    }
    if &bytes[..9] != MAGIC {
        let known =
            if bytes.starts_with(b"TNTIDX") { " (it is of --dataset-impl lazy or cached)" } else { "" };
        return Err(format!(
            "it does not begin with MMIDIDX, so it is not an index of --dataset-impl mmap{known}"
        ));
    }
    let version = wide(&bytes[9..17]);
    if version != 1 {
        return Err(format!("its version is {version}; 1 is known"));
    }
    let integer = Integer::of_code(bytes[17])?;
    let rows = wide(&bytes[18..HEAD]);
    let expected = rows.checked_mul(ENTRY).and_then(|entries| entries.checked_add(HEAD as u64));
    if expected != Some(bytes.len() as u64) {
        let length = bytes.len();
        return Err(format!("it has {length} bytes, which is not right for the {rows} sentences it names"));
    }
    let lengths = bytes[HEAD..][..4 * rows as usize].chunks_exact(4).enumerate().map(|(row, length)| {
        let length = length.iter().rev().fold(0u32, |number, &byte| number << 8 | u32::from(byte)) as i32;
        usize::try_from(length).map_err(|_| format!("sentence {}: its length is {length}", row + 1))
    });
    Ok((integer, lengths.collect::<Result<_, _>>()?))
}

/// Where the last row ends; each must begin where the one before it ends.
fn end(entries: &[u8], integer: Integer, lengths: &[usize]) -> Result<u64, String> {
    let mut end = 0;
    for (row, (pointer, &length)) in entries[4 * lengths.len()..].chunks_exact(8).zip(lengths).enumerate() {
        let pointer = wide(pointer);
        if pointer != end {
            let row = row + 1;
            return Err(format!(
                "sentence {row}: it begins at byte {pointer}, the one before it ends at {end}"
            ));
        }
        end += (length * integer.bytes) as u64;
    }
    Ok(end)
}

fn wide(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

pub(super) fn with_extension(prefix: &Path, extension: &str) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

fn refused(path: &Path, problem: impl Into<String>) -> DataError {
    let remedy = "run fairseq-preprocess --dataset-impl mmap again, or name another folder".to_owned();
    DataError::Dataset { path: path.to_owned(), problem: problem.into(), remedy }
}
