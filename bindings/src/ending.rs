//! The end of the process. Node's exit runs libtorch's destructors on the main thread whatever other threads do.

use crate::slot::Slot;
use napi::Env;
use napi_derive::napi;
use std::cell::Cell;
use std::time::Duration;

thread_local! {
    /// Whether this is a worker's JavaScript thread.
    static WORKER: Cell<bool> = const { Cell::new(false) };
}

unsafe extern "C" {
    /// POSIX: ends the process at once, without destructors.
    fn _exit(code: i32) -> !;
}

/// Lets engines finish what they are doing and begin nothing more; false when one was still busy after that time.
#[napi(catch_unwind)]
pub fn stop_engines(patience_ms: f64) -> bool {
    sagetrain_trainer::stop(Duration::try_from_secs_f64(patience_ms / 1e3).unwrap_or_default())
}

/// Ends the process without destructors, which would crash a busy engine.
#[napi]
pub fn leave_process(code: i32) {
    // SAFETY: takes no memory and does not return.
    unsafe { _exit(code) }
}

/// Says that the calling thread is a worker's. No exit of the process is announced there, so the end of its objects waits for their engines.
#[napi]
pub fn mark_worker() {
    WORKER.set(true);
}

/// Ends an object whose engine may be busy: aside on the main thread, where a wait would hold up JavaScript.
pub(crate) fn finalize<T: Send + 'static>(slot: &mut Slot<T>, env: &Env) -> napi::Result<()> {
    if WORKER.get() { slot.dispose(env) } else { slot.dispose_aside(env) }
}
