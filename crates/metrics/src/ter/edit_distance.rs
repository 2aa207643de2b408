//! Levenshtein distance near the diagonal, with the operations that lead to it. Source: `sacrebleu/metrics/lib_ter.py`.

/// Cells on either side of the diagonal that are looked at.
const BEAM: usize = 25;
/// A cell that was not looked at. Nothing is added to it often enough to overflow.
const UNREACHED: u32 = u32::MAX / 2;

/// One step from the hypothesis to the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    /// The next word of both is the same.
    Keep,
    Substitute,
    /// A word of the reference that the hypothesis lacks.
    Insert,
    /// A word of the hypothesis that the reference lacks.
    Delete,
}

type Cell = (u32, Option<Edit>);

/// Distances of prefixes of a hypothesis (rows) to prefixes of the reference (columns).
pub(super) struct Distances<'a> {
    reference: &'a [u32],
    /// The hypothesis's length fixes the diagonal.
    length: usize,
    rows: Vec<Vec<Cell>>,
}

impl<'a> Distances<'a> {
    /// Distances of `hypothesis`, and rows to work in for others of its length.
    pub fn new(hypothesis: &[u32], reference: &'a [u32]) -> Self {
        let initial = (0..=reference.len() as u32).map(|column| (column, Some(Edit::Insert))).collect();
        let mut rows = vec![initial];
        rows.resize(hypothesis.len() + 1, vec![(UNREACHED, None); reference.len() + 1]);
        let mut distances = Distances { reference, length: hypothesis.len(), rows };
        distances.fill(hypothesis, 0);
        distances
    }

    /// The distance of the whole hypothesis.
    pub fn total(&self) -> u32 {
        self.rows[self.length][self.reference.len()].0
    }

    /// A copy to try hypotheses of the same length in.
    pub fn scratch(&self) -> Self {
        Distances { reference: self.reference, length: self.length, rows: self.rows.clone() }
    }

    /// Makes these the distances of `hypothesis`, whose first `same` words are those of the one that `base` is about.
    pub fn retry(&mut self, base: &Self, hypothesis: &[u32], same: usize) -> u32 {
        for (row, from) in self.rows.iter_mut().zip(&base.rows).take(same + 1) {
            row.copy_from_slice(from);
        }
        self.fill(hypothesis, same);
        self.total()
    }

    fn fill(&mut self, hypothesis: &[u32], same: usize) {
        let columns = self.reference.len();
        let ratio = if self.length == 0 { 1.0 } else { columns as f64 / self.length as f64 };
        // Where the lengths differ much, a narrower beam would leave no way from one row to the next.
        let beam =
            if (BEAM as f64) < ratio / 2.0 { (ratio / 2.0 + BEAM as f64).ceil() as usize } else { BEAM };
        for row in same + 1..=self.length {
            let diagonal = (row as f64 * ratio).floor() as usize;
            let last = if row == self.length { columns + 1 } else { (columns + 1).min(diagonal + beam) };
            let (above, here) = self.rows.split_at_mut(row);
            let first = diagonal.saturating_sub(beam);
            fill_row(&above[row - 1], &mut here[0], hypothesis[row - 1], self.reference, first..last);
        }
    }

    /// The edits, first word first.
    pub fn edits(&self) -> Vec<Edit> {
        let (mut row, mut column) = (self.length, self.reference.len());
        let mut edits = Vec::with_capacity(row + column);
        while let Some(edit) = self.rows[row][column].1.filter(|_| row > 0 || column > 0) {
            edits.push(edit);
            row -= usize::from(edit != Edit::Insert);
            column -= usize::from(edit != Edit::Delete);
        }
        edits.reverse();
        edits
    }
}

/// Of equally cheap edits, keeping or substituting is preferred, then deletion, then insertion.
fn fill_row(above: &[Cell], row: &mut [Cell], word: u32, reference: &[u32], columns: std::ops::Range<usize>) {
    row.fill((UNREACHED, None));
    for column in columns {
        if column == 0 {
            row[0] = (above[0].0 + 1, Some(Edit::Delete));
            continue;
        }
        let diagonal = if word == reference[column - 1] {
            (above[column - 1].0, Some(Edit::Keep))
        } else {
            (above[column - 1].0 + 1, Some(Edit::Substitute))
        };
        let others = [(above[column].0 + 1, Some(Edit::Delete)), (row[column - 1].0 + 1, Some(Edit::Insert))];
        for edit in [diagonal, others[0], others[1]] {
            if edit.0 < row[column].0 {
                row[column] = edit;
            }
        }
    }
}
