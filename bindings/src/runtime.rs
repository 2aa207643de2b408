//! Adds the C++ half's exports (`runtime`) to the addon. Their declarations are in `cpp/exports.d.ts`.

use napi::bindgen_prelude::Object;
use napi::{Env, Error, JsValue, Result, Status, sys};
use napi_derive::napi;

unsafe extern "C" {
    /// In `cpp/exports.cc`. Returns null with an exception pending when it fails.
    fn sagetrain_set_exports(env: sys::napi_env, exports: sys::napi_value) -> sys::napi_value;
}

/// Runs once in every environment (the main thread's and each worker's) that loads the addon.
#[napi(module_exports)]
pub fn set_exports(exports: Object, env: Env) -> Result<()> {
    // SAFETY: both handles belong to the environment that is loading the addon, on its thread, within its handle scope.
    let set = unsafe { sagetrain_set_exports(env.raw(), exports.raw()) };
    if set.is_null() {
        return Err(Error::from_status(Status::PendingException));
    }
    Ok(())
}
