//! Programs of tests/interop, run by the Python that SAGETRAIN_PYTHON names.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The JSON that a program printed. `None`, with the reason on stderr, where there is no such Python or it lacks a module.
pub fn run(script: &str, arguments: &[&str]) -> Option<Value> {
    let Some(python) = std::env::var_os("SAGETRAIN_PYTHON") else {
        eprintln!("skipped: SAGETRAIN_PYTHON names no Python");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(script);
    let output = Command::new(&python).arg(script).args(arguments).env("HF_HUB_OFFLINE", "1").output();
    let output = output.unwrap_or_else(|error| panic!("SAGETRAIN_PYTHON {}: {error}", python.display()));
    let errors = String::from_utf8_lossy(&output.stderr);
    if let Some(missing) = errors.lines().find(|line| line.starts_with("ModuleNotFoundError")) {
        eprintln!("skipped: {}: {missing}", python.display());
        return None;
    }
    assert!(output.status.success(), "{errors}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
