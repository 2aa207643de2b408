//! A dataset: mapped from a file, or in memory.

use crate::batch::NativeBatch;
use crate::column::{NamedColumn, bytes};
use crate::fault::Fault;
use crate::promise::promise;
use crate::slot::{Slot, guarded};
use crate::spec::{parse, write};
use napi::bindgen_prelude::{Env, Float64Array, Object, ObjectFinalize};
use napi_derive::napi;
use sagetrain_data::{Dataset, SpiralOptions};
use std::path::PathBuf;
use std::sync::Arc;

/// Samples, shared with the loaders and evaluations that read them.
#[napi(js_name = "Dataset", custom_finalize)]
pub struct NativeDataset {
    slot: Slot<Arc<Dataset>>,
}

impl NativeDataset {
    /// `bytes` are those in memory: a mapping is not V8's concern.
    fn new(env: &Env, (dataset, bytes): (Dataset, usize)) -> napi::Result<Self> {
        Ok(Self { slot: Slot::new(env, "dataset", Arc::new(dataset), bytes)? })
    }

    /// Another owner of the samples.
    pub(crate) fn share(&mut self) -> napi::Result<Arc<Dataset>> {
        self.slot.with(|dataset| Ok::<_, Fault>(Arc::clone(dataset)))
    }
}

#[napi]
impl NativeDataset {
    /// Maps a file, a folder of shards, or a list of files.
    #[napi(catch_unwind, ts_return_type = "Promise<Dataset>")]
    pub fn open(env: &Env, paths: Vec<String>) -> napi::Result<Object<'_>> {
        let (settle, promise) = promise(env)?;
        let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
        let open = move || match paths.as_slice() {
            [path] => Dataset::open(path),
            paths => Dataset::open_shards(paths),
        };
        settle.spawn(move || open().map(|dataset| (dataset, 0)), Self::new)?;
        Ok(promise)
    }

    /// Copies columns.
    #[napi(catch_unwind, ts_return_type = "Promise<Dataset>")]
    pub fn from(env: &Env, columns: Vec<NamedColumn>) -> napi::Result<Object<'_>> {
        // Copied here: JavaScript may write to its arrays as soon as this call returns.
        let columns =
            guarded(|| columns.into_iter().map(NamedColumn::column).collect::<Result<Vec<_>, Fault>>())?;
        let (settle, promise) = promise(env)?;
        let size = columns.iter().map(|(_, column)| bytes(column)).sum();
        settle.spawn(move || Dataset::from_columns(columns).map(|dataset| (dataset, size)), Self::new)?;
        Ok(promise)
    }

    /// The points of the Spiral task; `options` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<Dataset>")]
    pub fn spiral(env: &Env, options: String) -> napi::Result<Object<'_>> {
        let options: SpiralOptions = guarded(|| {
            serde_json::from_value(parse(&options)?).map_err(|error| Fault::argument("spiral", error))
        })?;
        let (settle, promise) = promise(env)?;
        let size = options.samples.saturating_mul(16);
        settle.spawn(move || sagetrain_data::spiral(&options).map(|dataset| (dataset, size)), Self::new)?;
        Ok(promise)
    }

    /// How many there are.
    #[napi(catch_unwind)]
    pub fn samples(&mut self) -> napi::Result<f64> {
        Ok(self.share()?.len() as f64)
    }

    /// JSON of the columns' names and kinds.
    #[napi(catch_unwind)]
    pub fn columns(&mut self) -> napi::Result<String> {
        self.slot.with(|dataset| write(&dataset.columns()))
    }

    /// Stands for the contents.
    #[napi(catch_unwind)]
    pub fn fingerprint(&mut self) -> napi::Result<String> {
        Ok(self.share()?.fingerprint().to_owned())
    }

    /// JSON of what the writer said of the data.
    #[napi(catch_unwind)]
    pub fn about(&mut self) -> napi::Result<String> {
        self.slot.with(|dataset| write(dataset.about()))
    }

    /// The samples `indices` as a batch.
    #[napi(catch_unwind)]
    pub fn batch(&mut self, env: &Env, indices: Float64Array) -> napi::Result<NativeBatch> {
        let indices = indices.iter().map(|index| *index as u64).collect();
        let batch = self.slot.with(|dataset| dataset.batch(indices))?;
        NativeBatch::new(env, batch)
    }

    /// Checks every byte.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn verify<'env>(&mut self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (dataset, (settle, promise)) = (self.share()?, promise(env)?);
        settle.spawn(move || dataset.verify(), |_, ()| Ok(()))?;
        Ok(promise)
    }

    /// Writes a file; `about` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn write<'env>(&mut self, env: &'env Env, path: String, about: String) -> napi::Result<Object<'env>> {
        let about = guarded(|| parse(&about))?;
        let (dataset, (settle, promise)) = (self.share()?, promise(env)?);
        settle.spawn(move || dataset.write(&PathBuf::from(path), about), |_, ()| Ok(()))?;
        Ok(promise)
    }

    /// Lets the samples go once nobody reads them; idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self, env: &Env) -> napi::Result<()> {
        self.slot.dispose(env)
    }
}

impl ObjectFinalize for NativeDataset {
    fn finalize(mut self, env: Env) -> napi::Result<()> {
        self.slot.dispose(&env)
    }
}
