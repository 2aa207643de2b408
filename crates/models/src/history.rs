//! What a batch of translations has decoded. Keys and values stay where their step has put them: a search that reorders its rows
//! changes their ancestors, a few numbers a row, and copies nothing.

use tch::Tensor;

use crate::error::{ModelError, Result};

/// The rows of a batch under way.
#[derive(Debug, Default)]
pub struct Cache {
    /// The row of every step's block that each row descends from: `[rows][decoded]`.
    ancestors: Vec<Vec<i32>>,
    /// The source each row translates, never falling.
    row_sources: Vec<i64>,
    /// Where each source's keys start, and the end of the last.
    source_offsets: Vec<i64>,
    watched: bool,
    pub(crate) layers: Vec<LayerCache>,
    /// Of an ensemble, whose own parts above stay empty.
    pub(crate) members: Vec<Self>,
}

/// Keys and values of one decoder layer.
#[derive(Debug)]
pub(crate) struct LayerCache {
    /// A block a step, `[rows then, 2 width]`, keys before values.
    pub(crate) blocks: Vec<Tensor>,
    /// The same of the sources, `[source tokens, 2 width]`, computed once.
    pub(crate) source: Tensor,
}

impl Cache {
    /// One row a source; `memories` are each layer's keys and values of the sources.
    pub(crate) fn new(source_offsets: Vec<i64>, memories: Vec<Tensor>) -> Self {
        let sources = source_offsets.len() - 1;
        let layer = |source| LayerCache { blocks: Vec::new(), source };
        Self {
            ancestors: vec![Vec::new(); sources],
            row_sources: (0..sources as i64).collect(),
            source_offsets,
            layers: memories.into_iter().map(layer).collect(),
            ..Self::default()
        }
    }

    /// The caches of an ensemble's members, whose rows stay alike.
    pub(crate) fn together(members: Vec<Self>) -> Self {
        Self { members, ..Self::default() }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.members.first().map_or(self.ancestors.len(), Self::rows)
    }

    /// How many tokens each row has.
    pub fn decoded(&self) -> usize {
        self.members.first().map_or_else(|| self.ancestors.first().map_or(0, Vec::len), Self::decoded)
    }

    /// Makes every step say where it looked.
    pub fn watch(&mut self) {
        self.watched = true;
        self.members.iter_mut().for_each(Self::watch);
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watched
    }

    /// The source of each row, and where each source's keys start.
    pub(crate) fn sources(&self) -> (&[i64], &[i64]) {
        (&self.row_sources, &self.source_offsets)
    }

    /// Enters a step: every row descends from its own place in the blocks that the layers add now. All ancestors, row by row.
    pub(crate) fn advance(&mut self) -> Vec<i32> {
        for (row, ancestors) in self.ancestors.iter_mut().enumerate() {
            ancestors.push(row as i32);
        }
        self.ancestors.concat()
    }

    /// Makes row i continue what row `rows[i]` was. Rows may repeat and be left out, but the sources keep their order; a source
    /// without rows is done.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` for rows that do not exist, none at all, or sources out of order.
    pub fn reorder(&mut self, rows: &[usize]) -> Result<()> {
        if !self.members.is_empty() {
            return self.members.iter_mut().try_for_each(|member| member.reorder(rows));
        }
        let sources: Option<Vec<i64>> = rows.iter().map(|&row| self.row_sources.get(row).copied()).collect();
        let sources =
            sources.filter(|sources| !sources.is_empty() && sources.is_sorted()).ok_or_else(|| {
                let problem = "one or more existing rows are expected, their sources in order";
                ModelError::decoding(format!("{problem}; found {rows:?} of {} rows", self.rows()))
            })?;
        self.ancestors = rows.iter().map(|&row| self.ancestors[row].clone()).collect();
        self.row_sources = sources;
        Ok(())
    }
}
