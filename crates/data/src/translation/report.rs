//! `prepare-report.json`: every line that was left out, by file and reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::preparation::PartReport;

/// The whole report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// 1.
    pub schema: u32,
    /// One for each corpus that was read.
    pub parts: Vec<PartReport>,
    /// Held-out lines of the training corpus, by part.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_out: BTreeMap<String, Vec<[u64; 2]>>,
    /// Every so-many-th line that was left went to validation, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_every: Option<u64>,
    /// The seed of the held-out lines, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_seed: Option<u64>,
    /// Sentences of a part whose source is a training source too, by part.
    #[serde(default)]
    pub sources_also_in_train: BTreeMap<String, u64>,
    /// What a user should know.
    pub warnings: Vec<String>,
}
