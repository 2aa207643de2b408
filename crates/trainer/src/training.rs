//! One training step: batch, loss, gradients, norm, update, report.

use crate::error::TrainerError;
use crate::inputs::inputs;
use crate::label_smoothing;
use crate::options::SessionOptions;
use crate::smoothness;
use crate::tally::{Sums, Tally};
use crate::updater::Updater;
use sagetrain_data::Batch;
use sagetrain_models::{Forward, Inputs, Loss, Model};
use sagetrain_optim::{SensitivityReport, StepInputs};
use serde::Serialize;
use std::time::Instant;
use tch::{Device, Tensor};

/// What one call of [`crate::Session::step`] did.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Optimizer steps finished so far.
    pub step: u64,
    /// Whether this call ended in an update, or only added its gradients to those of the next one.
    pub updated: bool,
    /// Whether losses and norm were read. Where they wait on a device (`logEvery`), means and norm are missing until the next reading,
    /// which is of all updates since the last.
    pub read: bool,
    /// Mean loss of the update's tokens or samples in nats, label smoothing included; NaN where it was not read.
    pub loss: f64,
    /// Mean negative log-likelihood in nats, without smoothing; NaN where it was not read.
    pub nll: f64,
    /// Mean of the smoothness term, which is minimised beside the loss, without its weight; absent without `smoothness`, NaN where it was
    /// not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoothness: Option<f64>,
    /// Tokens or samples the means are over.
    pub count: i64,
    /// The rate the update used, lr·s(t) of the optimizer's default group; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Global norm of the mean gradient before clipping; absent where neither clipping nor the check ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
    /// The gradient was not finite and nothing was changed.
    pub skipped: bool,
    /// Wall time of this call on the engine thread.
    pub seconds: f64,
    /// The part of `seconds` in the optimizer: norm, check and update.
    pub optimizer_seconds: f64,
}

impl StepReport {
    fn mean(&mut self, means: Sums) {
        (self.loss, self.nll) = (means.loss, means.nll);
        self.smoothness = self.smoothness.map(|_| means.smoothness);
    }
}

/// Gradients of the batches since the last update.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) gradients: Vec<Option<Tensor>>,
    pub(crate) batches: u32,
    pub(crate) tally: Tally,
}

/// A session's state beside its model.
pub(crate) struct Training {
    pub(crate) options: SessionOptions,
    pub(crate) device: Device,
    pub(crate) optimizer: Updater,
    pub(crate) pending: Pending,
    /// Losses of the updates since the last reading.
    window: Tally,
    /// Optimizer steps finished.
    pub(crate) step: u64,
    /// Batches seen; the counter of every random stream.
    pub(crate) passes: u64,
    /// Multiplies every rate, beside the schedule.
    pub(crate) rate_factor: f64,
    /// Whether the model's tensors hold the averages, and the optimizer's the weights.
    pub(crate) swapped: bool,
    pub(crate) sensitivity: Option<SensitivityReport>,
}

impl Training {
    /// Lays out the optimizer for the model's parameters, which are on `device`. `options` are resolved.
    pub(crate) fn new(
        model: &dyn Model,
        device: Device,
        options: SessionOptions,
    ) -> Result<Self, TrainerError> {
        let threads = options.threads();
        smoothness::check(model, &options.run)?;
        label_smoothing::check(model.spec(), &options.run)?;
        sagetrain_torch::set_threads(threads)?;
        let optimizer = Updater::new(model, device, &options.optimizer, &options.update)?;
        let (pending, window) = (Pending::default(), Tally::default());
        let (step, passes, rate_factor, swapped, sensitivity) = (0, 0, 1.0, false, None);
        Ok(Self {
            options,
            device,
            optimizer,
            pending,
            window,
            step,
            passes,
            rate_factor,
            swapped,
            sensitivity,
        })
    }

    /// Forward, backward, and an update where this batch completes one.
    pub(crate) fn step(&mut self, model: &dyn Model, batch: &Batch) -> Result<StepReport, TrainerError> {
        self.check_weights()?;
        let started = Instant::now();
        let inputs = inputs(batch, self.device)?;
        let loss = self.loss(model, &inputs)?;
        self.accumulate(model, &loss)?;
        let reads = self.options.log_every() == 1;
        if reads {
            self.pending.tally.read()?;
        }
        let mut report = self.report(reads);
        if self.pending.batches == self.options.run.accumulate {
            self.update(model, &mut report)?;
        }
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }

    /// The update of the batches since the last one, however few; without any it changes nothing.
    pub(crate) fn finish(&mut self, model: &dyn Model) -> Result<StepReport, TrainerError> {
        self.check_weights()?;
        let started = Instant::now();
        let mut report = self.report(self.options.log_every() == 1);
        if self.pending.batches > 0 {
            self.update(model, &mut report)?;
        }
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }

    /// Waits for what is queued on a device: losses of an unfinished accumulation are read, and a step that was not taken is an error.
    pub(crate) fn settle(&mut self) -> Result<(), TrainerError> {
        self.pending.tally.read()?;
        let looked = self.optimizer.look().map_err(|error| self.window.explain(error));
        self.step = self.optimizer.step_count();
        looked.map(drop)
    }

    /// The next reading begins here.
    pub(crate) fn forget_losses(&mut self) {
        self.window = Tally::default();
    }

    /// Exchanges weights and averages; a second call puts them back, to the bit.
    pub(crate) fn swap_averages(&mut self, model: &dyn Model) -> Result<(), TrainerError> {
        self.optimizer.swap_averages(model)?;
        self.swapped = !self.swapped;
        Ok(())
    }

    /// Whether the optimizer averages the weights.
    pub(crate) fn averages(&self) -> bool {
        self.options.update.average.is_some()
    }

    /// Refuses what would take averages for weights.
    pub(crate) fn check_weights(&self) -> Result<(), TrainerError> {
        let message = "the model holds its averaged weights for an evaluation; wait for its end";
        if self.swapped { Err(TrainerError::State { message: message.into() }) } else { Ok(()) }
    }

    /// In place of the schedule's own multiplier, where there is a factor.
    fn multiplier(&self) -> Result<Option<f64>, TrainerError> {
        if self.rate_factor == 1.0 {
            return Ok(None);
        }
        Ok(Some(self.optimizer.next_multiplier()? * self.rate_factor))
    }

    fn loss(&mut self, model: &dyn Model, inputs: &Inputs) -> Result<Loss, TrainerError> {
        let forward = Forward {
            training: true,
            precision: self.options.products(),
            seed: self.options.run.seed,
            step: self.passes,
            loss_scale: self.optimizer.loss_scale(),
        };
        let loss = smoothness::loss(model, inputs, &self.options.run, &forward)?;
        self.passes += 1;
        Ok(loss)
    }

    /// Adds this batch's summed gradients: the division by the count comes with the update, so that unequal batches
    /// weigh by their tokens.
    fn accumulate(&mut self, model: &dyn Model, loss: &Loss) -> Result<(), TrainerError> {
        let tensors: Vec<&Tensor> = model.parameters().iter().map(|parameter| &parameter.tensor).collect();
        let scale = self.optimizer.loss_scale();
        let minimised = loss.minimised()?;
        let minimised = if scale == 1.0 { minimised } else { minimised.f_mul_scalar(scale)? };
        let fresh = Tensor::f_run_backward(&[&minimised], &tensors, false, false)?;
        let fresh = fresh.into_iter().map(|gradient| gradient.defined().then_some(gradient));
        if self.pending.gradients.is_empty() {
            self.pending.gradients = fresh.map(contiguous).collect::<Result<_, _>>()?;
        } else {
            for (sum, gradient) in self.pending.gradients.iter_mut().zip(fresh) {
                add(sum, gradient)?;
            }
        }
        self.pending.batches += 1;
        self.pending.tally.add(loss)
    }

    fn update(&mut self, model: &dyn Model, report: &mut StepReport) -> Result<(), TrainerError> {
        let pending = std::mem::take(&mut self.pending);
        let started = Instant::now();
        let (divisor, multiplier) = (pending.tally.count as f64, self.multiplier()?);
        let inputs = StepInputs { divisor, multiplier, ..StepInputs::default() };
        let done = self.optimizer.step(model, &pending.gradients, inputs);
        let done = done.map_err(|error| pending.tally.explain(error))?;
        self.step = done.step;
        let fresh = self.optimizer.sensitivity().filter(|seen| seen.step == done.step && !done.skipped);
        self.sensitivity = fresh.cloned().or_else(|| self.sensitivity.take());
        report.step = done.step;
        report.lr = Some(done.lr);
        report.updated = !done.skipped;
        report.skipped = done.skipped;
        report.gradient_norm = done.gradient_norm;
        report.optimizer_seconds = started.elapsed().as_secs_f64();
        self.window.append(pending.tally)?;
        if done.step.is_multiple_of(self.options.log_every()) || done.skipped {
            self.read(report)?;
        }
        Ok(())
    }

    /// Reads what the updates since the last reading have left on the device, and learns whether all of them were taken.
    fn read(&mut self, report: &mut StepReport) -> Result<(), TrainerError> {
        let mut window = std::mem::take(&mut self.window);
        let norm = self.optimizer.look().map_err(|error| window.explain(error));
        self.step = self.optimizer.step_count();
        report.gradient_norm = norm?.or(report.gradient_norm);
        window.read()?;
        report.read = true;
        report.mean(window.means());
        report.count = window.count;
        Ok(())
    }

    /// What is known before an update.
    fn report(&self, read: bool) -> StepReport {
        let nan = Sums { loss: f64::NAN, nll: f64::NAN, smoothness: f64::NAN };
        let Sums { loss, nll, smoothness } = if read { self.pending.tally.means() } else { nan };
        StepReport {
            step: self.step,
            updated: false,
            read,
            loss,
            nll,
            smoothness: self.options.run.smoothness.map(|_| smoothness),
            count: self.pending.tally.count,
            lr: None,
            gradient_norm: None,
            skipped: false,
            seconds: 0.0,
            optimizer_seconds: 0.0,
        }
    }
}

fn contiguous(gradient: Option<Tensor>) -> Result<Option<Tensor>, TrainerError> {
    gradient.map(|gradient| Ok(gradient.f_contiguous()?)).transpose()
}

fn add(sum: &mut Option<Tensor>, gradient: Option<Tensor>) -> Result<(), TrainerError> {
    match (sum.as_mut(), gradient) {
        (Some(sum), Some(gradient)) => drop(sum.f_add_(&gradient)?),
        (None, gradient) => *sum = contiguous(gradient)?,
        (Some(_), None) => (),
    }
    Ok(())
}
