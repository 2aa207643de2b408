//! Sequences of different lengths, packed.

use sagetrain_torch::upload;
use tch::{Device, Tensor};

use crate::error::{ModelError, Result};

/// Sequences of different lengths, one after the other without padding.
#[derive(Debug)]
pub struct Ragged {
    /// Token ids, int64 `[tokens]`.
    pub values: Tensor,
    /// Position of each token in its sequence, int64 `[tokens]`.
    pub positions: Tensor,
    /// Where each sequence starts, and the end of the last: sequences + 1 numbers.
    pub offsets: Vec<i64>,
    /// The smallest and the largest id.
    range: (i32, i32),
}

impl Ragged {
    /// Packs `values` cut at `offsets`; `column` names it in errors.
    ///
    /// # Errors
    /// `ERR_SHAPE` when the offsets do not start at 0, do not rise to the number of values, or leave a sequence empty.
    pub fn new(column: &str, values: &[i32], offsets: &[i64]) -> Result<Self> {
        check_offsets(column, offsets, values.len())?;
        let wide: Vec<i64> = values.iter().map(|&value| i64::from(value)).collect();
        let positions: Vec<i64> = offsets.windows(2).flat_map(|ends| 0..ends[1] - ends[0]).collect();
        let range = values.iter().fold((i32::MAX, i32::MIN), |(low, high), &id| (low.min(id), high.max(id)));
        Ok(Self {
            values: Tensor::f_from_slice(&wide)?,
            positions: Tensor::f_from_slice(&positions)?,
            offsets: offsets.to_vec(),
            range,
        })
    }

    /// The same on a device.
    pub(crate) fn on(&self, device: Device) -> Result<Self> {
        let (values, positions) = (upload(&self.values, device)?, upload(&self.positions, device)?);
        Ok(Self { values, positions, offsets: self.offsets.clone(), range: self.range })
    }

    /// How many sequences there are.
    pub fn sequences(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many tokens there are.
    pub fn tokens(&self) -> i64 {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Length of each sequence.
    pub fn lengths(&self) -> impl Iterator<Item = i64> + '_ {
        self.offsets.windows(2).map(|ends| ends[1] - ends[0])
    }

    /// The longest sequence's length.
    pub fn longest(&self) -> i64 {
        self.lengths().max().unwrap_or(0)
    }

    /// Each sequence moved one place to the right behind `first`, its last token dropped: what a decoder reads. `[tokens]`
    pub(crate) fn shifted(&self, first: i64) -> Result<Tensor> {
        Ok(self.values.f_roll([1], [0])?.f_index_fill_(0, &self.starts()?, first)?)
    }

    /// The place of each sequence's first token, int64 `[sequences]`.
    pub(crate) fn starts(&self) -> Result<Tensor> {
        let starts = Tensor::f_from_slice(&self.offsets[..self.sequences()])?;
        Ok(upload(&starts, self.values.device())?)
    }

    /// Refuses another number of sequences than `other_column` has.
    pub(crate) fn check_count(&self, column: &str, expected: i64, other_column: &str) -> Result<()> {
        let found = self.sequences() as i64;
        let problem = || format!("{found} sequences, \"{other_column}\" has {expected}");
        if found == expected { Ok(()) } else { Err(ModelError::input(column, problem())) }
    }

    /// Refuses ids outside `0..bound` and sequences longer than `longest`.
    pub(crate) fn check(&self, column: &str, bound: usize, longest: usize) -> Result<()> {
        let (low, high) = self.range;
        if low < 0 || high as usize >= bound {
            let problem = format!("ids of 0 to {} are expected, found {low} to {high}", bound - 1);
            return Err(ModelError::input(column, problem));
        }
        let Some(index) = self.lengths().position(|length| length as usize > longest) else { return Ok(()) };
        let length = self.offsets[index + 1] - self.offsets[index];
        let problem =
            format!("sequence {index} has {length} tokens, the model holds {longest} (maxPositions)");
        Err(ModelError::input(column, problem))
    }
}

fn check_offsets(column: &str, offsets: &[i64], values: usize) -> Result<()> {
    let ends = (offsets.first().copied(), offsets.last().copied());
    if offsets.len() < 2 || ends != (Some(0), Some(values as i64)) {
        let problem = format!(
            "offsets of 0 to the {values} values are expected, found {} from {ends:?}",
            offsets.len()
        );
        return Err(ModelError::input(column, problem));
    }
    // Softmax over no keys has no value, so an empty sequence is refused here rather than found as NaN later.
    let empty = offsets.windows(2).position(|pair| pair[0] >= pair[1]);
    empty.map_or(Ok(()), |index| Err(ModelError::input(column, format!("sequence {index} is empty"))))
}
