//! Sufficient statistics: what a corpus score needs to know about each sentence.

use crate::error::{MetricsError, check_pairs};
use crate::metric::Metric;

/// A row of counts for each sentence of one system's output; rows add up to the corpus's.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    width: usize,
    values: Vec<f64>,
}

impl Statistics {
    /// Counts `hypotheses` against `references`: one list a reference, each with one line a hypothesis.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` when the lists are empty or differ in length, or `metric` takes one reference and there are several.
    pub fn of<H: AsRef<str>, R: AsRef<str>>(
        metric: &dyn Metric,
        hypotheses: &[H],
        references: &[&[R]],
    ) -> Result<Self, MetricsError> {
        check_references(metric, hypotheses.len(), references)?;
        let mut values = Vec::with_capacity(hypotheses.len() * metric.width());
        let mut of_sentence = Vec::with_capacity(references.len());
        for (line, hypothesis) in hypotheses.iter().enumerate() {
            of_sentence.clear();
            of_sentence.extend(references.iter().map(|lines| lines[line].as_ref()));
            values.extend(metric.count(hypothesis.as_ref(), &of_sentence));
        }
        Ok(Statistics { width: metric.width(), values })
    }

    /// Number of sentences.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is no sentence.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Counts of the sentence at `index`.
    pub fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.width..][..self.width]
    }

    /// Counts of all sentences, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }

    /// Counts of the corpus.
    pub fn total(&self) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        self.rows().for_each(|row| add(&mut sum, row));
        sum
    }
}

fn check_references<R>(
    metric: &dyn Metric,
    hypotheses: usize,
    references: &[&[R]],
) -> Result<(), MetricsError> {
    if references.is_empty() {
        return Err(MetricsError::Empty { metric: metric.name() });
    }
    if references.len() > 1 && metric.single_reference() {
        return Err(MetricsError::SingleReference { metric: metric.name(), references: references.len() });
    }
    let unequal = references.iter().map(|lines| lines.len()).find(|&lines| lines != hypotheses);
    check_pairs(metric.name(), ("hypotheses", hypotheses), ("references", unequal.unwrap_or(hypotheses)))
}

/// Adds `row` to `sum`, element by element.
pub(crate) fn add(sum: &mut [f64], row: &[f64]) {
    sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}
