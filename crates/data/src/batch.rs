//! What a loader hands out, and where it goes on.

use serde::{Deserialize, Serialize};

use crate::Column;

/// A position in a loader's order: the next batch is number `batch` of epoch `epoch`, both counted from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoaderState {
    /// Passes over the data finished.
    pub epoch: u64,
    /// Batches of this epoch finished.
    pub batch: u64,
}

/// Some samples, gathered into plain buffers.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Every column of the dataset, in its order, with one row a sample.
    pub columns: Vec<(String, Column)>,
    /// Rows of each column.
    pub samples: usize,
    /// Tokens of the last ragged column; `samples` when there is none.
    pub tokens: usize,
    /// Where this batch lies in the loader's order.
    pub position: LoaderState,
    /// Where a loader resumes after this batch.
    pub next: LoaderState,
    /// The dataset's sample behind each row.
    pub indices: Vec<u64>,
}

impl Batch {
    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, column)| column)
    }

    pub(crate) fn count_tokens(columns: &[(String, Column)], samples: usize) -> usize {
        let ragged = columns.iter().rev().find_map(|(_, column)| match column {
            Column::Ragged { values, .. } => Some(values.len()),
            Column::Dense { .. } => None,
        });
        ragged.unwrap_or(samples)
    }
}
