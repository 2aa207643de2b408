//! Kernels by name: compiled at first use, kept on disk and in the process, launched on the caller's stream.
#![allow(unsafe_code, reason = "a launch is as safe as the addresses it is given")]

use crate::cuda::norm::{judge_program, squares_program};
use crate::cuda::{
    Cache, Constants, Driver, Function, Judge, Mask, Nvrtc, OPTIONS, Plan, Program, Result, Squares,
};
use crate::{Float, Stored};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

// Threads a block, as in pass.cuh, norm.cuh and mask.cuh.
const STEP_THREADS: u32 = 256;
const SQUARES_THREADS: u32 = 32;
const JUDGE_THREADS: u32 = 256;
const MASK_THREADS: u32 = 256;

/// Blocks a multiprocessor: more than run at a time, so that none idles while others finish.
const STEP_BLOCKS: u32 = 16;
const SQUARES_BLOCKS: u32 = 64;
const MASK_BLOCKS: u32 = 16;

/// Where things are looked for and kept.
#[derive(Clone, Debug)]
pub struct Folders {
    /// NVRTC's, looked in after the one that SAGETRAIN_NVRTC names.
    pub nvrtc: Option<PathBuf>,
    /// That of the compiled kernels.
    pub cache: Cache,
}

/// The kernels of this process. Methods act on the calling thread's current context; none waits for the device.
#[derive(Debug)]
pub struct Kernels {
    driver: Driver,
    folders: Folders,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    nvrtc: Option<Nvrtc>,
    /// By context and name, with the number of multiprocessors.
    loaded: HashMap<(u64, String), (Function, u32)>,
}

impl Kernels {
    /// Opens the driver; NVRTC only once a kernel is asked for.
    ///
    /// # Errors
    /// [`CudaError::NoDriver`](crate::cuda::CudaError::NoDriver).
    pub fn open(folders: Folders) -> Result<Self> {
        Ok(Self { driver: Driver::open()?, folders, state: Mutex::default() })
    }

    /// The driver.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Queues the update of all tensors of a plan: one launch. `groups` are the constants of the groups its tensors name; `table`
    /// and `verdict` are as in [`Plan::launch`].
    ///
    /// # Errors
    /// As [`Plan::launch`], and whatever compiling, loading and launching may meet.
    ///
    /// # Safety
    /// The plan's arrays are on the current device, as long as the plan says, do not overlap, and stay until the kernel has run; `table` holds
    /// [`Plan::bytes`].
    pub unsafe fn step<F: Float>(
        &self,
        stream: u64,
        plan: &Plan,
        table: u64,
        verdict: Option<u64>,
        groups: &[Constants<F>],
    ) -> Result<()> {
        let launch = plan.launch(table, verdict, groups)?;
        let most = (plan.chunks().len() as u32, STEP_BLOCKS);
        // SAFETY: by the caller's word; a step's one parameter is the Launch of what it computes in, which Plan::launch has checked.
        unsafe { self.queue(&plan.variant().program(), stream, most, STEP_THREADS, &launch) }
    }

    /// Queues Σ g² of all parts, whose gradients are stored as `S`.
    ///
    /// # Safety
    /// The addresses are good until the kernel has run, and the slots of the parts lie in `sums`.
    pub unsafe fn squares<S: Stored>(&self, stream: u64, task: &Squares) -> Result<()> {
        let most = (u32::try_from(task.count).unwrap_or(u32::MAX), SQUARES_BLOCKS);
        // SAFETY: by the caller's word; the kernel's one parameter is a Squares.
        unsafe { self.queue(&squares_program::<S>(), stream, most, SQUARES_THREADS, task) }
    }

    /// Queues what follows from the sums: norm, factor and flags.
    ///
    /// # Safety
    /// The addresses are good until the kernel has run.
    pub unsafe fn judge(&self, stream: u64, task: &Judge) -> Result<()> {
        // SAFETY: by the caller's word; the kernel's one parameter is a Judge.
        unsafe { self.queue(&judge_program(), stream, (1, 1), JUDGE_THREADS, task) }
    }

    /// Queues a dropout's mask.
    ///
    /// # Errors
    /// Whatever compiling, loading and launching may meet.
    ///
    /// # Safety
    /// [`Mask::GROUP`] bytes a group lie at the address, an even number, until the kernel has run.
    pub unsafe fn mask(&self, stream: u64, task: &Mask) -> Result<()> {
        let blocks = (task.groups * Mask::COUNTERS).div_ceil(MASK_THREADS.into());
        let most = (u32::try_from(blocks).unwrap_or(u32::MAX), MASK_BLOCKS);
        // SAFETY: by the caller's word; the kernel's one parameter is a Mask.
        unsafe { self.queue(&Program::mask(), stream, most, MASK_THREADS, task) }
    }

    /// Queues a kernel over `work` blocks, of which at most `each` a multiprocessor are in one launch: a grid strides over the rest.
    ///
    /// # Safety
    /// As [`Driver::launch`].
    unsafe fn queue<P>(
        &self,
        program: &Program,
        stream: u64,
        (work, each): (u32, u32),
        threads: u32,
        parameter: &P,
    ) -> Result<()> {
        if work == 0 {
            return Ok(());
        }
        let (function, multiprocessors) = self.function(program)?;
        let blocks = work.min(multiprocessors.saturating_mul(each)).max(1);
        // SAFETY: by the caller's word.
        unsafe { self.driver.launch(function, stream, blocks, threads, parameter) }
    }

    /// The kernel in the current context, compiled and loaded where it is not yet.
    fn function(&self, program: &Program) -> Result<(Function, u32)> {
        let key = (self.driver.context()?, program.name.clone());
        // A thread that panicked here left the map as it was.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state.loaded.get(&key) {
            return Ok(*known);
        }
        let cubin = self.cubin(&mut state.nvrtc, program)?;
        let loaded = (self.driver.load(&cubin, &program.name)?, self.driver.multiprocessors()?);
        state.loaded.insert(key, loaded);
        Ok(loaded)
    }

    fn cubin(&self, nvrtc: &mut Option<Nvrtc>, program: &Program) -> Result<Vec<u8>> {
        let nvrtc = match nvrtc {
            Some(nvrtc) => nvrtc,
            None => nvrtc.insert(Nvrtc::open(self.folders.nvrtc.as_deref())?),
        };
        let architecture = nvrtc.target(self.driver.architecture()?)?;
        nvrtc.cubin(program, architecture, &self.folders.cache)
    }
}

impl Nvrtc {
    /// The compiled kernel for `sm_<architecture>`, from the cache where it is there.
    ///
    /// # Errors
    /// [`CudaError::Compile`](crate::cuda::CudaError::Compile) with the log.
    pub fn cubin(&self, program: &Program, architecture: u32, cache: &Cache) -> Result<Vec<u8>> {
        let digest = program.digest(&OPTIONS, &self.version());
        if let Some(cubin) = cache.get(&digest, architecture) {
            return Ok(cubin);
        }
        let cubin = self.compile(program, architecture)?.cubin;
        cache.put(&digest, architecture, &cubin);
        Ok(cubin)
    }
}
