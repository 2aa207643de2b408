//! Where in the rows of one file texts and labels stand.

use std::path::Path;

use super::Row;
use super::format::Format;
use crate::Result;
use crate::classification::Column;
use crate::classification::plan::{Labelled, Official, PlannedFile};
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
    pub(crate) text: Place,
    pub(crate) pair: Option<Place>,
    /// None: the file is not labelled.
    pub(crate) label: Option<Place>,
    /// The key under which no object may have a label, since the first has none.
    pub(crate) no_label: Option<Place>,
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
    line: u64,
    /// Its columns or keys.
    fields: Vec<String>,
}

impl Layout {
    /// Finds the columns of a file by its header, or its first row that can be read.
    pub(crate) fn of(file: &PlannedFile, first: Option<&Row>) -> Result<Self> {
        let first = First::of(file, first)?;
        let text = first.place(&file.columns.text)?;
        let pair = file.columns.pair.as_ref().map(|pair| first.place(pair)).transpose()?;
        let labels = || first.place(&file.columns.label);
        let (label, no_label) = match file.labelled {
            Labelled::Never => (None, None),
            Labelled::Perhaps if !first.has(&file.columns.label) => {
                // Rows of columns are as long as the first, which is seen to elsewhere.
                (None, (file.format == Format::Json).then(labels).transpose()?)
            }
            _ => (Some(labels()?), None),
        };
        let named = |name: &str| first.place(&Column::from(name));
        let official = file.official.as_ref();
        let index = official.and_then(|official| official.index).map(named).transpose()?;
        let share = match official.and_then(|official| official.share.as_ref()) {
            Some(share) => Some([named(share.columns[0])?, named(share.columns[1])?]),
            None => None,
        };
        let strict = official.is_none() && first.format != Format::Json && !first.fields.is_empty();
        Ok(Self {
            format: first.format,
            text,
            pair,
            label,
            no_label,
            index,
            share,
            columns: strict.then_some(first.fields.len()),
            official: file.official.clone(),
        })
    }
}

impl<'a> First<'a> {
    fn of(file: &'a PlannedFile, row: Option<&Row>) -> Result<Self> {
        let line = row.map_or(1, |row| row.line);
        let fields = match row.map(|row| row.names(file.format)) {
            Some(Ok(fields)) => fields,
            found if file.has_header() => {
                let what = found.and_then(Result::err).map_or("not there", |(reason, _)| reason.what());
                let reason = format!("its first line should name the columns and is {what}");
                let remedy = "mend it, or number the columns from 0 and leave out header";
                return Err(corpus(&file.path, Some(line), &reason, remedy));
            }
            _ => Vec::new(),
        };
        Ok(Self { path: &file.path, format: file.format, line, fields })
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
            (Column::Name(name), _) => self.named(name),
        }
    }

    fn named(&self, name: &str) -> Result<Place> {
        let refused = |reason: String, remedy: &str| Err(corpus(self.path, Some(self.line), &reason, remedy));
        let mut places = self.fields.iter().enumerate().filter(|(_, field)| *field == name);
        match (places.next(), places.next()) {
            (Some((place, _)), None) => Ok(Place::At(place)),
            (Some((first, _)), Some((second, _))) => refused(
                format!("its columns {first} and {second}, counted from 0, are both named `{name}`"),
                "rename one of them, or number the columns from 0 and give header: true",
            ),
            (None, _) => {
                let names: Vec<_> = self.fields.iter().map(|field| format!("`{field}`")).collect();
                refused(
                    format!("no column is named `{name}`; its header has {}", names.join(", ")),
                    "name one of these, or number the columns from 0",
                )
            }
        }
    }
}
