//! A device's states on the host, and what is where in them.

use crate::arena::Arena;
use sagetrain_kernels::Stored;

/// A copy of the arena in this process's memory, byte for byte.
pub struct StateImage<S: Stored>(pub(crate) Arena<S>);

impl<S: Stored> StateImage<S> {
    /// All of it: as long as [`DeviceOptimizer::arena_bytes`](crate::cuda::DeviceOptimizer::arena_bytes) says.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// All of it, to be filled with what the device has.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }
}

/// One state in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatePlace<'a> {
    /// Its parameter's name.
    pub parameter: &'a str,
    /// The state's own, such as `exp_avg`.
    pub state: &'static str,
    /// Extents.
    pub shape: &'a [usize],
    /// `float32`, `float64` or `bfloat16`.
    pub dtype: &'static str,
    /// Bytes from the arena's beginning, a multiple of 64.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
}
