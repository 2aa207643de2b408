//! Rows of a CSV in bounded memory.

use std::path::Path;

use csv_core::{ReadRecordResult, Reader};

use super::Row;
use super::format::Raw;
use crate::Result;
use crate::text::{FileFacts, LONGEST_LINE, Reason, TextFile, corpus, excerpt};

/// Columns of a row, at most.
const MOST_COLUMNS: usize = 1 << 14;

/// Lines of a last row whose quote is not closed, at most: so many a row that was cut may have, while a quote that should
/// not be there takes all rows behind it.
const MOST_LINES_CUT: u64 = 16;

/// Reads one file row by row.
#[derive(Debug)]
pub(crate) struct CsvRows {
    file: TextFile,
    parser: Box<Reader>,
    /// The columns of a row back to back, and their ends.
    fields: Vec<u8>,
    ends: Vec<usize>,
    /// Rows before the one that is being read.
    rows: u64,
    /// Whether the last byte that was read is a line feed.
    ended: bool,
}

impl CsvRows {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (fields, ends) = (vec![0; 1 << 12], vec![0; 16]);
        let (file, parser) = (TextFile::open(path)?, Box::new(Reader::new()));
        Ok(Self { file, parser, fields, ends, rows: 0, ended: false })
    }

    pub(super) fn facts(&self) -> &FileFacts {
        &self.file.facts
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.file.bytes_read()
    }

    /// The next row; blank lines are none.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        let (mut written, mut columns, mut quotes, mut line) = (0, 0, 0, None);
        loop {
            let bytes = self.file.fill()?;
            // Blank lines before a row are not where it begins.
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
            let skipped = if line.is_none() { blank.filter(|byte| **byte == b'\n').count() } else { 0 };
            let starts = self.parser.line() + skipped as u64;
            let last = bytes.is_empty();
            let (fields, ends) = (&mut self.fields[written..], &mut self.ends[columns..]);
            let (result, read, wrote, ended) = self.parser.read_record(bytes, fields, ends);
            quotes += bytes[..read].iter().filter(|byte| **byte == b'"').count();
            if line.is_none() && (wrote > 0 || ended > 0 || quotes > 0) {
                line = Some(starts);
            }
            self.ended = bytes[..read].last().map_or(self.ended, |byte| *byte == b'\n');
            self.file.consume(read);
            (written, columns) = (written + wrote, columns + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow(line.unwrap_or(starts))?,
                ReadRecordResult::OutputEndsFull => self.widen(line.unwrap_or(starts))?,
                ReadRecordResult::End => {
                    self.file.facts.lines = self.lines();
                    return Ok(None);
                }
                ReadRecordResult::Record => {
                    let line = line.unwrap_or(starts);
                    self.file.facts.lines = self.lines();
                    let open = last && quotes % 2 == 1 && self.lines() > line;
                    return self.row(line, written, columns, open).map(Some);
                }
            }
        }
    }

    /// Lines that were read, the last of them perhaps in part.
    fn lines(&self) -> u64 {
        self.parser.line() - u64::from(self.ended)
    }

    /// `open`: the file ended within a quote that began in an earlier line.
    fn row(&mut self, line: u64, written: usize, columns: usize, open: bool) -> Result<Row> {
        let (bytes, lines) = (&self.fields[..written], self.lines() - line + 1);
        if open && lines > MOST_LINES_CUT.min(self.rows) {
            let reason =
                format!("a quote in the row that begins here is not closed, so {lines} lines are one row");
            let remedy = "close it, or double it where it belongs to the text";
            return Err(corpus(&self.file.facts.path, Some(line), &reason, remedy));
        }
        self.rows += 1;
        if open {
            return Ok(Row { line, content: Err((Reason::UnclosedQuote, excerpt(bytes))) });
        }
        Ok(Row { line, content: Ok(Raw::Fields(bytes.to_vec(), self.ends[..columns].to_vec())) })
    }

    fn grow(&mut self, line: u64) -> Result<()> {
        if self.fields.len() >= LONGEST_LINE {
            let reason = format!("the row that begins here has more than {LONGEST_LINE} bytes");
            let remedy = "close the quote that is open in it, or leave the row out";
            return Err(corpus(&self.file.facts.path, Some(line), &reason, remedy));
        }
        self.fields.resize(self.fields.len() * 2, 0);
        Ok(())
    }

    fn widen(&mut self, line: u64) -> Result<()> {
        if self.ends.len() >= MOST_COLUMNS {
            let reason = format!("the row that begins here has more than {MOST_COLUMNS} columns");
            return Err(corpus(&self.file.facts.path, Some(line), &reason, "see that it is a CSV"));
        }
        self.ends.resize(self.ends.len() * 2, 0);
        Ok(())
    }
}
