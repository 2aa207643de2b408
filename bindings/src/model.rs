//! A model on its engine thread.

use crate::batch::NativeBatch;
use crate::dataset::NativeDataset;
use crate::ending;
use crate::fault::Fault;
use crate::optimizer::Parameter;
use crate::promise::{Settle, promise};
use crate::slot::{Slot, guarded};
use crate::spec::{parse, write};
use napi::bindgen_prelude::{Env, Float32Array, Object, ObjectFinalize};
use napi_derive::napi;
use sagetrain_models::{FineTune, LoadReport, ModelSpec};
use sagetrain_optim::{ParameterInfo, Role};
use sagetrain_trainer::{Array, BatchSize, Losses, ModelHandle, PrecisionName, Reply};
use serde_json::Value;
use std::path::PathBuf;

/// A tensor's copy.
#[napi(object)]
pub struct TensorCopy {
    pub shape: Vec<f64>,
    pub values: Float32Array,
}

/// Means over a dataset.
#[napi(object)]
pub struct LossMeans {
    pub loss: f64,
    pub nll: f64,
    pub accuracy: Option<f64>,
    pub count: f64,
}

impl From<Losses> for LossMeans {
    fn from(losses: Losses) -> Self {
        Self { loss: losses.loss, nll: losses.nll, accuracy: losses.accuracy, count: losses.count as f64 }
    }
}

/// A model with what is known of it from the start.
pub(crate) struct Known {
    pub(crate) handle: ModelHandle,
    spec: ModelSpec,
    pub(crate) parameters: Vec<ParameterInfo>,
    report: Option<LoadReport>,
}

impl Known {
    /// Bytes of the parameters.
    pub(crate) fn bytes(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.elements() * size_of::<f32>()).sum()
    }
}

/// A handle; the tensors are the engine thread's.
#[napi(js_name = "Model", custom_finalize)]
pub struct NativeModel {
    pub(crate) slot: Slot<Known>,
}

#[napi]
impl NativeModel {
    /// Makes a model with fresh weights; `spec` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<Model>")]
    pub fn create(env: &Env, spec: String, seed: f64) -> napi::Result<Object<'_>> {
        let spec = guarded(|| Ok::<_, Fault>(ModelSpec::read("model", &parse(&spec)?)?))?;
        let (settle, promise) = promise(env)?;
        ModelHandle::create(spec, seed as u64, asking(settle, None));
        Ok(promise)
    }

    /// Loads a Hugging Face folder.
    #[napi(catch_unwind, ts_return_type = "Promise<Model>")]
    pub fn load(env: &Env, folder: String) -> napi::Result<Object<'_>> {
        let (settle, promise) = promise(env)?;
        ModelHandle::load(PathBuf::from(folder), reporting(settle));
        Ok(promise)
    }

    /// Puts a new head on the encoder of a Hugging Face folder; `wanted` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<Model>")]
    pub fn fine_tune(env: &Env, folder: String, wanted: String, seed: f64) -> napi::Result<Object<'_>> {
        let wanted = guarded(|| {
            let value = parse(&wanted)?;
            let object = value.as_object().ok_or_else(|| Fault::argument("wanted", "expected an object"))?;
            Ok::<_, Fault>(FineTune::read("fineTune", object)?)
        })?;
        let (settle, promise) = promise(env)?;
        ModelHandle::fine_tune(PathBuf::from(folder), wanted, seed as u64, reporting(settle));
        Ok(promise)
    }

    /// What became of the folder's weights and settings, as JSON, where it came from one.
    #[napi(catch_unwind)]
    pub fn load_report(&mut self) -> napi::Result<Option<String>> {
        self.slot.with(|model| model.report.as_ref().map(write).transpose())
    }

    /// Loads translators' folders as one model whose probabilities are the mean of theirs.
    #[napi(catch_unwind, ts_return_type = "Promise<Model>")]
    pub fn ensemble(env: &Env, folders: Vec<String>) -> napi::Result<Object<'_>> {
        let (settle, promise) = promise(env)?;
        ModelHandle::ensemble(folders.into_iter().map(PathBuf::from).collect(), asking(settle, None));
        Ok(promise)
    }

    /// Lays the model on a device and gives it a precision outside sessions; `precision` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn place<'env>(
        &mut self,
        env: &'env Env,
        device: String,
        precision: String,
    ) -> napi::Result<Object<'env>> {
        let precision = guarded(|| {
            serde_json::from_value::<PrecisionName>(parse(&precision)?)
                .map_err(|error| Fault::argument("precision", error))
        })?;
        let (handle, (settle, promise)) = (self.handle()?, promise(env)?);
        handle.place(device, precision, settle.reply(|_, ()| Ok(())));
        Ok(promise)
    }

    /// JSON of the specification, presets and defaults filled in.
    #[napi(catch_unwind)]
    pub fn spec(&mut self) -> napi::Result<String> {
        self.slot.with(|model| write(&model.spec))
    }

    /// Names, shapes and roles.
    #[napi(catch_unwind)]
    pub fn parameters(&mut self) -> napi::Result<Vec<Parameter>> {
        self.slot.with(|model| Ok::<_, Fault>(model.parameters.iter().map(Parameter::of).collect()))
    }

    /// Copies a parameter out.
    #[napi(catch_unwind, ts_return_type = "Promise<TensorCopy>")]
    pub fn read<'env>(&mut self, env: &'env Env, name: String) -> napi::Result<Object<'env>> {
        let (handle, (settle, promise)) = (self.handle()?, promise(env)?);
        handle.read(name, settle.reply(|_, array| Ok(copy(array))));
        Ok(promise)
    }

    /// Replaces a parameter's values.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn write<'env>(
        &mut self,
        env: &'env Env,
        name: String,
        values: &[f32],
    ) -> napi::Result<Object<'env>> {
        let (handle, (settle, promise)) = (self.handle()?, promise(env)?);
        handle.write(name, values.to_vec(), settle.reply(|_, ()| Ok(())));
        Ok(promise)
    }

    /// The output for a batch.
    #[napi(catch_unwind, ts_return_type = "Promise<TensorCopy>")]
    pub fn forward<'env>(&mut self, env: &'env Env, batch: &mut NativeBatch) -> napi::Result<Object<'env>> {
        let (handle, batch, (settle, promise)) = (self.handle()?, batch.share()?, promise(env)?);
        handle.forward(batch, settle.reply(|_, array| Ok(copy(array))));
        Ok(promise)
    }

    /// Writes a Hugging Face folder, in that format or not at all.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn save<'env>(
        &mut self,
        env: &'env Env,
        folder: String,
        format: Option<String>,
    ) -> napi::Result<Object<'env>> {
        let (handle, (settle, promise)) = (self.handle()?, promise(env)?);
        handle.save(PathBuf::from(folder), format, settle.reply(|_, ()| Ok(())));
        Ok(promise)
    }

    /// Mean loss over a dataset; `batches` is JSON `{ maxTokens } | { batchSize }`.
    #[napi(catch_unwind, ts_return_type = "Promise<LossMeans>")]
    pub fn losses<'env>(
        &mut self,
        env: &'env Env,
        dataset: &mut NativeDataset,
        batches: String,
    ) -> napi::Result<Object<'env>> {
        let size = guarded(|| batch_size(&parse(&batches)?))?;
        let (handle, dataset, (settle, promise)) = (self.handle()?, dataset.share()?, promise(env)?);
        handle.losses(dataset, size, settle.reply(|_, losses| Ok(LossMeans::from(losses))));
        Ok(promise)
    }

    /// Makes evaluations and searches in progress, and queued ones, end with `ERR_ABORTED`.
    #[napi(catch_unwind)]
    pub fn cancel(&mut self) -> napi::Result<()> {
        self.handle().map(|handle| handle.cancel())
    }

    /// Ends `cancel`.
    #[napi(catch_unwind)]
    pub fn resume(&mut self) -> napi::Result<()> {
        self.handle().map(|handle| handle.resume())
    }

    /// Frees the tensors after the commands that are under way; idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self, env: &Env) -> napi::Result<()> {
        if let Ok(handle) = self.handle() {
            handle.dispose();
        }
        self.slot.dispose_aside(env)
    }
}

impl NativeModel {
    pub(crate) fn handle(&mut self) -> napi::Result<ModelHandle> {
        self.slot.with(|model| Ok::<_, Fault>(model.handle.clone()))
    }
}

impl ObjectFinalize for NativeModel {
    fn finalize(mut self, env: Env) -> napi::Result<()> {
        ending::finalize(&mut self.slot, &env)
    }
}

impl Parameter {
    fn of(info: &ParameterInfo) -> Self {
        let role = info.role.map(|role| match role {
            Role::EncoderLinear => "encoder-linear",
            Role::Linear => "linear",
            Role::Embedding => "embedding",
            Role::Normalisation => "normalisation",
            Role::Other => "other",
        });
        Self {
            name: info.name.clone(),
            shape: info.shape.iter().map(|extent| *extent as f64).collect(),
            role: role.map(str::to_owned),
        }
    }
}

/// A model of a folder, with what became of what is in there.
fn reporting(settle: Settle<NativeModel>) -> Reply<(ModelHandle, LoadReport)> {
    Box::new(move |made| match made {
        Ok((handle, report)) => asking(settle, Some(report))(Ok(handle)),
        Err(error) => asking(settle, None)(Err(error)),
    })
}

/// A reply that asks a new model for what never changes, and settles with all of it.
fn asking(settle: Settle<NativeModel>, report: Option<LoadReport>) -> Reply<ModelHandle> {
    Box::new(move |made| match made {
        Err(error) => settle.with(Err::<Known, _>(error), finish),
        Ok(handle) => {
            let asked = handle.clone();
            asked.spec(Box::new(move |spec| match spec {
                Err(error) => settle.with(Err::<Known, _>(error), finish),
                Ok(spec) => {
                    let asked = handle.clone();
                    asked.parameters(Box::new(move |parameters| {
                        settle.with(
                            parameters.map(|parameters| Known { handle, spec, parameters, report }),
                            finish,
                        );
                    }));
                }
            }));
        }
    })
}

fn finish(env: &Env, model: Known) -> napi::Result<NativeModel> {
    let bytes = model.bytes();
    Ok(NativeModel { slot: Slot::new(env, "model", model, bytes)? })
}

fn copy(array: Array) -> TensorCopy {
    TensorCopy {
        shape: array.shape.iter().map(|extent| *extent as f64).collect(),
        values: array.values.into(),
    }
}

fn batch_size(batches: &Value) -> Result<BatchSize, Fault> {
    let number = |key: &str| batches.get(key).and_then(Value::as_u64).map(|number| number as usize);
    number("maxTokens")
        .map(BatchSize::Tokens)
        .or_else(|| number("batchSize").map(BatchSize::Samples))
        .ok_or_else(|| Fault::argument("batches", "expected { maxTokens } or { batchSize }"))
}
