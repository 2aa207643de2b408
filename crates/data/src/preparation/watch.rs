//! How a caller follows a preparation and stops it.

use crate::{DataError, Result};

/// Follows a preparation; the empty tuple does neither.
pub trait Watch: Sync {
    /// `stage` is one of `checksum`, `wait`, `assemble`, `survey`, `tokenizer`, `encode`, `publish`; `lines` counts from 0 within it,
    /// `share` of it, from 0 to 1, is done.
    fn progress(&self, stage: &'static str, lines: u64, share: f64) {
        let _ = (stage, lines, share);
    }

    /// True asks to stop: the preparation then fails with `ERR_ABORTED`, and the same one asked for again goes on from
    /// there.
    fn stopped(&self) -> bool {
        false
    }
}

impl Watch for () {}

/// Reports, and fails once the caller asks to stop.
pub(crate) fn look(watch: &dyn Watch, stage: &'static str, lines: u64, share: f64) -> Result<()> {
    watch.progress(stage, lines, share);
    if watch.stopped() { Err(DataError::Aborted) } else { Ok(()) }
}

/// A part of a whole that may be empty.
pub(crate) fn share(done: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { (done as f64 / whole as f64).min(1.0) }
}
