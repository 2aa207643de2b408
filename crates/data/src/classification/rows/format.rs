//! The formats of files, and reading them row by row.

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Row;
use super::csv::CsvRows;
use crate::Result;
use crate::text::{FileFacts, Flaw, Lines, Reason, corpus, excerpt};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Format {
    /// Columns between tabs, one row a line; quotes are text.
    Tab,
    /// Columns between commas as RFC 4180 has them: those in quotes may hold commas, quotes and line feeds.
    Comma,
    /// An object a line.
    Json,
}

impl Format {
    /// By the file's name; `.gz` behind it says nothing.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "tsv" | "txt" => Ok(Self::Tab),
            "csv" => Ok(Self::Comma),
            "jsonl" | "ndjson" => Ok(Self::Json),
            _ => Err(corpus(
                path,
                None,
                "its name does not say how it is written",
                "name it .tsv, .csv or .jsonl, each with .gz where it is gzipped",
            )),
        }
    }
}

/// A row before it is known what is where.
#[derive(Debug)]
pub(crate) enum Raw {
    /// Columns between tabs.
    Line(String),
    /// An object.
    Object(String),
    /// Columns back to back, and where each ends.
    Fields(Vec<u8>, Vec<usize>),
}

impl Raw {
    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Line(text) | Self::Object(text) => text.len(),
            Self::Fields(bytes, _) => bytes.len(),
        }
    }

    /// Its columns, of one that is no object.
    pub(crate) fn fields(&self) -> Result<Vec<&str>, Flaw> {
        match self {
            Self::Line(line) | Self::Object(line) => Ok(line.split('\t').collect()),
            Self::Fields(bytes, ends) => {
                let text = std::str::from_utf8(bytes).map_err(|_| (Reason::InvalidUtf8, excerpt(bytes)))?;
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let field = |(start, end): (usize, &usize)| text.get(start..*end);
                let fields: Option<Vec<_>> = starts.zip(ends).map(field).collect();
                // All of it may be UTF-8 and a column not.
                fields.ok_or_else(|| (Reason::InvalidUtf8, excerpt(bytes)))
            }
        }
    }

    /// Its keys, of one that is an object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Flaw> {
        let (Self::Object(text) | Self::Line(text)) = self else { return Ok(Map::new()) };
        if text.trim().is_empty() {
            return Err((Reason::EmptyLine, self.excerpt()));
        }
        serde_json::from_str(text).map_err(|_| (Reason::InvalidJson, excerpt(text.as_bytes())))
    }

    /// How it begins.
    pub(crate) fn excerpt(&self) -> String {
        match self {
            Self::Line(text) | Self::Object(text) => excerpt(text.as_bytes()),
            Self::Fields(..) => {
                let fields = self.fields().map(|fields| Cow::Owned(fields.join(",")));
                excerpt(fields.unwrap_or(Cow::Borrowed("")).as_bytes())
            }
        }
    }
}

/// Reads one file.
#[derive(Debug)]
pub(crate) enum Reader {
    /// Tabs or objects.
    Lines(Lines, Format),
    /// Commas.
    Csv(CsvRows),
}

impl Reader {
    pub(crate) fn open(path: &Path, format: Format) -> Result<Self> {
        match format {
            Format::Comma => CsvRows::open(path).map(Self::Csv),
            format => Ok(Self::Lines(Lines::open(path)?, format)),
        }
    }

    pub(crate) fn facts(&self) -> &FileFacts {
        match self {
            Self::Lines(lines, _) => lines.facts(),
            Self::Csv(rows) => rows.facts(),
        }
    }

    /// Bytes taken from the disk so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        match self {
            Self::Lines(lines, _) => lines.bytes_read(),
            Self::Csv(rows) => rows.bytes_read(),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Row>> {
        let (lines, format) = match self {
            Self::Csv(rows) => return rows.next(),
            Self::Lines(lines, format) => (lines, *format),
        };
        let Some(text) = lines.next()? else { return Ok(None) };
        let raw = |text| if format == Format::Json { Raw::Object(text) } else { Raw::Line(text) };
        Ok(Some(Row { line: lines.facts().lines, content: text.map(raw) }))
    }
}
