//! How errors cross: as a marker and a JSON object in the message of a thrown `Error`. The other half is `ts/native-error.ts`.

use napi::{Error, Status};
use serde_json::{Value, json};
use std::any::Any;

/// What the message begins with.
const MARKER: &str = "sagetrain:";

/// A failure on its way to JavaScript: `SagetrainError`'s code, message and fields.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) fields: Value,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, fields: Value) -> Self {
        Self { code, message: message.into(), fields }
    }

    pub(crate) fn argument(argument: &str, problem: impl std::fmt::Display) -> Self {
        Self::new("ERR_ARGUMENT", format!("{argument}: {problem}"), json!({ "argument": argument }))
    }

    pub(crate) fn disposed(what: &str) -> Self {
        Self::new("ERR_DISPOSED", format!("this {what} is disposed; create another"), json!({ "kind": what }))
    }

    pub(crate) fn poisoned(what: &str, panic: &str) -> Self {
        let message = format!("this {what} met an internal fault and accepts no more work: {panic}");
        Self::new("ERR_POISONED", message, json!({ "kind": what, "panic": panic }))
    }

    pub(crate) fn internal(panic: &str) -> Self {
        Self::new("ERR_INTERNAL", format!("internal fault: {panic}"), json!({ "panic": panic }))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let data = json!({ "code": fault.code, "message": fault.message, "fields": fault.fields });
        Self::new(Status::GenericFailure, format!("{MARKER}{data}"))
    }
}

/// What napi-rs itself refuses is an argument of a wrong kind that TypeScript let through.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new("ERR_ARGUMENT", error.reason.clone(), json!({}))
    }
}

/// The message of a caught panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".into())
}
