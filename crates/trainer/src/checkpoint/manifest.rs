//! `manifest.json`: the size and SHA-256 of every file of a checkpoint, written last.

use crate::error::TrainerError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

pub(super) const NAME: &str = "manifest.json";
const FORMAT: u32 = 1;
/// A manifest lists a handful of files; more than this is not one.
const LARGEST: u64 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    size: u64,
    sha256: String,
}

/// Digests every file under `folder`, syncs each, and writes the manifest.
pub(super) fn write(folder: &Path) -> Result<(), TrainerError> {
    let mut files = BTreeMap::new();
    for path in files_under(folder)? {
        let file = File::open(&path).map_err(TrainerError::io(&path))?;
        file.sync_all().map_err(TrainerError::io(&path))?;
        files.insert(relative(folder, &path), entry(&path)?);
    }
    let path = folder.join(NAME);
    let text = serde_json::to_vec_pretty(&Manifest { format: FORMAT, files })
        .map_err(|error| TrainerError::checkpoint(&path, error.to_string()))?;
    let mut file = File::create(&path).map_err(TrainerError::io(&path))?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(TrainerError::io(&path))
}

/// Checks that a checkpoint is whole: every file of its manifest is there, with its size and its SHA-256, and no other.
///
/// # Errors
/// [`TrainerError::Checkpoint`] names the first file that differs.
pub fn verify(folder: &Path) -> Result<(), TrainerError> {
    let manifest = read(folder)?;
    for (name, expected) in &manifest.files {
        let path = folder.join(name);
        if name.split('/').any(|part| part == "..") || Path::new(name).is_absolute() {
            return Err(TrainerError::checkpoint(
                folder,
                format!("its manifest names {name}, outside the folder"),
            ));
        }
        if !path.is_file() {
            return Err(TrainerError::checkpoint(
                folder,
                format!("{name} is missing; resume from another checkpoint"),
            ));
        }
        let found = entry(&path)?;
        if found != *expected {
            let message = format!(
                "{name} is not what was saved ({} bytes, SHA-256 {}; expected {} bytes, {}); resume from another checkpoint",
                found.size, found.sha256, expected.size, expected.sha256
            );
            return Err(TrainerError::checkpoint(folder, message));
        }
    }
    match files_under(folder)?
        .iter()
        .map(|path| relative(folder, path))
        .find(|name| is_foreign(name, &manifest))
    {
        Some(name) => Err(TrainerError::checkpoint(folder, format!("{name} is not in its manifest"))),
        None => Ok(()),
    }
}

fn is_foreign(name: &str, manifest: &Manifest) -> bool {
    name != NAME && !manifest.files.contains_key(name)
}

fn read(folder: &Path) -> Result<Manifest, TrainerError> {
    let path = folder.join(NAME);
    let size = std::fs::metadata(&path).map_err(|_| {
        TrainerError::checkpoint(folder, "there is no manifest.json: this is not a finished checkpoint")
    })?;
    if size.len() > LARGEST {
        return Err(TrainerError::checkpoint(folder, format!("manifest.json has {} bytes", size.len())));
    }
    let text = std::fs::read(&path).map_err(TrainerError::io(&path))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| TrainerError::checkpoint(folder, format!("manifest.json: {error}")))?;
    if manifest.format != FORMAT {
        let message = format!("manifest.json has format {}, this version reads {FORMAT}", manifest.format);
        return Err(TrainerError::checkpoint(folder, message));
    }
    Ok(manifest)
}

fn entry(path: &Path) -> Result<Entry, TrainerError> {
    let mut file = File::open(path).map_err(TrainerError::io(path))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 20];
    let mut size = 0_u64;
    loop {
        let read = file.read(&mut buffer).map_err(TrainerError::io(path))?;
        if read == 0 {
            break;
        }
        size += read as u64;
        digest.update(&buffer[..read]);
    }
    Ok(Entry { size, sha256: hex(&digest.finalize()) })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn relative(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

/// All plain files below `folder`, sorted. Symbolic links are refused: a checkpoint owns what it holds.
fn files_under(folder: &Path) -> Result<Vec<PathBuf>, TrainerError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for item in std::fs::read_dir(&next).map_err(TrainerError::io(&next))? {
            let item = item.map_err(TrainerError::io(&next))?;
            let kind = item.file_type().map_err(TrainerError::io(item.path()))?;
            if kind.is_dir() {
                folders.push(item.path());
            } else if kind.is_file() {
                found.push(item.path());
            } else {
                return Err(TrainerError::checkpoint(item.path(), "is neither a file nor a folder"));
            }
        }
    }
    found.sort();
    Ok(found)
}
