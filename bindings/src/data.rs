//! Reports as plain JavaScript objects.

use napi::bindgen_prelude::ToNapiValue;
use napi::{Env, JsValue, sys};
use serde::Serialize;

/// A serialisable report on its way to JavaScript; unlike JSON text it keeps NaN and infinities.
pub(crate) struct Data<T>(pub(crate) T);

impl<T: Serialize> ToNapiValue for Data<T> {
    unsafe fn to_napi_value(env: sys::napi_env, data: Self) -> napi::Result<sys::napi_value> {
        Ok(Env::from_raw(env).to_js_value(&data.0)?.raw())
    }
}
