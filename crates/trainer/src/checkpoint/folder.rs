//! The `checkpoints` folder: publishing by one rename, finding the latest, letting old ones go.

use super::manifest;
use crate::error::TrainerError;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(super) const TEMPORARY: &str = ".tmp-";
const TRASH: &str = ".trash-";

/// `step-00001200`.
pub(super) fn name(step: u64) -> String {
    format!("step-{step:08}")
}

fn step_of(name: &str) -> Option<u64> {
    name.strip_prefix("step-").filter(|digits| digits.len() >= 8)?.parse().ok()
}

/// Lets `write` fill a temporary folder, adds the manifest, syncs, and renames it to `folder/name`. When anything fails the
/// temporary folder is removed and what was there before is untouched.
pub(super) fn publish(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> Result<(), TrainerError>,
) -> Result<PathBuf, TrainerError> {
    make(folder)?;
    let _lock = lock(folder)?;
    let target = folder.join(name);
    // Dropped with whatever it then holds: nothing, what failed, or the checkpoint that gave way.
    let temporary = unique(TEMPORARY, &target)?;
    fill(temporary.path(), write)?;
    replace(temporary.path(), &target)?;
    sync_folder(folder)?;
    Ok(target)
}

/// Makes a folder whose name, and those above it, outlast a power cut.
fn make(folder: &Path) -> Result<(), TrainerError> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(TrainerError::io(folder))?;
    let whole = folder.canonicalize().map_err(TrainerError::io(folder))?;
    // Which of them are new is not known, the caller may have made some; syncing an old one costs nothing, and one that may not
    // be read is old.
    for above in whole.ancestors().skip(1) {
        let _synced = sync_folder(above);
    }
    Ok(())
}

/// Held by everyone who has temporary names in the folder; whoever finds it free removes those of killed processes first. Where the
/// file system has no locks nothing is removed.
fn lock(folder: &Path) -> Result<File, TrainerError> {
    let lock = File::open(folder).map_err(TrainerError::io(folder))?;
    if lock.try_lock().is_ok() {
        sweep(folder);
    }
    let _unsupported = lock.lock_shared();
    Ok(lock)
}

fn fill(temporary: &Path, write: impl FnOnce(&Path) -> Result<(), TrainerError>) -> Result<(), TrainerError> {
    write(temporary)?;
    manifest::write(temporary)?;
    sync_folders(temporary)
}

/// Syncs a folder and those below it.
pub(super) fn sync_folders(folder: &Path) -> Result<(), TrainerError> {
    for item in std::fs::read_dir(folder).map_err(TrainerError::io(folder))? {
        let item = item.map_err(TrainerError::io(folder))?;
        if item.file_type().map_err(TrainerError::io(item.path()))?.is_dir() {
            sync_folders(&item.path())?;
        }
    }
    sync_folder(folder)
}

/// A checkpoint of the same step gives way in one exchange of names, so there is no moment without one.
fn replace(temporary: &Path, target: &Path) -> Result<(), TrainerError> {
    if !target.exists() {
        return std::fs::rename(temporary, target).map_err(TrainerError::io(target));
    }
    if renameat_with(CWD, temporary, CWD, target, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    // File systems without the exchange: aside first, deleted after.
    let aside = unique(TRASH, target)?;
    std::fs::rename(target, aside.path()).map_err(TrainerError::io(target))?;
    std::fs::rename(temporary, target).map_err(|source| {
        let aside = aside.keep();
        let _restored = std::fs::rename(aside, target);
        TrainerError::Io { path: target.to_path_buf(), source }
    })
}

/// Finished checkpoints by their manifest's presence, oldest first; contents are not verified.
pub fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, TrainerError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found: Vec<(u64, PathBuf)> = names(folder)?
        .into_iter()
        .filter_map(|name| Some((step_of(&name)?, folder.join(name))))
        .filter(|(_, path)| path.join("manifest.json").is_file())
        .collect();
    found.sort();
    Ok(found)
}

/// The checkpoint of the largest step whose files verify; damaged ones are passed over and returned with their reasons.
pub fn latest(folder: &Path) -> Result<(Option<PathBuf>, Vec<TrainerError>), TrainerError> {
    let mut damaged = Vec::new();
    for (_, path) in list(folder)?.into_iter().rev() {
        match manifest::verify(&path) {
            Ok(()) => return Ok((Some(path), damaged)),
            Err(error) => damaged.push(error),
        }
    }
    Ok((None, damaged))
}

/// Deletes every finished checkpoint but those named in `keep`; returns what remains. Each is first renamed, so that a half-deleted
/// one is never taken for whole.
pub fn retain(folder: &Path, keep: &[PathBuf]) -> Result<Vec<PathBuf>, TrainerError> {
    let mut kept = Vec::new();
    let finished = list(folder)?;
    if finished.is_empty() {
        return Ok(kept);
    }
    let _lock = lock(folder)?;
    for (_, path) in finished {
        if keep.iter().any(|wanted| wanted.file_name() == path.file_name()) {
            kept.push(path);
            continue;
        }
        let aside = unique(TRASH, &path)?;
        std::fs::rename(&path, aside.path()).map_err(TrainerError::io(&path))?;
        aside.close().map_err(TrainerError::io(&path))?;
    }
    Ok(kept)
}

/// Removes what killed saves left behind. What cannot be removed is in nobody's way.
fn sweep(folder: &Path) {
    let left = names(folder).unwrap_or_default();
    for name in left.iter().filter(|name| name.starts_with(TEMPORARY) || name.starts_with(TRASH)) {
        let _removed = std::fs::remove_dir_all(folder.join(name));
    }
}

/// An empty folder beside `target`, of a name that no other process has, in whatever container it runs.
pub(super) fn unique(prefix: &str, target: &Path) -> Result<TempDir, TrainerError> {
    let folder = target.parent().unwrap_or(target);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    tempfile::Builder::new()
        .prefix(&format!("{prefix}{name}-"))
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(folder)
        .map_err(TrainerError::io(folder))
}

fn names(folder: &Path) -> Result<Vec<String>, TrainerError> {
    let items = std::fs::read_dir(folder).map_err(TrainerError::io(folder))?;
    items
        .map(|item| Ok(item.map_err(TrainerError::io(folder))?.file_name().to_string_lossy().into_owned()))
        .collect()
}

pub(crate) fn sync_folder(folder: &Path) -> Result<(), TrainerError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(TrainerError::io(folder))
}
