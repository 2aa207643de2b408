//! Rows of a CSV in bounded memory.

use std::path::Path;

use csv_core::{ReadRecordResult, Reader};

use super::Row;
use super::format::Raw;
use crate::Result;
use crate::text::{FileFacts, LONGEST_LINE, Reason, TextFile, corpus, excerpt};

/// Columns of a row, at most.
const MOST_COLUMNS: usize = 1 << 14;

/// Reads one file row by row.
#[derive(Debug)]
pub(crate) struct CsvRows {
    file: TextFile,
    parser: Box<Reader>,
    /// The columns of a row back to back, and their ends.
    fields: Vec<u8>,
    ends: Vec<usize>,
    /// Whether the last byte that was read is a line feed.
    ended: bool,
}

impl CsvRows {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (fields, ends) = (vec![0; 1 << 12], vec![0; 16]);
        Ok(Self { file: TextFile::open(path)?, parser: Box::new(Reader::new()), fields, ends, ended: false })
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
                    return Ok(Some(self.row(line, written, columns, open)));
                }
            }
        }
    }

    /// Lines that were read, the last of them perhaps in part.
    fn lines(&self) -> u64 {
        self.parser.line() - u64::from(self.ended)
    }

    /// `open`: the file ended within a quote that began in an earlier line.
    fn row(&self, line: u64, written: usize, columns: usize, open: bool) -> Row {
        let bytes = &self.fields[..written];
        if open {
            return Row { line, content: Err((Reason::UnclosedQuote, excerpt(bytes))) };
        }
        Row { line, content: Ok(Raw::Fields(bytes.to_vec(), self.ends[..columns].to_vec())) }
    }

    fn grow(&mut self, line: u64) -> Result<()> {
        if self.fields.len() >= LONGEST_LINE {
            let reason = format!("the row that begins here has more than {LONGEST_LINE} bytes");
            let remedy = "close the quote that is open in it, or leave it out";
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
