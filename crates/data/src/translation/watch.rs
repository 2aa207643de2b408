//! How a caller follows a preparation and stops it.

use crate::{DataError, Result};

/// Follows a preparation; the empty tuple does neither.
pub trait Watch: Sync {
    /// `stage` is one of `wait`, `survey`, `tokenizer`, `encode`, `publish`; `lines` counts from 0 within it.
    fn progress(&self, stage: &'static str, lines: u64) {
        let _ = (stage, lines);
    }

    /// True asks to stop: the preparation then fails with `ERR_ABORTED` and leaves nothing behind.
    fn stopped(&self) -> bool {
        false
    }
}

impl Watch for () {}

/// Lines between two looks at the watch.
pub(crate) const INTERVAL: u64 = 4096;

/// Reports, and fails once the caller asks to stop.
pub(crate) fn look(watch: &dyn Watch, stage: &'static str, lines: u64) -> Result<()> {
    if lines.is_multiple_of(INTERVAL) {
        watch.progress(stage, lines);
        if watch.stopped() {
            return Err(DataError::Aborted);
        }
    }
    Ok(())
}
