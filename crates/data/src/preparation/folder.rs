//! A folder that a preparation has made: whether it still holds what it did.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dataset::replace;
use crate::{DataError, Dataset, Result, Tokenizer};

/// Written last, so a folder with it is whole.
pub(crate) const MANIFEST: &str = "prepared.json";
/// Every line that was left out.
pub(crate) const REPORT: &str = "prepare-report.json";
/// Datasets of up to so many bytes together are read in full when they are used again, which takes a tenth of a second.
const VERIFIED_BYTES: u64 = 32 << 20;

/// A refusal of what lies in a prepared folder, with the remedy that helps there.
pub(crate) fn refused(folder: &Path, error: DataError) -> DataError {
    let remedy = format!("delete the folder {} and prepare again", folder.display());
    match error {
        DataError::Dataset { path, problem, .. } => DataError::Dataset { path, problem, remedy },
        DataError::Tokenizer { path: Some(path), reason: problem, .. } => {
            DataError::Dataset { path, problem, remedy }
        }
        DataError::Io { path, source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            DataError::Dataset { path, problem: "it is missing".into(), remedy }
        }
        other => other,
    }
}

/// Reads the manifest of a prepared folder.
pub(crate) fn read_manifest<T: DeserializeOwned>(folder: &Path) -> Result<T> {
    let path = folder.join(MANIFEST);
    let bytes = std::fs::read(&path).map_err(DataError::io("read", &path))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| DataError::dataset(&path, format!("it is not understood: {error}")))
}

/// Fails where a manifest's fingerprint is not the one that is looked for.
pub(crate) fn check_fingerprint(folder: &Path, found: &str, expected: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(DataError::dataset(&folder.join(MANIFEST), "it was made from other inputs or options"))
}

/// Fails where the tokenizer in a `tokenizer.json` has another fingerprint.
pub(crate) fn check_tokenizer(path: &Path, fingerprint: &str) -> Result<()> {
    if Tokenizer::open(path)?.fingerprint()? == fingerprint {
        return Ok(());
    }
    Err(DataError::dataset(path, "it is not the tokenizer that the datasets were made with"))
}

/// Fails where a dataset, by the name of its file and its fingerprint, is not what was prepared.
pub(crate) fn check_datasets<'a>(
    folder: &Path,
    datasets: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<()> {
    let mut unread = VERIFIED_BYTES;
    for (file, fingerprint) in datasets {
        let path = folder.join(file);
        let dataset = Dataset::open(&path)?;
        if dataset.fingerprint() != fingerprint {
            return Err(DataError::dataset(&path, "it is not the dataset that was prepared here"));
        }
        let bytes = dataset.bytes();
        if bytes <= unread {
            dataset.verify()?;
            unread -= bytes;
        }
    }
    Ok(())
}

/// Writes a JSON file, durable and whole.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| DataError::Internal(format!("cannot encode {}: {error}", path.display())))?;
    replace::file(path, |file| writeln!(file, "{text}"))
}
