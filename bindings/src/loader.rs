//! A loader: polled where a batch is ready, awaited where none is.

use crate::batch::NativeBatch;
use crate::dataset::NativeDataset;
use crate::fault::Fault;
use crate::promise::promise;
use crate::slot::{Slot, guarded};
use crate::spec::parse;
use napi::bindgen_prelude::{Either, Env, Object, ObjectFinalize, Undefined};
use napi_derive::napi;
use sagetrain_data::{Batch, DataError, Loader, LoaderOptions};
use std::sync::{Arc, Mutex, PoisonError};

/// Batches one after another. Its own thread gathers them; a waiting call borrows it.
#[napi(js_name = "Loader", custom_finalize)]
pub struct NativeLoader {
    slot: Slot<Arc<Mutex<Loader>>>,
    /// What `waited` said last; while a call waits nobody else may ask.
    waited: f64,
}

#[napi]
impl NativeLoader {
    /// Starts to gather; `options` is JSON.
    #[napi(catch_unwind, ts_return_type = "Promise<Loader>")]
    pub fn create<'env>(
        env: &'env Env,
        dataset: &mut NativeDataset,
        options: String,
    ) -> napi::Result<Object<'env>> {
        let options: LoaderOptions = guarded(|| {
            serde_json::from_value(parse(&options)?).map_err(|error| Fault::argument("loader", error))
        })?;
        let (dataset, (settle, promise)) = (dataset.share()?, promise(env)?);
        settle.spawn(
            move || Loader::new(dataset, options),
            |env, loader| {
                Ok(Self { slot: Slot::new(env, "loader", Arc::new(Mutex::new(loader)), 0)?, waited: 0.0 })
            },
        )?;
        Ok(promise)
    }

    /// A batch, null after the last one, undefined while the next one is not gathered yet.
    #[napi(catch_unwind, ts_return_type = "Batch | null | undefined")]
    pub fn poll(&mut self, env: &Env) -> napi::Result<Either<Option<NativeBatch>, Undefined>> {
        let polled = self.slot.with(|loader| match loader.try_lock() {
            Ok(mut loader) => loader.try_next().map(Option::transpose).transpose(),
            // Another call waits for the next batch.
            Err(_) => Ok(None),
        })?;
        Ok(match polled {
            Some(batch) => Either::A(batch.map(|batch| NativeBatch::new(env, batch)).transpose()?),
            None => Either::B(()),
        })
    }

    /// Waits for the next batch; null after the last one.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch | null>")]
    pub fn wait<'env>(&mut self, env: &'env Env) -> napi::Result<Object<'env>> {
        let loader = self.slot.with(|loader| Ok::<_, Fault>(Arc::clone(loader)))?;
        let (settle, promise) = promise(env)?;
        let next = move || -> Result<Option<Batch>, DataError> {
            loader.lock().unwrap_or_else(PoisonError::into_inner).next().transpose()
        };
        settle.spawn(next, |env, batch| batch.map(|batch| NativeBatch::new(env, batch)).transpose())?;
        Ok(promise)
    }

    /// Seconds that calls of `wait` have waited.
    #[napi(catch_unwind)]
    pub fn waited(&mut self) -> napi::Result<f64> {
        let now =
            self.slot.with(|loader| Ok::<_, Fault>(loader.try_lock().map(|loader| loader.wait()).ok()))?;
        self.waited = now.unwrap_or(self.waited);
        Ok(self.waited)
    }

    /// Batches in an epoch, without gathering them.
    #[napi(catch_unwind, ts_return_type = "Promise<number>")]
    pub fn batches_in<'env>(&mut self, env: &'env Env, epoch: f64) -> napi::Result<Object<'env>> {
        let loader = self.slot.with(|loader| Ok::<_, Fault>(Arc::clone(loader)))?;
        let (settle, promise) = promise(env)?;
        let count = move || {
            let plan = loader.lock().unwrap_or_else(PoisonError::into_inner).plan(epoch as u64);
            Ok::<_, Fault>(plan.len() as f64)
        };
        settle.spawn(count, |_, count| Ok(count))?;
        Ok(promise)
    }

    /// Stops the gathering; idempotent.
    #[napi(catch_unwind)]
    pub fn dispose(&mut self, env: &Env) -> napi::Result<()> {
        self.slot.dispose_aside(env)
    }
}

impl ObjectFinalize for NativeLoader {
    fn finalize(mut self, env: Env) -> napi::Result<()> {
        self.slot.dispose_aside(&env)
    }
}
