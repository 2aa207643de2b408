//! Programs of tests/interop, run by the Python that SAGETRAIN_PYTHON names.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// `None`, with the reason on stderr, where there is no such Python or it lacks one of `modules`.
pub fn run(modules: &str, script: &str, arguments: &[&str]) -> Option<Output> {
    let Some(python) = std::env::var_os("SAGETRAIN_PYTHON") else {
        eprintln!("skipped: SAGETRAIN_PYTHON names no Python with {modules}");
        return None;
    };
    let command = |arguments: &[&str]| {
        let output = Command::new(&python).args(arguments).env("HF_HUB_OFFLINE", "1").output();
        output.unwrap_or_else(|error| panic!("SAGETRAIN_PYTHON {}: {error}", python.display()))
    };
    let missing = command(&["-c", &format!("import {modules}")]);
    if !missing.status.success() {
        eprintln!("skipped: {} cannot import {modules}", python.display());
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(script);
    Some(command(&[&[script.to_str().unwrap()], arguments].concat()))
}

/// The JSON that a program printed, or a failure that shows its errors.
pub fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
