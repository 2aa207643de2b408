//! Who runs the pieces of a step. Results do not depend on it.

use crate::error::{OptimError, Result};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Runs numbered tasks, each exactly once, and returns when all are done.
pub trait Executor: Send + Sync {
    /// How many tasks run at a time.
    fn threads(&self) -> usize;
    /// Calls `body(0)` … `body(tasks - 1)` in any order, on any threads.
    fn run(&self, tasks: usize, body: &(dyn Fn(usize) + Sync));
}

/// The calling thread alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Executor for Serial {
    fn threads(&self) -> usize {
        1
    }
    fn run(&self, tasks: usize, body: &(dyn Fn(usize) + Sync)) {
        (0..tasks).for_each(body);
    }
}

/// A pool of threads of its own.
#[derive(Debug)]
pub struct Pool(ThreadPool);

impl Pool {
    /// `threads` threads, at least 1.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` for 0 threads or when the system gives none.
    pub fn new(threads: usize) -> Result<Self> {
        let argument = |problem: String| OptimError::Argument { argument: "threads", problem };
        if threads == 0 {
            return Err(argument("is 0, must be at least 1".to_owned()));
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|n| format!("sagetrain-optim-{n}"))
            .build();
        pool.map(Self).map_err(|error| argument(error.to_string()))
    }
}

impl Executor for Pool {
    fn threads(&self) -> usize {
        self.0.current_num_threads()
    }
    fn run(&self, tasks: usize, body: &(dyn Fn(usize) + Sync)) {
        self.0.install(|| (0..tasks).into_par_iter().with_max_len(1).for_each(body));
    }
}
