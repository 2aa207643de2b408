//! One text file, gzipped or not, as bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::{DataError, Result};

/// A gzip file may grow this many times ...
const GREATEST_RATIO: u64 = 200;
/// ... beyond this many bytes, which any file may have.
const FREE_BYTES: u64 = 64 << 20;

/// What was seen of a file besides its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileFacts {
    /// As it was given.
    pub path: PathBuf,
    /// Lines read.
    pub lines: u64,
    /// Whether it is gzipped, by its first bytes and not its name.
    pub gzip: bool,
    /// Whether it began with a UTF-8 byte order mark, which is not part of the text.
    pub byte_order_mark: bool,
    /// Lines that ended in CR LF; the CR is not part of the text.
    pub carriage_returns: u64,
}

/// Reads one file.
#[derive(Debug)]
pub(crate) struct TextFile {
    reader: Box<dyn Source>,
    pub(crate) facts: FileFacts,
    /// Bytes taken from the disk and bytes of text, to notice a gzip bomb.
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

trait Source: BufRead + Send + std::fmt::Debug {}
impl<S: BufRead + Send + std::fmt::Debug> Source for S {}

/// Counts what is read through it.
#[derive(Debug)]
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(into)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl TextFile {
    /// Opens a file and looks at its first bytes; a byte order mark is taken off.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let packed = Arc::new(AtomicU64::new(0));
        let mut reader = BufReader::with_capacity(1 << 16, Counted(open(path)?, packed.clone()));
        let start = reader.fill_buf().map_err(DataError::io("read", path))?;
        if start.is_empty() {
            return Err(corpus(path, None, "the file is empty", "give a file with sentences"));
        }
        let gzip = start.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn Source> = if gzip {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader)))
        } else {
            Box::new(reader)
        };
        let facts = FileFacts { path: path.to_owned(), gzip, ..FileFacts::default() };
        let mut file = Self { reader, facts, packed, unpacked: 0 };
        file.strip_mark()?;
        Ok(file)
    }

    /// Bytes taken from the disk so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.packed.load(Ordering::Relaxed)
    }

    /// The next bytes, which [`TextFile::consume`] takes; none at the end of the file.
    pub(crate) fn fill(&mut self) -> Result<&[u8]> {
        let packed = self.bytes_read();
        if self.facts.gzip && self.unpacked > FREE_BYTES.max(packed.saturating_mul(GREATEST_RATIO)) {
            let reason = format!("its gzip data grows more than {GREATEST_RATIO} times, as no text does");
            let remedy = "unpack it and look, then give it unpacked";
            return Err(corpus(&self.facts.path, Some(self.facts.lines + 1), &reason, remedy));
        }
        self.reader.fill_buf().map_err(|error| unreadable(&self.facts, error))
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.unpacked += bytes as u64;
    }

    fn strip_mark(&mut self) -> Result<()> {
        let start = self.fill()?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            let remedy = "convert it: iconv -f UTF-16 -t UTF-8";
            return Err(corpus(&self.facts.path, Some(1), "it is UTF-16", remedy));
        }
        if start.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.consume(3);
            self.facts.byte_order_mark = true;
        }
        Ok(())
    }
}

/// Opens a regular file; asked first, because opening a pipe would wait for a writer.
pub(crate) fn open(path: &Path) -> Result<File> {
    if !std::fs::metadata(path).map_err(DataError::io("open", path))?.is_file() {
        let remedy = "give a text file, a .tsv or a .gz of one";
        return Err(corpus(path, None, "it is not a regular file", remedy));
    }
    File::open(path).map_err(DataError::io("open", path))
}

fn unreadable(facts: &FileFacts, error: std::io::Error) -> DataError {
    if !facts.gzip {
        return DataError::io("read", &facts.path)(error);
    }
    let reason = format!("its gzip data is truncated or damaged ({error})");
    corpus(&facts.path, Some(facts.lines + 1), &reason, "fetch or pack it again")
}

pub(crate) fn corpus(path: &Path, line: Option<u64>, reason: &str, remedy: &str) -> DataError {
    DataError::Corpus { path: path.to_owned(), line, reason: reason.to_owned(), remedy: remedy.to_owned() }
}
