//! Threads of the calling engine thread.

use crate::error::TorchError;
use crate::ffi;

/// Sets the number of intra-op threads of the calling thread; other threads keep theirs. It fixes how work is split, hence the bits.
///
/// Errors: `ERR_ARGUMENT` when `threads` is 0 or above 1024.
pub fn set_threads(threads: usize) -> Result<(), TorchError> {
    if !(1..=1024).contains(&threads) {
        let (found, expected) = (threads.to_string(), "1 to 1024".to_string());
        return Err(TorchError::Argument { op: "set_threads", name: "threads", found, expected });
    }
    ffi::set_threads(threads as i32)
}

/// The number of intra-op threads of the calling thread. Errors: `ERR_TORCH`.
pub fn threads() -> Result<usize, TorchError> {
    Ok(ffi::threads()?.max(1) as usize)
}
