//! What of a task's files lies in the user's folder, and how each is read.

use std::path::{Path, PathBuf};

use super::tasks::{At, NO_GOLD, TaskFile};
use super::{Task, mrpc};
use crate::Result;
use crate::classification::plan::{Labelled, Official, Plan, PlannedFile, PlannedPart};
use crate::classification::rows::Format;
use crate::classification::{Column, Columns, Header};
use crate::preparation::held_out::Part;
use crate::text::corpus;

impl Task {
    /// How the files in `data`, the folder of all tasks or the task's own, are read.
    pub(in crate::classification) fn plan(&'static self, data: &Path) -> Result<Plan> {
        if !data.is_dir() {
            let remedy = "name the folder with the published files";
            return Err(corpus(data, None, "it is not a folder", remedy));
        }
        let own = data.join(self.folder);
        let folder = if own.is_dir() { own } else { data.to_owned() };
        if let Some(plan) = mrpc::plan(self, &folder)? {
            return Ok(plan);
        }
        let there = |file: &&TaskFile| folder.join(file.name).is_file();
        let needed = |file: &&TaskFile| !matches!(file.part, Part::Test | Part::TestMismatched);
        if self.files.iter().filter(needed).any(|file| !there(&file)) {
            return Err(self.missing(&folder, self.files.iter().filter(needed).map(|file| file.name)));
        }
        let absent = self.files.iter().filter(|file| !there(file));
        let warnings = absent.map(|file| {
            let path = folder.join(file.name);
            format!("{} is not there, so nothing can be predicted for the test server", path.display())
        });
        let (warnings, parts) = (warnings.collect(), self.files.iter().filter(there));
        let parts = parts.map(|file| PlannedPart { part: file.part, files: vec![file.planned(&folder)] });
        Ok(self.planned(parts.collect(), warnings, Vec::new()))
    }

    pub(super) fn planned(
        &'static self,
        parts: Vec<PlannedPart>,
        warnings: Vec<String>,
        others: Vec<PathBuf>,
    ) -> Plan {
        let labels: Vec<String> = self.labels.iter().map(|label| (*label).to_owned()).collect();
        Plan {
            parts,
            kind: self.kind,
            labels: (!labels.is_empty()).then_some(labels),
            pair: self.files.iter().any(|file| file.pair.is_some()),
            warnings,
            others,
        }
    }

    /// Says which of the files are not there, by their official names.
    pub(super) fn missing(
        &self,
        folder: &Path,
        names: impl Iterator<Item = &'static str>,
    ) -> crate::DataError {
        let missing: Vec<_> = names.filter(|name| !folder.join(name).is_file()).collect();
        let within = format!("{}/", self.folder);
        let missing: Vec<_> = missing.iter().map(|name| format!("{within}{name}")).collect();
        let reason = format!("these files of {} are not in it: {}", self.folder, missing.join(", "));
        let remedy = format!("fetch and unpack {} (https://gluebenchmark.com/tasks)", self.published);
        corpus(folder, None, &reason, &remedy)
    }
}

impl TaskFile {
    pub(super) fn planned(&self, folder: &Path) -> PlannedFile {
        let column = |at: At| match at {
            At::Place(place) => Column::Number(place),
            At::Name(name) => Column::from(name),
        };
        // What has no labels is asked for none; the column stands for itself.
        let label = column(self.label.unwrap_or(self.text));
        let columns = Columns { text: column(self.text), pair: self.pair.map(column), label };
        let header = if matches!(self.text, At::Place(_)) { Header::No } else { Header::Yes };
        let labelled = if self.label.is_some() { Labelled::Always } else { Labelled::Never };
        let official = Official { index: self.index, unlabelled: Some(NO_GOLD), share: None };
        PlannedFile {
            path: folder.join(self.name),
            format: Format::Tab,
            columns,
            header,
            labelled,
            official: Some(official),
        }
    }
}
