//! The optimizer on typed arrays.

use crate::borrow::{Element, Floats, array, borrow, values};
use crate::fault::Fault;
use crate::slot::{Slot, guarded};
use crate::spec::parse;
use napi::bindgen_prelude::{Env, ObjectFinalize, Unknown};
use napi_derive::napi;
use sagetrain_optim::{
    LoadReport, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, Pool, SensitivityReport,
    StepInputs, Stored, Values, bf16, f16,
};
use std::path::Path;
use std::sync::OnceLock;

/// A parameter's name and shape; the role only where a model says it.
#[napi(object)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<f64>,
    pub role: Option<String>,
}

/// Scalars of one step.
#[napi(object)]
pub struct StepScalars {
    pub multiplier: Option<f64>,
    pub divisor: f64,
    pub loss_scale: Option<f64>,
}

/// What a step did.
#[napi(object)]
pub struct StepResult {
    pub step: f64,
    pub gradient_norm: Option<f64>,
    pub skipped: bool,
}

/// A named array.
#[napi(object)]
pub struct NamedArray {
    pub name: String,
    pub shape: Vec<f64>,
    #[napi(ts_type = "Float32Array | Float64Array | Uint16Array")]
    pub values: Floats,
}

/// Where dynamic loss scaling stands.
#[napi(object)]
pub struct LossScaleState {
    pub scale: f64,
    pub good_steps: f64,
}

/// All states.
#[napi(object)]
pub struct OptimizerState {
    pub step: f64,
    pub loss_scale: Option<LossScaleState>,
    pub tensors: Vec<NamedArray>,
}

/// What of a loaded state did not fit.
#[napi(object)]
pub struct Mismatch {
    pub missing: Vec<String>,
    pub unused: Vec<String>,
}

/// What came of going on from a file.
#[napi(object)]
pub struct Restored {
    pub step: f64,
    pub missing: Vec<String>,
    pub unused: Vec<String>,
    pub changes: Vec<String>,
    pub stale: Vec<String>,
}

enum Kind {
    Single(Optimizer<f32>),
    Double(Optimizer<f64>),
    BFloat16(Optimizer<bf16>),
    Float16(Optimizer<f16>),
}

/// The same expression for whichever optimizer it is.
macro_rules! each {
    ($kind:expr, $optimizer:ident => $body:expr) => {
        match $kind {
            Kind::Single($optimizer) => $body,
            Kind::Double($optimizer) => $body,
            Kind::BFloat16($optimizer) => $body,
            Kind::Float16($optimizer) => $body,
        }
    };
}

/// An optimizer that owns its states and borrows parameters and gradients.
#[napi(js_name = "Optimizer", custom_finalize)]
pub struct NativeOptimizer {
    slot: Slot<Kind>,
}

#[napi]
impl NativeOptimizer {
    /// `dtype` is "float32", "float64", "bfloat16" or "float16".
    #[napi(catch_unwind)]
    pub fn create(
        env: &Env,
        spec: String,
        parameters: Vec<Parameter>,
        options: String,
        dtype: String,
    ) -> napi::Result<Self> {
        let (kind, bytes) = guarded(|| {
            let spec = OptimizerSpec::from_json(&parse(&spec)?, "optimizer")?;
            let options = OptimizerOptions::from_json(&parse(&options)?, "options")?;
            let infos: Vec<_> = parameters.into_iter().map(info).collect();
            let kind = match dtype.as_str() {
                "float64" => Kind::Double(Optimizer::new(&spec, &infos, &options, &Owned)?),
                "bfloat16" => Kind::BFloat16(Optimizer::new(&spec, &infos, &options, &Owned)?),
                "float16" => Kind::Float16(Optimizer::new(&spec, &infos, &options, &Owned)?),
                _ => Kind::Single(Optimizer::new(&spec, &infos, &options, &Owned)?),
            };
            let bytes = each!(&kind, optimizer => optimizer.state_bytes());
            Ok::<_, Fault>((kind, bytes))
        })?;
        Ok(Self { slot: Slot::new(env, "optimizer", kind, bytes)? })
    }

    /// Updates `parameters` in place; null leaves its parameter untouched.
    #[napi(
        catch_unwind,
        ts_args_type = "parameters: readonly (Float32Array | Float64Array | Uint16Array)[], gradients: readonly (Float32Array | Float64Array | Uint16Array | null)[], scalars: StepScalars"
    )]
    pub fn step(
        &mut self,
        parameters: Vec<Unknown>,
        gradients: Vec<Option<Unknown>>,
        scalars: StepScalars,
    ) -> napi::Result<StepResult> {
        self.slot.with(|kind| each!(kind, optimizer => step(optimizer, &parameters, &gradients, &scalars)))
    }

    /// Copies of all states.
    #[napi(catch_unwind)]
    pub fn state(&mut self) -> napi::Result<OptimizerState> {
        self.slot.with(|kind| Ok::<_, Fault>(each!(kind, optimizer => state(optimizer))))
    }

    /// Takes states over, all or none.
    #[napi(catch_unwind)]
    pub fn load(&mut self, state: OptimizerState) -> napi::Result<Mismatch> {
        let report = self.slot.with(|kind| each!(kind, optimizer => load(optimizer, &state)))?;
        Ok(Mismatch { missing: report.missing, unused: report.unused })
    }

    /// Writes the whole state to a file.
    #[napi(catch_unwind)]
    pub fn save(&mut self, path: String) -> napi::Result<()> {
        self.slot.with(|kind| Ok::<_, Fault>(each!(kind, optimizer => optimizer.save(Path::new(&path)))?))
    }

    /// Goes on from a file, all or nothing.
    #[napi(catch_unwind)]
    pub fn restore(&mut self, path: String, step: Option<f64>) -> napi::Result<Restored> {
        let step = step.map(|step| step as u64);
        self.slot.with(|kind| restored(each!(kind, optimizer => optimizer.restore(Path::new(&path), step))))
    }

    /// Writes the state as a torch optimizer's.
    #[napi(catch_unwind)]
    pub fn export_torch(&mut self, path: String) -> napi::Result<()> {
        self.slot
            .with(|kind| Ok::<_, Fault>(each!(kind, optimizer => optimizer.export_torch(Path::new(&path)))?))
    }

    /// Goes on from a torch optimizer's state, all or nothing.
    #[napi(catch_unwind)]
    pub fn import_torch(&mut self, path: String, step: Option<f64>) -> napi::Result<Restored> {
        let step = step.map(|step| step as u64);
        self.slot
            .with(|kind| restored(each!(kind, optimizer => optimizer.import_torch(Path::new(&path), step))))
    }

    /// What the next step's loss is to be multiplied with.
    #[napi(catch_unwind)]
    pub fn loss_scale(&mut self) -> napi::Result<f64> {
        self.slot.with(|kind| Ok::<_, Fault>(each!(kind, optimizer => optimizer.loss_scale())))
    }

    /// Steps taken.
    #[napi(catch_unwind)]
    pub fn step_count(&mut self) -> napi::Result<f64> {
        self.slot.with(|kind| Ok::<_, Fault>(each!(kind, optimizer => optimizer.step_count()) as f64))
    }

    /// Names of the parameters whose rate is modulated.
    #[napi(catch_unwind)]
    pub fn scope(&mut self) -> napi::Result<Vec<String>> {
        self.slot.with(|kind| Ok::<_, Fault>(each!(kind, optimizer => optimizer.resolved_scope().to_vec())))
    }

    /// What the last step saw, where `observe` was due; else undefined.
    #[napi(catch_unwind, ts_return_type = "unknown")]
    pub fn sensitivity<'env>(&mut self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
        let report: Option<SensitivityReport> = self
            .slot
            .with(|kind| Ok::<_, Fault>(each!(kind, optimizer => optimizer.sensitivity().cloned())))?;
        report.map(|report| env.to_js_value(&report)).transpose()
    }

    /// Frees the states; idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self, env: &Env) -> napi::Result<()> {
        self.slot.dispose(env)
    }
}

impl ObjectFinalize for NativeOptimizer {
    fn finalize(mut self, env: Env) -> napi::Result<()> {
        self.slot.dispose(&env)
    }
}

fn info(parameter: Parameter) -> ParameterInfo {
    let shape: Vec<usize> = parameter.shape.iter().map(|extent| *extent as usize).collect();
    ParameterInfo::new(parameter.name, shape)
}

fn step<S: Element>(
    optimizer: &mut Optimizer<S>,
    parameters: &[Unknown],
    gradients: &[Option<Unknown>],
    scalars: &StepScalars,
) -> Result<StepResult, Fault> {
    let mut arrays = borrow::<S>(parameters, gradients)?;
    let inputs = StepInputs {
        multiplier: scalars.multiplier,
        divisor: scalars.divisor,
        loss_scale: scalars.loss_scale,
    };
    let report = optimizer.step(&mut arrays.parameters, &arrays.gradients, inputs, pool()?)?;
    Ok(StepResult { step: report.step as f64, gradient_norm: report.gradient_norm, skipped: report.skipped })
}

fn state<S: Stored>(optimizer: &Optimizer<S>) -> OptimizerState {
    let named = |(name, shape, values): (String, &[usize], Values<'_>)| NamedArray {
        name,
        shape: shape.iter().map(|extent| *extent as f64).collect(),
        values: array(values),
    };
    let scale = optimizer.loss_scale_state();
    OptimizerState {
        step: optimizer.step_count() as f64,
        loss_scale: scale
            .map(|scale| LossScaleState { scale: scale.scale, good_steps: scale.good_steps as f64 }),
        tensors: optimizer.state().into_iter().map(named).collect(),
    }
}

fn load<S: Stored>(optimizer: &mut Optimizer<S>, state: &OptimizerState) -> Result<LoadReport, Fault> {
    let OptimizerState { step, loss_scale, tensors } = state;
    let shapes: Vec<Vec<usize>> =
        tensors.iter().map(|tensor| tensor.shape.iter().map(|extent| *extent as usize).collect()).collect();
    let named = tensors.iter().zip(&shapes);
    let states: Vec<_> = named
        .map(|(tensor, shape)| (tensor.name.as_str(), shape.as_slice(), values(&tensor.values)))
        .collect();
    let scale = loss_scale.as_ref();
    let scale =
        scale.map(|at| sagetrain_optim::LossScaleState { scale: at.scale, good_steps: at.good_steps as u64 });
    Ok(optimizer.resume(&states, *step as u64, scale)?)
}

fn restored(done: sagetrain_optim::Result<sagetrain_optim::Restored>) -> Result<Restored, Fault> {
    let sagetrain_optim::Restored { step, report, changes, stale } = done?;
    Ok(Restored { step: step as f64, missing: report.missing, unused: report.unused, changes, stale })
}

/// One pool for all optimizers on typed arrays: their results do not depend on it.
fn pool() -> Result<&'static Pool, Fault> {
    static POOL: OnceLock<Pool> = OnceLock::new();
    if let Some(pool) = POOL.get() {
        return Ok(pool);
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let pool = Pool::new(threads)?;
    Ok(POOL.get_or_init(|| pool))
}
