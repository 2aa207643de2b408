//! Where a class keeps what it owns: live, disposed or poisoned, with its memory accounted to V8.

use crate::fault::{Fault, panic_message};
use napi::Env;
use std::panic::{AssertUnwindSafe, catch_unwind};

enum State<T> {
    Live(T),
    Disposed,
    /// With the panic's message.
    Poisoned(String),
}

/// An object's native half. V8 is told of its bytes by the difference: once when it is made, once when it goes.
pub(crate) struct Slot<T> {
    what: &'static str,
    state: State<T>,
    accounted: i64,
}

impl<T> Slot<T> {
    pub(crate) fn new(env: &Env, what: &'static str, value: T, bytes: usize) -> napi::Result<Self> {
        let accounted = i64::try_from(bytes).unwrap_or(i64::MAX);
        env.adjust_external_memory(accounted)?;
        Ok(Self { what, state: State::Live(value), accounted })
    }

    /// Runs `body` on the value. A panic within is caught and poisons the slot: what it left half-written is never used again.
    pub(crate) fn with<R, E: Into<Fault>>(
        &mut self,
        body: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> napi::Result<R> {
        let value = match &mut self.state {
            State::Live(value) => value,
            State::Disposed => return Err(Fault::disposed(self.what).into()),
            State::Poisoned(panic) => return Err(Fault::poisoned(self.what, panic).into()),
        };
        match catch_unwind(AssertUnwindSafe(|| body(value))) {
            Ok(result) => result.map_err(|error| error.into().into()),
            Err(payload) => {
                let panic = panic_message(payload.as_ref());
                let fault = Fault::poisoned(self.what, &panic);
                self.state = State::Poisoned(panic);
                Err(fault.into())
            }
        }
    }

    /// Drops the value and takes its bytes back; idempotent.
    pub(crate) fn dispose(&mut self, env: &Env) -> napi::Result<()> {
        let state = self.take(env)?;
        // A panicking destructor must not unwind into Node.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(state)));
        dropped.map_err(|payload| Fault::internal(&panic_message(payload.as_ref())).into())
    }

    /// [`Self::dispose`] on a thread of its own, for what waits in its destructor: an engine's last handle waits for the commands
    /// that are under way.
    pub(crate) fn dispose_aside(&mut self, env: &Env) -> napi::Result<()>
    where
        T: Send + 'static,
    {
        let state = self.take(env)?;
        let started = std::thread::Builder::new().name("sagetrain-end".into()).spawn(move || drop(state));
        started.map(drop).map_err(|error| Fault::internal(&format!("cannot start a thread: {error}")).into())
    }

    fn take(&mut self, env: &Env) -> napi::Result<State<T>> {
        env.adjust_external_memory(-std::mem::take(&mut self.accounted))?;
        Ok(std::mem::replace(&mut self.state, State::Disposed))
    }
}

/// Runs the body of an export that has no object; a panic becomes `ERR_INTERNAL` instead of the end of the process.
pub(crate) fn guarded<T, E: Into<Fault>>(body: impl FnOnce() -> Result<T, E>) -> napi::Result<T> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result.map_err(|error| error.into().into()),
        Err(payload) => Err(Fault::internal(&panic_message(payload.as_ref())).into()),
    }
}
