//! What moves on with every step: t, the averages that have begun, the loss scale.

use crate::average::Averaging;
use crate::error::{OptimError, Result};
use crate::loss_scale::{LossScale, LossScaleState};
use crate::options::OptimizerOptions;
use sagetrain_kernels::Float;

/// Where training stands, but for the arrays.
#[derive(Clone)]
pub(crate) struct Progress<F> {
    /// Steps taken.
    pub step: u64,
    pub averaging: Option<Averaging<F>>,
    pub loss_scale: Option<LossScale>,
}

impl<F: Float> Progress<F> {
    /// At step 0.
    pub fn new(options: &OptimizerOptions, parameters: usize) -> Result<Self> {
        Ok(Self {
            step: 0,
            averaging: options.average.map(|average| Averaging::new(average.decay, parameters)),
            loss_scale: options.loss_scale.map(LossScale::new).transpose()?,
        })
    }

    /// The caller's loss scale, or the dynamic one.
    pub fn scale_of(&self, given: Option<f64>) -> Result<f64> {
        match (&self.loss_scale, given) {
            (Some(_), Some(_)) => {
                let problem =
                    "is dynamic here: multiply the loss with the optimizer's, and leave it out".to_owned();
                Err(OptimError::Argument { argument: "lossScale", problem })
            }
            (None, given) => Ok(given.unwrap_or(1.0)),
            (Some(scale), None) => Ok(scale.scale()),
        }
    }

    /// Lets a dynamic loss scale follow a step.
    pub fn follow(&mut self, found_non_finite: bool) -> Result<()> {
        self.loss_scale.as_mut().map_or(Ok(()), |scale| scale.update(found_non_finite))
    }

    /// Goes on from a saved loss scale; without one of its own, or of `None`, that changes nothing.
    pub fn restore(&mut self, loss_scale: Option<LossScaleState>) -> Result<()> {
        match (&mut self.loss_scale, loss_scale) {
            (Some(scale), Some(state)) => scale.restore(state),
            _ => Ok(()),
        }
    }
}
