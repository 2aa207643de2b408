//! `prepare-report.json`: every line that was left out, by file and reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::preparation::ReportHead;

/// The whole report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was read, and what was held out.
    #[serde(flatten)]
    pub head: ReportHead,
    /// Sentences of a part whose source is a training source too, by part.
    #[serde(default)]
    pub sources_also_in_train: BTreeMap<String, u64>,
    /// What a user should know.
    pub warnings: Vec<String>,
}
