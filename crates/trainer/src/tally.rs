//! Sums of losses over batches. What a device has summed waits there until somebody reads: a read-back a batch would stall it.

use crate::error::TrainerError;
use sagetrain_models::Loss;
use tch::{Device, Tensor};

/// Losses of the batches since something, as far as they were read.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) loss: f64,
    pub(crate) nll: f64,
    /// Tokens or samples.
    pub(crate) count: i64,
    unread: Vec<[Tensor; 2]>,
}

impl Tally {
    /// Sums that were read before.
    pub(crate) fn of(loss: f64, nll: f64, count: i64) -> Self {
        Self { loss, nll, count, unread: Vec::new() }
    }

    /// Takes in a batch.
    pub(crate) fn add(&mut self, loss: &Loss) -> Result<(), TrainerError> {
        self.unread.push([loss.sum.f_detach()?, loss.nll.f_detach()?]);
        self.count += loss.count;
        Ok(())
    }

    /// Takes in the batches of another.
    pub(crate) fn append(&mut self, other: Self) {
        self.loss += other.loss;
        self.nll += other.nll;
        self.count += other.count;
        self.unread.extend(other.unread);
    }

    /// Reads what waits: one copy from a device, whatever the number of batches.
    pub(crate) fn read(&mut self) -> Result<(), TrainerError> {
        for [loss, nll] in std::mem::take(&mut self.unread)
            .chunks(UNREAD)
            .map(on_host)
            .collect::<Result<Vec<_>, _>>()?
            .iter()
            .flatten()
        {
            self.loss += loss;
            self.nll += nll;
        }
        Ok(())
    }

    /// Mean loss and negative log-likelihood of what was read.
    pub(crate) fn means(&self) -> [f64; 2] {
        let count = self.count.max(1) as f64;
        [self.loss / count, self.nll / count]
    }
}

/// Scalars that are stacked for one copy.
const UNREAD: usize = 4096;

fn on_host(batches: &[[Tensor; 2]]) -> Result<Vec<[f64; 2]>, TrainerError> {
    if batches.first().is_none_or(|[loss, _]| loss.device() == Device::Cpu) {
        let read = |[loss, nll]: &[Tensor; 2]| Ok([loss.f_double_value(&[])?, nll.f_double_value(&[])?]);
        return batches.iter().map(read).collect();
    }
    let stacked = Tensor::f_stack(&batches.iter().flatten().collect::<Vec<_>>(), 0)?;
    let values = Vec::<f32>::try_from(&stacked.f_to_device(Device::Cpu)?)?;
    Ok(values.as_chunks::<2>().0.iter().map(|pair| pair.map(f64::from)).collect())
}
