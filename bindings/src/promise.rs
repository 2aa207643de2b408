//! Promises that any thread can settle: an engine thread with its reply, or a thread made for one long call.

use crate::fault::{Fault, panic_message};
use napi::JsDeferred;
use napi::bindgen_prelude::{Env, Object, ToNapiValue};
use sagetrain_trainer::TrainerError;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Convert<V> = Box<dyn FnOnce(Env) -> napi::Result<V> + Send>;

/// Settles its promise once. Dropped without that it rejects, so that no await hangs.
pub(crate) struct Settle<V: ToNapiValue + 'static> {
    deferred: Option<JsDeferred<V, Convert<V>>>,
}

/// A pending promise and what settles it.
pub(crate) fn promise<V: ToNapiValue + 'static>(env: &Env) -> napi::Result<(Settle<V>, Object<'_>)> {
    let (deferred, promise) = env.create_deferred()?;
    Ok((Settle { deferred: Some(deferred) }, promise))
}

impl<V: ToNapiValue + 'static> Settle<V> {
    /// Resolves with what `convert` makes of the value on JavaScript's thread, or rejects.
    pub(crate) fn with<T: Send + 'static, E: Into<Fault>>(
        mut self,
        result: Result<T, E>,
        convert: impl FnOnce(&Env, T) -> napi::Result<V> + Send + 'static,
    ) {
        let Some(deferred) = self.deferred.take() else { return };
        match result {
            Ok(value) => deferred.resolve(Box::new(move |env| convert(&env, value))),
            Err(error) => deferred.reject(error.into().into()),
        }
    }

    /// This as an engine's reply.
    pub(crate) fn reply<T: Send + 'static>(
        self,
        convert: impl FnOnce(&Env, T) -> napi::Result<V> + Send + 'static,
    ) -> Box<dyn FnOnce(Result<T, TrainerError>) + Send> {
        Box::new(move |result| self.with(result, convert))
    }

    /// Settles with the result of `work`, on a thread of its own.
    pub(crate) fn spawn<T: Send + 'static, E: Into<Fault>>(
        self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
        convert: impl FnOnce(&Env, T) -> napi::Result<V> + Send + 'static,
    ) -> napi::Result<()> {
        let body = move || {
            let result = match catch_unwind(AssertUnwindSafe(work)) {
                Ok(result) => result.map_err(Into::into),
                Err(payload) => Err(Fault::internal(&panic_message(payload.as_ref()))),
            };
            self.with(result, convert);
        };
        let started = std::thread::Builder::new().name("sagetrain-call".into()).spawn(body);
        started.map(drop).map_err(|error| Fault::internal(&format!("cannot start a thread: {error}")).into())
    }
}

impl<V: ToNapiValue + 'static> Drop for Settle<V> {
    fn drop(&mut self) {
        if let Some(deferred) = self.deferred.take() {
            deferred.reject(Fault::disposed("object").into());
        }
    }
}
