//! A prepared folder is named by its fingerprint, made under another name, and appears whole or not at all.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::Watch;
use crate::dataset::replace::sync_folder;
use crate::{DataError, Result};

/// Time between two tries for a lock.
const PATIENCE: Duration = Duration::from_millis(50);
/// What was left under way for so long is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(14 * 24 * 3600);

/// Makes `output/name` with `build`, which fills the work folder of `work`, unless it is there. The work folder is found
/// again after a kill, a stop or a full disk, and `build` goes on in it, and so does that of another name with the same
/// `work`; an error that will come again clears it away. Of several processes one builds and the others wait. True: it
/// was there.
pub(crate) fn publish(
    output: &Path,
    name: &str,
    work: &str,
    watch: &dyn Watch,
    build: impl FnOnce(&Path) -> Result<()>,
) -> Result<bool> {
    fs::create_dir_all(output).map_err(DataError::io("make the folder", output))?;
    let _lock = lock(&output.join(format!(".{work}.lock")), watch)?;
    let folder = output.join(name);
    if folder.try_exists().map_err(DataError::io("read", &folder))? {
        return Ok(true);
    }
    sweep(output, work);
    let work = output.join(format!(".{work}.work"));
    let blocks = work.join("blocks");
    fs::create_dir_all(&blocks).map_err(DataError::io("make the folder", &blocks))?;
    build(&work).inspect_err(|error| {
        if !goes_on(error) {
            let _left = fs::remove_dir_all(&work);
        }
    })?;
    if blocks.exists() {
        fs::remove_dir_all(&blocks).map_err(DataError::io("remove", &blocks))?;
    }
    remove_unfinished(&work)?;
    sync_folder(&work)?;
    watch.progress("publish", 0, 1.0);
    fs::rename(&work, &folder).map_err(DataError::io("rename into place", &folder))?;
    sync_folder(output)?;
    Ok(false)
}

/// Removes the files that killed writers have left, of whatever age: the lock says that none of them is at work.
fn remove_unfinished(work: &Path) -> Result<()> {
    for entry in fs::read_dir(work).map_err(DataError::io("read", work))? {
        let path = entry.map_err(DataError::io("read", work))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") {
            fs::remove_file(&path).map_err(DataError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Whether asking again may succeed with what has been done.
fn goes_on(error: &DataError) -> bool {
    match error {
        DataError::Aborted | DataError::Io { .. } | DataError::Dataset { .. } => true,
        // Another number goes on in the same work folder.
        DataError::Argument { option, .. } => *option == "shardSamples",
        _ => false,
    }
}

/// Held until the file is dropped, or its process ends in whatever way.
fn lock(path: &Path, watch: &dyn Watch) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(DataError::io("open the lock", path))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(DataError::io("lock", path)(error)),
            Err(TryLockError::WouldBlock) => {
                watch.progress("wait", 0, 0.0);
                if watch.stopped() {
                    return Err(DataError::Aborted);
                }
                std::thread::sleep(PATIENCE);
            }
        }
    }
}

/// Removes the work of other preparations that nobody has gone on with for a long time. Failing to is no reason not to
/// prepare.
fn sweep(output: &Path, own: &str) {
    for entry in fs::read_dir(output).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = file.strip_prefix('.').and_then(|rest| rest.strip_suffix(".work")) else { continue };
        let blocks = entry.path().join("blocks");
        let modified = fs::metadata(&blocks).and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok()).unwrap_or_default();
        if name != own
            && age > ABANDONED
            && let Some(_held) = unused(&output.join(format!(".{name}.lock")))
        {
            let _left = fs::remove_dir_all(entry.path());
        }
    }
}

/// The lock of work that nobody is at, held so that nobody goes on with it while it is removed.
fn unused(lock: &Path) -> Option<File> {
    let file = File::open(lock).ok()?;
    file.try_lock().is_ok().then_some(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn what_a_killed_writer_has_left_is_not_published() {
        let folder = tempfile::tempdir().unwrap();
        let build = |work: &Path| {
            fs::write(work.join(".train.dataset.abcd.tmp"), "half").unwrap();
            fs::write(work.join("train.dataset"), "whole").unwrap();
            Ok(())
        };
        assert!(!publish(folder.path(), "made", "made", &(), build).unwrap());
        let names = fs::read_dir(folder.path().join("made")).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["train.dataset"]);
    }

    #[test]
    fn work_is_not_unused_to_anybody_else_while_its_lock_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".x.lock");
        assert!(unused(&path).is_none());
        fs::write(&path, "").unwrap();
        let held = unused(&path).unwrap();
        assert!(unused(&path).is_none());
        drop(held);
        assert!(unused(&path).is_some());
    }
}
