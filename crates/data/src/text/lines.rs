//! Lines of one text file, gzipped or not, in bounded memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use super::Reason;
use crate::{DataError, Result};

/// Bytes of a line, at most; a longer one is counted and skipped without being held.
pub const LONGEST_LINE: usize = 1 << 20;
/// A gzip file may grow this many times ...
const GREATEST_RATIO: u64 = 200;
/// ... beyond this many bytes, which any file may have.
const FREE_BYTES: u64 = 64 << 20;
/// Characters of a rejected line that the report shows.
const EXCERPT: usize = 120;

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

/// A line that cannot be text, with the start of it.
pub(super) type Flaw = (Reason, String);

/// Reads one file line by line.
#[derive(Debug)]
pub(super) struct Lines {
    reader: Box<dyn Source>,
    facts: FileFacts,
    buffer: Vec<u8>,
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

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(DataError::io("open", path))?;
        let metadata = file.metadata().map_err(DataError::io("read", path))?;
        if !metadata.is_file() {
            return Err(corpus(
                path,
                None,
                "it is not a regular file",
                "give a text file, a .tsv or a .gz of one",
            ));
        }
        let packed = Arc::new(AtomicU64::new(0));
        let mut reader = BufReader::with_capacity(1 << 16, Counted(file, packed.clone()));
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
        Ok(Self { reader, facts, buffer: Vec::new(), packed, unpacked: 0 })
    }

    pub(super) fn facts(&self) -> &FileFacts {
        &self.facts
    }

    /// Bytes taken from the disk so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.packed.load(Ordering::Relaxed)
    }

    /// The next line without its end, or why it is no text. None at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Result<String, Flaw>>> {
        let Some(whole) = self.fill()? else { return Ok(None) };
        self.facts.lines += 1;
        if self.facts.lines == 1 {
            self.strip_mark()?;
        }
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
            self.facts.carriage_returns += 1;
        }
        Ok(Some(self.text(whole)))
    }

    fn text(&self, whole: bool) -> Result<String, Flaw> {
        if !whole {
            return Err((Reason::LineTooLong, excerpt(&self.buffer)));
        }
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err((Reason::InvalidUtf8, excerpt(&self.buffer))),
        }
    }

    /// Reads up to the next line feed into the buffer, which keeps at most [`LONGEST_LINE`] bytes.
    /// `Some(false)`: the line was longer. None: nothing left.
    fn fill(&mut self) -> Result<Option<bool>> {
        self.buffer.clear();
        let (mut length, mut ended) = (0, false);
        while !ended {
            let path = &self.facts.path;
            let bytes = self.reader.fill_buf().map_err(|error| unreadable(&self.facts, error))?;
            if bytes.is_empty() {
                break;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let line = &bytes[..end.unwrap_or(bytes.len())];
            let room = LONGEST_LINE - self.buffer.len();
            self.buffer.extend_from_slice(&line[..line.len().min(room)]);
            let used = line.len() + usize::from(end.is_some());
            (length, ended) = (length + used, end.is_some());
            self.reader.consume(used);
            self.unpacked += used as u64;
            let packed = self.packed.load(Ordering::Relaxed);
            if self.facts.gzip && self.unpacked > FREE_BYTES.max(packed.saturating_mul(GREATEST_RATIO)) {
                let reason = format!("its gzip data grows more than {GREATEST_RATIO} times, as no text does");
                return Err(corpus(
                    path,
                    Some(self.facts.lines + 1),
                    &reason,
                    "unpack it and look, then give it unpacked",
                ));
            }
        }
        Ok((length > 0).then_some(length - usize::from(ended) <= LONGEST_LINE))
    }

    fn strip_mark(&mut self) -> Result<()> {
        if self.buffer.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.facts.byte_order_mark = true;
            self.buffer.drain(..3);
        }
        if self.buffer.starts_with(&[0xff, 0xfe]) || self.buffer.starts_with(&[0xfe, 0xff]) {
            return Err(corpus(
                &self.facts.path,
                Some(1),
                "it is UTF-16",
                "convert it: iconv -f UTF-16 -t UTF-8",
            ));
        }
        Ok(())
    }
}

/// Opens a regular file; asked first, because opening a pipe would wait for a writer.
pub(crate) fn open(path: &Path) -> Result<File> {
    if !std::fs::metadata(path).map_err(DataError::io("open", path))?.is_file() {
        return Err(corpus(
            path,
            None,
            "it is not a regular file",
            "give a text file, a .tsv or a .gz of one",
        ));
    }
    File::open(path).map_err(DataError::io("open", path))
}

/// The start of a line, for the report.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT)]);
    start.chars().take(EXCERPT).collect()
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
