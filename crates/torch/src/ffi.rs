//! The C functions of `cpp/`. All unsafe code of this crate is here and in `memory.rs`.

use std::ffi::{CStr, c_char};

use crate::error::TorchError;

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
