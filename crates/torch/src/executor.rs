//! The optimizer's loops on the engine thread's OpenMP threads.

use sagetrain_optim::Executor;

use crate::ffi;
use crate::threads::threads;

/// Runs tasks on the OpenMP threads of whichever thread calls, as many as [`crate::set_threads`] gave it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParallelFor;

impl Executor for ParallelFor {
    fn threads(&self) -> usize {
        threads().unwrap_or(1)
    }

    fn run(&self, tasks: usize, body: &(dyn Fn(usize) + Sync)) {
        ffi::parallel(tasks, body);
    }
}
