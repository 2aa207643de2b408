//! A cache of large blocks for CPU tensors: steps whose batches differ in size find memory that is mapped already.

use crate::error::TorchError;
use crate::ffi;

/// From here on CPU tensors of the whole process take their large blocks from a cache; calling it again changes nothing.
///
/// The cache never lets live and kept blocks exceed the most that was ever live by more than a quarter. Errors: `ERR_TORCH`.
pub fn cache_memory() -> Result<(), TorchError> {
    ffi::cache_memory()
}

/// Returns blocks that no tensor holds to the system, as when a session ends. Errors: `ERR_TORCH`.
pub fn release_memory() -> Result<(), TorchError> {
    ffi::release_memory()
}
