//! Rows of labelled text from files of several formats, in blocks that can be worked on side by side.

mod csv;
mod format;
mod layout;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use self::format::Format;
pub(crate) use self::format::Raw;
use self::format::Reader;
pub(crate) use self::layout::{Layout, Place};
use super::plan::{PlannedFile, PlannedPart};
use crate::Result;
use crate::text::{FileFacts, Flaw, Reason};

/// Rows of a block, at most ...
const BLOCK_ROWS: usize = 16_384;
/// ... and bytes of them, but for its last row.
const BLOCK_BYTES: usize = 4 << 20;

/// One row of a file as it was read.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it begins in its file, from 1.
    pub(crate) line: u64,
    pub(crate) content: Result<Raw, Flaw>,
}

impl Row {
    /// Its columns, or the keys of an object; or why it cannot be read.
    fn names(&self, format: Format) -> Result<Vec<String>, Flaw> {
        let raw = self.content.as_ref().map_err(Flaw::clone)?;
        if format == Format::Json {
            return Ok(raw.object()?.into_iter().map(|(key, _)| key).collect());
        }
        match &raw.fields()?[..] {
            [blank] if blank.trim().is_empty() => Err((Reason::EmptyLine, raw.excerpt())),
            fields => Ok(fields.iter().map(|field| (*field).to_owned()).collect()),
        }
    }
}

/// Rows that lie together in one file.
#[derive(Debug)]
pub(crate) struct RowBlock {
    pub(crate) index: usize,
    /// Which of the part's files.
    pub(crate) file: usize,
    pub(crate) layout: Arc<Layout>,
    /// Rows of the part before it.
    pub(crate) before: u64,
    pub(crate) rows: Vec<Row>,
    /// Bytes taken from the disk by now.
    pub(crate) read: u64,
}

/// Reads the files of a part one after the other.
#[derive(Debug)]
pub(crate) struct Rows {
    left: VecDeque<PlannedFile>,
    open: Option<Open>,
    /// Of the files that have been read.
    facts: Vec<FileFacts>,
    blocks: usize,
    rows: u64,
    /// Bytes of the files that have been read.
    read: u64,
}

#[derive(Debug)]
struct Open {
    reader: Reader,
    layout: Arc<Layout>,
    /// Rows that were read to find the columns and are no header.
    first: VecDeque<Row>,
}

impl Rows {
    pub(crate) fn of(part: &PlannedPart) -> Self {
        let left = part.files.iter().cloned().collect();
        Self { left, open: None, facts: Vec::new(), blocks: 0, rows: 0, read: 0 }
    }

    /// What was seen of each file.
    pub(crate) fn into_facts(self) -> Vec<FileFacts> {
        self.facts
    }

    fn block(&mut self) -> Result<Option<RowBlock>> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(file) = self.left.pop_front() else { return Ok(None) };
                self.open = Some(Open::new(&file)?);
                continue;
            };
            let (rows, ended) = open.rows()?;
            let layout = Arc::clone(&open.layout);
            let read = self.read + open.reader.bytes_read();
            let (before, file) = (self.rows, self.facts.len());
            if ended && let Some(open) = self.open.take() {
                self.facts.push(open.reader.facts().clone());
                self.read = read;
            }
            if !rows.is_empty() {
                self.rows += rows.len() as u64;
                self.blocks += 1;
                return Ok(Some(RowBlock { index: self.blocks - 1, file, layout, before, rows, read }));
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<RowBlock>;

    fn next(&mut self) -> Option<Self::Item> {
        self.block().transpose()
    }
}

/// The file and the line of the row that has this number in the part, from 1.
pub(crate) fn place_of(part: &PlannedPart, number: u64) -> Result<Option<(PathBuf, u64)>> {
    for block in Rows::of(part) {
        let RowBlock { file, before, rows, .. } = block?;
        let row = number.checked_sub(before + 1).and_then(|at| rows.get(usize::try_from(at).ok()?));
        if let Some((row, file)) = row.zip(part.files.get(file)) {
            return Ok(Some((file.path.clone(), row.line)));
        }
    }
    Ok(None)
}

impl Open {
    fn new(file: &PlannedFile) -> Result<Self> {
        let mut reader = Reader::open(&file.path, file.format)?;
        let mut first = first_rows(&mut reader, file)?;
        let layout = Layout::of(file, first.back())?;
        if file.has_header() {
            first.clear();
        }
        Ok(Self { reader, layout: Arc::new(layout), first })
    }

    /// The rows of a block, and whether the file has ended.
    fn rows(&mut self) -> Result<(Vec<Row>, bool)> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < BLOCK_ROWS && bytes < BLOCK_BYTES {
            let next = match self.first.pop_front() {
                Some(first) => Some(first),
                None => self.reader.next()?,
            };
            let Some(row) = next else { return Ok((rows, true)) };
            bytes += row.content.as_ref().map_or(0, Raw::len);
            rows.push(row);
        }
        Ok((rows, false))
    }
}

/// The header alone, or all rows up to the first that can be read: one that cannot says nothing of the columns.
fn first_rows(reader: &mut Reader, file: &PlannedFile) -> Result<VecDeque<Row>> {
    let mut rows = VecDeque::new();
    while rows.len() < BLOCK_ROWS
        && let Some(row) = reader.next()?
    {
        let enough = file.has_header() || row.names(file.format).is_ok();
        rows.push_back(row);
        if enough {
            break;
        }
    }
    Ok(rows)
}
