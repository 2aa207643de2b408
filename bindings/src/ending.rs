//! The end of the process. Node's exit runs libtorch's destructors on the main thread whatever other threads do.

use napi_derive::napi;
use std::time::Duration;

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
