//! What is read of which files, whoever said so: the options or a recipe.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::glue::Task;
use super::rows::Format;
use super::{Column, Columns, Files, Header, Kind, PrepareOptions};
use crate::preparation::held_out::Part;
use crate::{DataError, Result};

/// All of it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The training part first.
    pub(crate) parts: Vec<PlannedPart>,
    pub(crate) kind: Kind,
    /// The classes where they are said.
    pub(crate) labels: Option<Vec<String>>,
    /// Whether a sample has two texts.
    pub(crate) pair: bool,
    /// What a user should know of the files.
    pub(crate) warnings: Vec<String>,
    /// Files that are read for what they say of others.
    pub(crate) others: Vec<PathBuf>,
}

/// One part and its files.
#[derive(Debug)]
pub(crate) struct PlannedPart {
    pub(crate) part: Part,
    pub(crate) files: Vec<PlannedFile>,
}

/// One file and how it is read.
#[derive(Debug, Clone)]
pub(crate) struct PlannedFile {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) columns: Columns,
    pub(crate) header: Header,
    pub(crate) labelled: Labelled,
    pub(crate) official: Option<Official>,
}

/// Whether a file has labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Labelled {
    /// It must.
    Always,
    /// Its first line says.
    Perhaps,
    /// It does not.
    Never,
}

/// How a benchmark's published file differs from one of a user's: more columns than its first line are no flaw, and empty
/// texts are texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Official {
    /// The column of the number that the test server knows a sample by; such a file is taken whole or not at all.
    pub(crate) index: Option<&'static str>,
    /// The label of samples that have none.
    pub(crate) unlabelled: Option<&'static str>,
    /// Which lines belong to the part; all of them where it is not said.
    pub(crate) share: Option<Share>,
}

/// A part of a file's lines.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    /// Columns whose values name a line.
    pub(crate) columns: [&'static str; 2],
    /// The lines that are named.
    pub(crate) named: Arc<HashSet<[String; 2]>>,
    /// Whether they are the part or all others.
    pub(crate) takes: bool,
}

impl Plan {
    pub(crate) fn of(options: &PrepareOptions) -> Result<Self> {
        match (&options.recipe, &options.data) {
            (Some(recipe), Some(data)) => Task::named(recipe)?.plan(data),
            _ => of_files(options),
        }
    }

    /// Whether there is a validation part.
    pub(crate) fn validates(&self) -> bool {
        self.parts.iter().any(|part| part.part == Part::Valid)
    }

    /// Whether there is a test part.
    pub(crate) fn tests(&self) -> bool {
        self.parts.iter().any(|part| part.part == Part::Test)
    }
}

fn of_files(options: &PrepareOptions) -> Result<Plan> {
    let Some(columns) = &options.columns else {
        return Err(DataError::Internal("columns have not been asked for".into()));
    };
    let given = [
        (Part::Train, &options.train, Labelled::Always),
        (Part::Valid, &options.valid, Labelled::Always),
        (Part::Test, &options.test, Labelled::Perhaps),
    ];
    let mut parts = Vec::new();
    for (part, files, labelled) in given {
        let file = |path: &PathBuf| {
            let (columns, header) = (columns.clone(), options.header);
            let format = Format::of(path)?;
            Ok(PlannedFile { path: path.clone(), format, columns, header, labelled, official: None })
        };
        let paths = files.iter().flat_map(Files::paths);
        let files = paths.map(file).collect::<Result<Vec<_>>>()?;
        if !files.is_empty() {
            parts.push(PlannedPart { part, files });
        }
    }
    Ok(Plan {
        parts,
        kind: options.kind.unwrap_or_default(),
        labels: options.labels.clone(),
        pair: columns.pair.is_some(),
        warnings: Vec::new(),
        others: Vec::new(),
    })
}

impl PlannedFile {
    /// Whether its first line names the columns.
    pub(crate) fn has_header(&self) -> bool {
        let named = || self.columns.each().any(|column| matches!(column, Column::Name(_)));
        match (self.format, self.header) {
            (Format::Json, _) | (_, Header::No) => false,
            (_, Header::Yes) => true,
            (_, Header::Auto) => named(),
        }
    }
}

impl PlannedPart {
    /// Its first file, for messages about all of them.
    pub(crate) fn first(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| &file.path)
    }
}
