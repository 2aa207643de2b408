//! The optimizer over CUDA tensors.
#![allow(unsafe_code, reason = "launches kernels on the addresses of tensors")]

use std::sync::Arc;

use sagetrain_kernels::Stored;
use sagetrain_kernels::cuda::{Kernels, Verdict};
use sagetrain_optim::cuda::{Addresses, DeviceOptimizer, DeviceStep, StateImage};
use sagetrain_optim::{
    LoadReport, LossScaleState, NamedState, OptimizerOptions, OptimizerSpec, ParameterInfo, StepInputs,
    StepReport, Values,
};
use tch::{Device, Kind, Tensor};

use super::error::CudaStepError;
use super::stream::{Back, enter_with, number};
use super::tensors::{Places, places};
use crate::composed::upload;
use crate::ffi::stream as ffi;

const VERDICT_BYTES: usize = size_of::<Verdict>();

/// As [`Optimizer`](sagetrain_optim::Optimizer), over CUDA tensors of type `S`. See [`sagetrain_optim::cuda`] for when a step waits.
///
/// Tables are uploaded when a tensor's address changes, from pinned memory, so that nobody waits. All calls act on libtorch's current stream of the calling thread; steps on different streams must be ordered by the caller.
pub struct CudaOptimizer<S: Stored> {
    plan: DeviceOptimizer<S>,
    kernels: Arc<Kernels>,
    device: Device,
    arena: Tensor,
    verdict: Tensor,
    tables: Option<Uploaded>,
}

/// Tables on the device.
struct Uploaded {
    version: u64,
    tables: Tensor,
    sums: Tensor,
}

type Result<T> = std::result::Result<T, CudaStepError>;

impl<S: Stored> CudaOptimizer<S> {
    /// An optimizer at step 0, its states zeros on `device`.
    ///
    /// # Errors
    /// Those of [`DeviceOptimizer::new`]; `ERR_ARGUMENT` for a device that is not CUDA's, `ERR_TORCH` for one that is not there.
    pub fn new(
        spec: &OptimizerSpec,
        parameters: &[ParameterInfo],
        options: &OptimizerOptions,
        device: Device,
        kernels: Arc<Kernels>,
    ) -> Result<Self> {
        number(device)?;
        let plan = DeviceOptimizer::new(spec, parameters, options)?;
        let arena = zeros(plan.arena_bytes() as usize, device)?;
        let verdict = zeros(VERDICT_BYTES, device)?;
        Ok(Self { plan, kernels, device, arena, verdict, tables: None })
    }

    /// Queues one step, in place, and returns. Under `skip` and dynamic loss scaling it waits for the verdict, and `gradient_norm` is
    /// there. Autograd does not see the writes: hold a `no_grad_guard`, and do not write what a pending backward pass has saved.
    ///
    /// # Errors
    /// `ERR_SHAPE`, `ERR_DTYPE` or `ERR_ARGUMENT` for what does not fit: nothing has changed then. `ERR_CUDA` or `ERR_TORCH` where a
    /// launch fails: parameters and states are then those of before or after the step, tensor by tensor.
    pub fn step(
        &mut self,
        parameters: &[Tensor],
        gradients: &[Option<Tensor>],
        inputs: StepInputs,
    ) -> Result<StepReport> {
        let Places { parameters: thetas, gradients: slopes } =
            places::<S>(self.plan.parameters(), self.device, parameters, gradients)?;
        let arena = self.arena.data_ptr() as u64;
        let addresses = Addresses { parameters: &thetas, gradients: &slopes, arena };
        let step = self.plan.prepare(&addresses, inputs)?;
        let _device = self.enter()?;
        let uploaded = self.upload()?;
        let own = [&self.arena, &self.verdict, &uploaded.tables, &uploaded.sums];
        let tensors = parameters.iter().chain(gradients.iter().flatten()).chain(own);
        ffi::record(&tensors.collect::<Vec<_>>(), number(self.device)?)?;
        // SAFETY: the tables were made of these addresses, which `places` has checked: on this device, as long as the plan says, apart
        // from each other and from this optimizer's own tensors. Their memory is kept until the stream has run what is queued here.
        unsafe { self.launch(&uploaded, &step) }?;
        self.tables = Some(uploaded);
        let verdict = if self.plan.waits() { Some(self.read()?) } else { None };
        Ok(self.plan.finish(&step, verdict.as_ref())?)
    }

    /// What came of the last step's gradients, read back, zeros before the first; `None` where nobody looks at them. Waits for the stream.
    ///
    /// # Errors
    /// `ERR_NON_FINITE` where the policy is `error` and a step since the last look was not taken: t is set back, and training may go on
    /// from there.
    pub fn verdict(&mut self) -> Result<Option<Verdict>> {
        let options = self.plan.options();
        let unread = sagetrain_optim::NonFinite::Unchecked;
        if options.non_finite == unread && options.max_gradient_norm.is_none() {
            return Ok(None);
        }
        let _device = self.enter()?;
        let verdict = self.read()?;
        if let Err(error) = self.plan.check(&verdict) {
            self.clear_verdict()?;
            return Err(error.into());
        }
        Ok(Some(verdict))
    }

    /// Exchanges every parameter with its average, where one has begun; a second call puts both back, to the bit. Nothing waits.
    ///
    /// # Errors
    /// `ERR_ARGUMENT`, `ERR_SHAPE` or `ERR_DTYPE` for what does not fit: nothing has changed then.
    pub fn swap_averages(&mut self, parameters: &mut [Tensor]) -> Result<()> {
        places::<S>(self.plan.parameters(), self.device, parameters, &none(parameters.len()))?;
        for (index, offset, bytes) in self.plan.averages() {
            let parameter = &mut parameters[index];
            let bytes = self.arena.f_narrow(0, offset as i64, bytes as i64)?;
            let mut average = bytes.f_view_dtype(parameter.f_kind()?)?.f_view(parameter.size().as_slice())?;
            let weights = parameter.f_detach_copy()?;
            parameter.f_copy_(&average)?;
            average.f_copy_(&weights)?;
        }
        Ok(())
    }

    /// A copy of all states on the host. Waits for the device.
    ///
    /// # Errors
    /// Those of [`verdict`](Self::verdict), so that t belongs to the states.
    pub fn image(&mut self) -> Result<StateImage<S>> {
        let _device = self.enter()?;
        self.kernels.driver().synchronize()?;
        self.verdict()?;
        let mut image = self.plan.image()?;
        let bytes = image.bytes_mut();
        let length = bytes.len();
        self.arena.f_copy_data_u8(bytes, length)?;
        Ok(image)
    }

    /// The states in a copy, as [`Optimizer::state`](sagetrain_optim::Optimizer::state) gives them.
    pub fn state<'a>(&'a self, image: &'a StateImage<S>) -> Vec<NamedState<'a>> {
        self.plan.state(image)
    }

    /// As [`Optimizer::resume`](sagetrain_optim::Optimizer::resume). Waits for the device.
    ///
    /// # Errors
    /// Those of [`Optimizer::resume`](sagetrain_optim::Optimizer::resume), and `ERR_TORCH`.
    pub fn load<'a, V: Into<Values<'a>> + Copy>(
        &mut self,
        state: &[(&str, &[usize], V)],
        step: u64,
        loss_scale: Option<LossScaleState>,
    ) -> Result<LoadReport> {
        let _device = self.enter()?;
        self.kernels.driver().synchronize()?;
        let Self { plan, arena, verdict, device, .. } = self;
        plan.load(state, step, loss_scale, |bytes| {
            arena.f_copy_(&to_device(bytes, *device)?)?;
            let _same = verdict.f_zero_()?;
            Ok(())
        })
    }

    /// What the host knows: step count, scope, loss scale.
    pub fn plan(&self) -> &DeviceOptimizer<S> {
        &self.plan
    }

    /// Makes the device current.
    fn enter(&self) -> Result<Back> {
        Ok(enter_with(&self.kernels, number(self.device)?)?)
    }

    /// The tables on the device: those there are, or new ones.
    fn upload(&mut self) -> Result<Uploaded> {
        let tables = self.plan.tables();
        let version = tables.version();
        match self.tables.take().filter(|known| known.version == version) {
            Some(known) => Ok(known),
            None => Ok(Uploaded {
                version,
                tables: to_device(tables.bytes(), self.device)?,
                sums: zeros(tables.sums() as usize * size_of::<f64>(), self.device)?,
            }),
        }
    }

    /// # Safety
    /// The addresses in the tables are good until the stream has run what is queued.
    unsafe fn launch(&self, uploaded: &Uploaded, step: &DeviceStep<S::Compute>) -> Result<()> {
        let (tables, stream) = (self.plan.tables(), ffi::stream(number(self.device)?)?);
        let table = uploaded.tables.data_ptr() as u64;
        let (sums, verdict) = (uploaded.sums.data_ptr() as u64, self.verdict.data_ptr() as u64);
        if let Some(norm) = step.norm {
            // SAFETY: by the caller's word; there are as many sums as parts.
            unsafe { self.kernels.squares::<S>(stream, &tables.squares(table, sums)) }?;
            // SAFETY: by the caller's word.
            unsafe { self.kernels.judge(stream, &norm.judge(sums, tables.sums(), verdict)) }?;
        }
        for ((plan, at), constants) in tables.plans().zip(&step.constants) {
            // SAFETY: by the caller's word; the plan's table lies at its offset.
            unsafe { self.kernels.step(stream, plan, table + at, step.norm.map(|_| verdict), constants) }?;
        }
        Ok(())
    }

    fn read(&self) -> Result<Verdict> {
        let mut bytes = [0; VERDICT_BYTES];
        self.verdict.f_copy_data_u8(&mut bytes, VERDICT_BYTES)?;
        Ok(bytemuck::pod_read_unaligned(&bytes))
    }

    fn clear_verdict(&mut self) -> Result<()> {
        let _same = self.verdict.f_zero_()?;
        Ok(())
    }
}

fn none(count: usize) -> Vec<Option<Tensor>> {
    (0..count).map(|_| None).collect()
}

fn zeros(bytes: usize, device: Device) -> Result<Tensor> {
    Ok(Tensor::f_zeros([bytes as i64], (Kind::Uint8, device))?)
}

fn to_device(bytes: &[u8], device: Device) -> Result<Tensor> {
    Ok(upload(&Tensor::f_from_data_size(bytes, &[bytes.len() as i64], Kind::Uint8)?, device)?)
}
