//! Where in the rows of one file texts and labels stand.

use std::path::Path;

use super::Row;
use super::format::Format;
use crate::Result;
use crate::classification::plan::{Labelled, Official, PlannedFile};
use crate::classification::{Column, Header};
use crate::text::corpus;

/// A column that has been found: its place, or the key of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    At(usize),
    Key(String),
}

/// What is where.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) format: Format,
    /// Whether the first row is no sample.
    pub(crate) header: bool,
    pub(crate) text: Place,
    pub(crate) pair: Option<Place>,
    /// None: the file is not labelled.
    pub(crate) label: Option<Place>,
    pub(crate) index: Option<Place>,
    /// Columns whose values say whether a row belongs to the part.
    pub(crate) share: Option<[Place; 2]>,
    /// Columns that every row has; None: at least those that are read.
    pub(crate) columns: Option<usize>,
    pub(crate) official: Option<Official>,
}

/// The first row of a file.
struct First<'a> {
    path: &'a Path,
    format: Format,
    /// Whether it names the columns.
    header: bool,
    /// Its columns or keys.
    fields: Vec<String>,
}

impl Layout {
    /// Finds the columns of a file by its first row.
    pub(crate) fn of(file: &PlannedFile, first: Option<&Row>) -> Result<Self> {
        let first = First::of(file, first)?;
        let text = first.place(&file.columns.text)?;
        let pair = file.columns.pair.as_ref().map(|pair| first.place(pair)).transpose()?;
        let label = match file.labelled {
            Labelled::Never => None,
            Labelled::Perhaps if !first.has(&file.columns.label) => None,
            _ => Some(first.place(&file.columns.label)?),
        };
        let named = |name: &str| first.place(&Column::from(name));
        let official = file.official.as_ref();
        let index = official.and_then(|official| official.index).map(named).transpose()?;
        let share = match official.and_then(|official| official.share.as_ref()) {
            Some(share) => Some([named(share.columns[0])?, named(share.columns[1])?]),
            None => None,
        };
        let strict = official.is_none() && first.format != Format::Json;
        Ok(Self {
            format: first.format,
            header: first.header,
            text,
            pair,
            label,
            index,
            share,
            columns: strict.then_some(first.fields.len()),
            official: file.official.clone(),
        })
    }
}

impl<'a> First<'a> {
    fn of(file: &'a PlannedFile, row: Option<&Row>) -> Result<Self> {
        let named = file.columns.each().any(|column| matches!(column, Column::Name(_)));
        let objects = file.format == Format::Json;
        let header = !objects && (file.header == Header::Yes || file.header == Header::Auto && named);
        let fields = match row.and_then(|row| row.content.as_ref().ok()) {
            Some(raw) if objects => {
                raw.object().map(|object| object.into_iter().map(|(key, _)| key).collect())
            }
            Some(raw) => raw.fields().map(|fields| fields.into_iter().map(str::to_owned).collect()),
            None => Ok(Vec::new()),
        };
        Ok(Self { path: &file.path, format: file.format, header, fields: fields.unwrap_or_default() })
    }

    fn has(&self, column: &Column) -> bool {
        match column {
            Column::Number(number) => *number < self.fields.len(),
            Column::Name(name) => self.fields.contains(name),
        }
    }

    fn place(&self, column: &Column) -> Result<Place> {
        match (column, self.format) {
            (Column::Name(name), Format::Json) => Ok(Place::Key(name.clone())),
            (Column::Number(number), Format::Json) => {
                let reason = format!("column {number} is asked for, and objects have keys");
                Err(corpus(self.path, None, &reason, "name the keys in columns"))
            }
            (Column::Number(number), _) => Ok(Place::At(*number)),
            (Column::Name(name), _) => match self.fields.iter().position(|field| field == name) {
                Some(place) => Ok(Place::At(place)),
                None => {
                    let names: Vec<_> = self.fields.iter().map(|field| format!("`{field}`")).collect();
                    let reason = format!("no column is named `{name}`; its header has {}", names.join(", "));
                    Err(corpus(
                        self.path,
                        Some(1),
                        &reason,
                        "name one of these, or number the columns from 0",
                    ))
                }
            },
        }
    }
}
