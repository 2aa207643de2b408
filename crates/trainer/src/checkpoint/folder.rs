//! The `checkpoints` folder: publishing by one rename, finding the latest, letting old ones go.

use super::manifest;
use crate::error::TrainerError;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const TEMPORARY: &str = ".tmp-";
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
    std::fs::create_dir_all(folder).map_err(TrainerError::io(folder))?;
    sweep(folder)?;
    let temporary = folder.join(unique(TEMPORARY, name));
    let target = folder.join(name);
    let result = fill(&temporary, write).and_then(|()| replace(&temporary, &target));
    if result.is_err() {
        // The first error is the one to report; what cannot be removed now is swept by the next save.
        let _removed = std::fs::remove_dir_all(&temporary);
    }
    result?;
    sync_folder(folder)?;
    Ok(target)
}

fn fill(temporary: &Path, write: impl FnOnce(&Path) -> Result<(), TrainerError>) -> Result<(), TrainerError> {
    std::fs::create_dir(temporary).map_err(TrainerError::io(temporary))?;
    write(temporary)?;
    manifest::write(temporary)?;
    sync_folder(&temporary.join("model"))?;
    sync_folder(temporary)
}

/// A checkpoint of the same step gives way in one exchange of names, so there is no moment without one.
fn replace(temporary: &Path, target: &Path) -> Result<(), TrainerError> {
    if !target.exists() {
        return std::fs::rename(temporary, target).map_err(TrainerError::io(target));
    }
    match renameat_with(CWD, temporary, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => std::fs::remove_dir_all(temporary).map_err(TrainerError::io(temporary)),
        // File systems without the exchange: aside first, deleted after.
        Err(_) => {
            let aside = aside(target)?;
            std::fs::rename(target, &aside).map_err(TrainerError::io(target))?;
            if let Err(source) = std::fs::rename(temporary, target) {
                std::fs::rename(&aside, target).map_err(TrainerError::io(target))?;
                return Err(TrainerError::Io { path: target.to_path_buf(), source });
            }
            std::fs::remove_dir_all(&aside).map_err(TrainerError::io(&aside))
        }
    }
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
    for (_, path) in list(folder)? {
        if keep.iter().any(|wanted| wanted.file_name() == path.file_name()) {
            kept.push(path);
            continue;
        }
        let aside = aside(&path)?;
        std::fs::rename(&path, &aside).map_err(TrainerError::io(&path))?;
        std::fs::remove_dir_all(&aside).map_err(TrainerError::io(&aside))?;
    }
    Ok(kept)
}

/// Removes what killed or failed saves left behind: temporary and trash folders of processes that are gone.
fn sweep(folder: &Path) -> Result<(), TrainerError> {
    for name in names(folder)? {
        let ours = [TEMPORARY, TRASH].iter().find_map(|prefix| name.strip_prefix(prefix));
        let process = ours.and_then(|rest| rest.split('-').next()).and_then(|text| text.parse::<u32>().ok());
        if process
            .is_some_and(|id| id != std::process::id() && !Path::new("/proc").join(id.to_string()).exists())
        {
            let path = folder.join(&name);
            std::fs::remove_dir_all(&path).map_err(TrainerError::io(&path))?;
        }
    }
    Ok(())
}

fn aside(path: &Path) -> Result<PathBuf, TrainerError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| TrainerError::checkpoint(path, "has no name"))?;
    Ok(path.with_file_name(unique(TRASH, &name)))
}

fn unique(prefix: &str, name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}{}-{}-{name}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn names(folder: &Path) -> Result<Vec<String>, TrainerError> {
    let items = std::fs::read_dir(folder).map_err(TrainerError::io(folder))?;
    items
        .map(|item| Ok(item.map_err(TrainerError::io(folder))?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn sync_folder(folder: &Path) -> Result<(), TrainerError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(TrainerError::io(folder))
}
