//! Lines of one text file in bounded memory.

use std::path::Path;

use super::Reason;
use super::file::{FileFacts, TextFile};
use crate::Result;

/// Bytes of a line, at most; a longer one is counted and skipped without being held.
pub const LONGEST_LINE: usize = 1 << 20;
/// Characters of a rejected line that the report shows.
const EXCERPT: usize = 120;

/// A line that cannot be text, with the start of it.
pub(crate) type Flaw = (Reason, String);

/// Reads one file line by line.
#[derive(Debug)]
pub(crate) struct Lines {
    file: TextFile,
    buffer: Vec<u8>,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { file: TextFile::open(path)?, buffer: Vec::new() })
    }

    pub(crate) fn facts(&self) -> &FileFacts {
        &self.file.facts
    }

    /// Bytes taken from the disk so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.file.bytes_read()
    }

    /// The next line without its end, or why it is no text. None at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Result<String, Flaw>>> {
        let Some(whole) = self.fill()? else { return Ok(None) };
        self.file.facts.lines += 1;
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
            self.file.facts.carriage_returns += 1;
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
            let bytes = self.file.fill()?;
            if bytes.is_empty() {
                break;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let line = &bytes[..end.unwrap_or(bytes.len())];
            let room = LONGEST_LINE - self.buffer.len();
            self.buffer.extend_from_slice(&line[..line.len().min(room)]);
            let used = line.len() + usize::from(end.is_some());
            (length, ended) = (length + used, end.is_some());
            self.file.consume(used);
        }
        Ok((length > 0).then_some(length - usize::from(ended) <= LONGEST_LINE))
    }
}

/// The start of a line, for the report.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT)]);
    start.chars().take(EXCERPT).collect()
}
