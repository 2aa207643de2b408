//! Sums of losses over batches. What a device has summed waits there until somebody reads: a read-back a batch would stall it.

use crate::error::TrainerError;
use sagetrain_models::Loss;
use tch::{Device, Tensor};

/// Sums over tokens or samples.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) loss: f64,
    pub(crate) nll: f64,
    /// Of the smoothness term, unweighted; 0 without it.
    pub(crate) smoothness: f64,
}

/// Losses of the batches since something, as far as they were read.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) sums: Sums,
    /// Tokens or samples.
    pub(crate) count: i64,
    unread: Vec<[Tensor; 3]>,
    /// Whether a perturbation of the smoothness term was lost: a bool scalar.
    lost: Option<Tensor>,
}

impl Tally {
    /// Sums that were read before.
    pub(crate) fn of(sums: Sums, count: i64) -> Self {
        Self { sums, count, ..Self::default() }
    }

    /// Takes in a batch.
    pub(crate) fn add(&mut self, loss: &Loss) -> Result<(), TrainerError> {
        let term = match &loss.smoothness {
            Some(term) => term.sum.f_detach()?,
            None => loss.nll.f_zeros_like()?,
        };
        self.unread.push([loss.sum.f_detach()?, loss.nll.f_detach()?, term]);
        self.count += loss.count;
        self.lose(loss.smoothness.as_ref().map(|term| term.lost.shallow_clone()))
    }

    /// Takes in the batches of another.
    pub(crate) fn append(&mut self, other: Self) -> Result<(), TrainerError> {
        self.take(other.sums);
        self.count += other.count;
        self.unread.extend(other.unread);
        self.lose(other.lost)
    }

    /// Reads what waits: one copy from a device, whatever the number of batches.
    pub(crate) fn read(&mut self) -> Result<(), TrainerError> {
        for batches in std::mem::take(&mut self.unread).chunks(UNREAD) {
            on_host(batches)?.into_iter().for_each(|sums| self.take(sums));
        }
        Ok(())
    }

    /// Means of what was read.
    pub(crate) fn means(&self) -> Sums {
        let (count, Sums { loss, nll, smoothness }) = (self.count.max(1) as f64, self.sums);
        Sums { loss: loss / count, nll: nll / count, smoothness: smoothness / count }
    }

    /// Says of a gradient that is not finite when it is the smoothness term's.
    pub(crate) fn explain(&self, error: TrainerError) -> TrainerError {
        let lost = |flag: &Tensor| flag.f_int64_value(&[]).is_ok_and(|lost| lost != 0);
        if error.code() != "ERR_NON_FINITE" || !self.lost.as_ref().is_some_and(lost) {
            return error;
        }
        TrainerError::Perturbation { found: Box::new(error) }
    }

    fn take(&mut self, Sums { loss, nll, smoothness }: Sums) {
        self.sums.loss += loss;
        self.sums.nll += nll;
        self.sums.smoothness += smoothness;
    }

    fn lose(&mut self, lost: Option<Tensor>) -> Result<(), TrainerError> {
        self.lost = match (self.lost.take(), lost) {
            (Some(before), Some(now)) => Some(before.f_logical_or(&now)?),
            (before, now) => before.or(now),
        };
        Ok(())
    }
}

/// Batches that are stacked for one copy.
const UNREAD: usize = 4096;

fn on_host(batches: &[[Tensor; 3]]) -> Result<Vec<Sums>, TrainerError> {
    let sums = |[loss, nll, smoothness]: [f64; 3]| Sums { loss, nll, smoothness };
    if batches.first().is_none_or(|[loss, ..]| loss.device() == Device::Cpu) {
        let value = |tensor: &Tensor| tensor.f_double_value(&[]);
        let read = |[loss, nll, term]: &[Tensor; 3]| Ok(sums([value(loss)?, value(nll)?, value(term)?]));
        return batches.iter().map(read).collect();
    }
    let stacked = Tensor::f_stack(&batches.iter().flatten().collect::<Vec<_>>(), 0)?;
    let values = Vec::<f32>::try_from(&stacked.f_to_device(Device::Cpu)?)?;
    Ok(values.as_chunks::<3>().0.iter().map(|three| sums(three.map(f64::from))).collect())
}
