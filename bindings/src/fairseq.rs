//! Data that fairseq has binarized.

use crate::fault::Fault;
use crate::promise::promise;
use crate::slot::guarded;
use crate::spec::{parse, write};
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;
use sagetrain_data::fairseq::{FairseqOptions, import_translation};

/// Makes datasets and a tokenizer of a folder of fairseq-preprocess, or finds that it has been done; options and result are JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn import_fairseq(env: &Env, options: String) -> napi::Result<Object<'_>> {
    let options: FairseqOptions = guarded(|| {
        serde_json::from_value(parse(&options)?).map_err(|error| Fault::argument("fairseq", error))
    })?;
    let (settle, promise) = promise(env)?;
    settle.spawn(move || write(&import_translation(&options)?), |_, imported: String| Ok(imported))?;
    Ok(promise)
}
