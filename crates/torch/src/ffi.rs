//! The C functions of `cpp/`. All unsafe code of this crate is here, in `memory.rs` and in `optimizer.rs` and `mask.rs` of `cuda/`.

use std::any::Any;
use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;

use tch::Tensor;
use torch_sys::C_tensor;

use crate::dropout::Dropout;
use crate::error::TorchError;

pub(crate) mod decode;
mod linear;
mod loss;
mod rows;
pub(crate) mod stream;

pub(crate) use linear::linear;
pub(crate) use loss::projected_cross_entropy;
pub(crate) use rows::{drop_add, embed, layer_norm};

/// `sagetrain_status` of `include/sagetrain_torch.h`.
#[repr(C)]
pub(crate) struct Status {
    code: i32,
    message: *mut c_char,
}

/// `sagetrain_runtime_info` of `include/sagetrain_torch.h`.
#[repr(C)]
pub(crate) struct RuntimeInfo {
    pub libtorch_version: *const c_char,
    pub build_config: *const c_char,
    pub parallel_info: *const c_char,
    pub cpu_capability: *const c_char,
    pub kernels: *const c_char,
    pub has_bfloat16: i32,
    pub has_openmp: i32,
    pub threads: i32,
    pub cuda_devices: i32,
    pub peak_resident_bytes: u64,
}

unsafe extern "C" {
    fn sagetrain_status_free(status: *mut Status);
    fn sagetrain_runtime(info: *mut RuntimeInfo) -> Status;
    fn sagetrain_set_threads(threads: i32) -> Status;
    fn sagetrain_threads(threads: *mut i32) -> Status;
    fn sagetrain_cache_memory() -> Status;
    fn sagetrain_release_memory() -> Status;
    fn sagetrain_parallel(
        tasks: i64,
        body: extern "C" fn(*const c_void, i64),
        context: *const c_void,
    ) -> Status;
    fn sagetrain_attention(
        q: *mut C_tensor,
        k: *mut C_tensor,
        v: *mut C_tensor,
        columns: *const i64,
        width: i64,
        query_offsets: *const i64,
        key_offsets: *const i64,
        offsets: i64,
        heads: i64,
        causal: i32,
        dropout: *const DropoutKey,
        out: *mut *mut C_tensor,
    ) -> Status;
}

/// `sagetrain_dropout` of `cpp/operation.h`.
#[repr(C)]
pub(crate) struct DropoutKey {
    seed: u64,
    step: u64,
    stream: u32,
    threshold: u32,
    scale: f32,
}

impl From<Dropout> for DropoutKey {
    fn from(dropout: Dropout) -> Self {
        let (threshold, scale) = (dropout.threshold(), dropout.scale());
        Self { seed: dropout.seed, step: dropout.step, stream: dropout.stream, threshold, scale }
    }
}

/// A null pointer where there is none.
fn pointer<T>(value: &Option<T>) -> *const T {
    value.as_ref().map_or(std::ptr::null(), std::ptr::from_ref)
}

/// The arguments of `sagetrain_attention`, checked by `attention.rs`.
pub(crate) struct Attention<'a> {
    pub tensors: [&'a Tensor; 3],
    pub columns: [i64; 3],
    pub width: i64,
    pub query_offsets: &'a [i64],
    pub key_offsets: &'a [i64],
    pub heads: i64,
    pub causal: bool,
}

pub(crate) fn attention(call: &Attention, dropout: Option<Dropout>) -> Result<Tensor, TorchError> {
    let dropout = dropout.map(DropoutKey::from);
    let [q, k, v] = call.tensors.map(|tensor| tensor.as_ptr().cast_mut());
    let mut out = std::ptr::null_mut();
    // SAFETY: live tensors, three columns, and two arrays of `offsets` entries that rise from 0 to the rows of theirs; `out` is writable.
    unsafe {
        let status = sagetrain_attention(
            q,
            k,
            v,
            call.columns.as_ptr(),
            call.width,
            call.query_offsets.as_ptr(),
            call.key_offsets.as_ptr(),
            call.query_offsets.len() as i64,
            call.heads,
            i32::from(call.causal),
            pointer(&dropout),
            &mut out,
        );
        status.check("attention")?;
        Ok(Tensor::from_ptr(out))
    }
}

impl Status {
    /// Turns a status into a result and frees its message.
    fn check(mut self, op: &'static str) -> Result<(), TorchError> {
        if self.code == 0 {
            return Ok(());
        }
        let message = text(self.message);
        // SAFETY: the status came from the library and is freed once, here.
        unsafe { sagetrain_status_free(&mut self) };
        Err(TorchError::Torch { op, message })
    }
}

/// The C++ side's handle of a tensor, which it only reads from or gives new handles of.
fn handle(tensor: &Tensor) -> *mut c_void {
    tensor.as_ptr().cast_mut().cast()
}

/// A tensor that the C++ side has just handed over.
fn adopt(pointer: *mut c_void) -> Tensor {
    // SAFETY: called once for each pointer that a successful call has written, which owns an at::Tensor.
    unsafe { Tensor::from_ptr(pointer.cast()) }
}

/// Makes a call that hands over one tensor.
fn receive(op: &'static str, call: impl FnOnce(*mut *mut c_void) -> Status) -> Result<Tensor, TorchError> {
    let mut out = std::ptr::null_mut();
    call(&mut out).check(op)?;
    Ok(adopt(out))
}

/// Copies a C string; empty for a null pointer.
pub(crate) fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the library hands out NUL-terminated strings that live at least until its next call on this thread.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

pub(crate) fn runtime() -> Result<RuntimeInfo, TorchError> {
    let mut info = std::mem::MaybeUninit::<RuntimeInfo>::zeroed();
    // SAFETY: `info` is writable; all-zero is a valid RuntimeInfo, so reading it is sound whatever was filled in.
    unsafe {
        sagetrain_runtime(info.as_mut_ptr()).check("runtime")?;
        Ok(info.assume_init())
    }
}

pub(crate) fn set_threads(threads: i32) -> Result<(), TorchError> {
    // SAFETY: no pointers are passed.
    unsafe { sagetrain_set_threads(threads) }.check("set_threads")
}

pub(crate) fn threads() -> Result<i32, TorchError> {
    let mut threads = 0;
    // SAFETY: `threads` is writable.
    unsafe { sagetrain_threads(&raw mut threads) }.check("threads")?;
    Ok(threads)
}

pub(crate) fn cache_memory() -> Result<(), TorchError> {
    // SAFETY: no pointers are passed; blocks of the allocator before know how to free themselves.
    unsafe { sagetrain_cache_memory() }.check("cache_memory")
}

pub(crate) fn release_memory() -> Result<(), TorchError> {
    // SAFETY: no pointers are passed; only blocks that no tensor holds are returned.
    unsafe { sagetrain_release_memory() }.check("release_memory")
}

/// What the threads of one parallel loop share.
struct Loop<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Runs one task; a panic is kept, since it must not unwind into C++.
extern "C" fn run_task(context: *const c_void, task: i64) {
    // SAFETY: `parallel` passes a Loop that outlives the loop; Loop is Sync, its body being Sync and its panic behind a lock.
    let shared = unsafe { &*context.cast::<Loop>() };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (shared.body)(task as usize))) {
        shared.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(panic);
    }
}

/// Calls `body` for every task on the calling thread's OpenMP threads, and panics if one of them did.
pub(crate) fn parallel(tasks: usize, body: &(dyn Fn(usize) + Sync)) {
    let shared = Loop { body, panic: Mutex::new(None) };
    // SAFETY: `shared` lives until the call returns, and `run_task` takes exactly it.
    let status = unsafe { sagetrain_parallel(tasks as i64, run_task, (&raw const shared).cast()) };
    if status.check("parallel").is_err() {
        // Only the start of a thread can fail, before any task ran.
        (0..tasks).for_each(body);
    }
    if let Some(panic) = shared.panic.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        resume_unwind(panic);
    }
}
