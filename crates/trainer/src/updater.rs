//! The session's optimizer, on the device where its model is.

use crate::error::TrainerError;
use crate::parameters::infos;
use sagetrain_models::Model;
use sagetrain_optim::{
    LossScaleState, NamedState, Optimizer, OptimizerOptions, OptimizerSpec, SensitivityReport, StateOrigin,
    StepInputs, StepReport, Values,
};
use sagetrain_torch::cuda::{self, CudaOptimizer};
use sagetrain_torch::{ParallelFor, TensorAllocate, f32_slice, f32_slice_mut};
use tch::{Device, Tensor};

/// One optimizer under two roofs; states have the same names, order and numbers.
pub(crate) enum Updater {
    Cpu(Box<Optimizer>),
    Cuda(Box<CudaOptimizer<f32>>),
}

impl Updater {
    pub(crate) fn new(
        model: &dyn Model,
        device: Device,
        spec: &OptimizerSpec,
        options: &OptimizerOptions,
    ) -> Result<Self, TrainerError> {
        let infos = infos(model);
        Ok(match device {
            Device::Cuda(_) => {
                Self::Cuda(Box::new(CudaOptimizer::new(spec, &infos, options, device, cuda::kernels()?)?))
            }
            _ => Self::Cpu(Box::new(Optimizer::new(spec, &infos, options, &TensorAllocate)?)),
        })
    }

    /// One step in place, with a gradient or none for each of the model's parameters.
    pub(crate) fn step(
        &mut self,
        model: &dyn Model,
        gradients: &[Option<Tensor>],
        inputs: StepInputs,
    ) -> Result<StepReport, TrainerError> {
        let _no_grad = tch::no_grad_guard();
        let mut tensors = model.parameters().tensors();
        match self {
            Self::Cuda(optimizer) => Ok(optimizer.step(&tensors, gradients, inputs)?),
            Self::Cpu(optimizer) => {
                let mut parameters = tensors.iter_mut().map(f32_slice_mut).collect::<Result<Vec<_>, _>>()?;
                let gradients = gradients.iter().map(|gradient| gradient.as_ref().map(f32_slice).transpose());
                let gradients = gradients.collect::<Result<Vec<_>, _>>()?;
                Ok(optimizer.step(&mut parameters, &gradients, inputs, &ParallelFor)?)
            }
        }
    }

    /// The norm of the last step's gradients, read back from a device. `ERR_NON_FINITE` where a step since the last look was not taken.
    pub(crate) fn look(&mut self) -> Result<Option<f64>, TrainerError> {
        match self {
            Self::Cpu(_) => Ok(None),
            Self::Cuda(optimizer) => Ok(optimizer.verdict()?.map(|verdict| verdict.norm)),
        }
    }

    /// Exchanges weights and averages; a second call puts them back, to the bit.
    pub(crate) fn swap_averages(&mut self, model: &dyn Model) -> Result<(), TrainerError> {
        let _no_grad = tch::no_grad_guard();
        let mut tensors = model.parameters().tensors();
        match self {
            Self::Cuda(optimizer) => Ok(optimizer.swap_averages(&mut tensors)?),
            Self::Cpu(optimizer) => {
                let mut parameters = tensors.iter_mut().map(f32_slice_mut).collect::<Result<Vec<_>, _>>()?;
                Ok(optimizer.swap_averages(&mut parameters)?)
            }
        }
    }

    /// Shows all states; those of a device are copied, for which it is waited.
    pub(crate) fn with_states<T>(
        &mut self,
        use_them: impl FnOnce(Vec<NamedState<'_>>) -> Result<T, TrainerError>,
    ) -> Result<T, TrainerError> {
        match self {
            Self::Cpu(optimizer) => use_them(optimizer.state()),
            Self::Cuda(optimizer) => {
                let image = optimizer.image()?;
                use_them(optimizer.state(&image))
            }
        }
    }

    /// Takes over saved states.
    pub(crate) fn resume(
        &mut self,
        states: &[(&str, &[usize], Values<'_>)],
        step: u64,
        loss_scale: Option<LossScaleState>,
    ) -> Result<(), TrainerError> {
        match self {
            Self::Cpu(optimizer) => drop(optimizer.resume(states, step, loss_scale)?),
            Self::Cuda(optimizer) => drop(optimizer.load(states, step, loss_scale)?),
        }
        Ok(())
    }

    pub(crate) fn step_count(&self) -> u64 {
        match self {
            Self::Cpu(optimizer) => optimizer.step_count(),
            Self::Cuda(optimizer) => optimizer.plan().step_count(),
        }
    }

    pub(crate) fn next_multiplier(&self) -> Result<f64, TrainerError> {
        Ok(match self {
            Self::Cpu(optimizer) => optimizer.next_multiplier()?,
            Self::Cuda(optimizer) => optimizer.plan().next_multiplier()?,
        })
    }

    /// What to multiply the next batch's loss with.
    pub(crate) fn loss_scale(&self) -> f64 {
        match self {
            Self::Cpu(optimizer) => optimizer.loss_scale(),
            Self::Cuda(optimizer) => optimizer.plan().loss_scale(),
        }
    }

    /// The scale and how it came to be there, where there is one.
    pub(crate) fn loss_scale_state(&self) -> Option<LossScaleState> {
        match self {
            Self::Cpu(optimizer) => optimizer.loss_scale_state(),
            Self::Cuda(optimizer) => optimizer.plan().loss_scale_state(),
        }
    }

    pub(crate) fn resolved_scope(&self) -> &[String] {
        match self {
            Self::Cpu(optimizer) => optimizer.resolved_scope(),
            Self::Cuda(optimizer) => optimizer.plan().resolved_scope(),
        }
    }

    /// What the states were made by.
    pub(crate) fn origin(&self) -> StateOrigin {
        match self {
            Self::Cpu(optimizer) => optimizer.origin(),
            Self::Cuda(optimizer) => optimizer.plan().origin(),
        }
    }

    /// What the last step saw, where `observe` was due.
    pub(crate) fn sensitivity(&self) -> Option<&SensitivityReport> {
        match self {
            Self::Cpu(optimizer) => optimizer.sensitivity(),
            Self::Cuda(_) => None,
        }
    }
}
