//! A prepared folder is named by its fingerprint, made under a temporary name, and appears whole or not at all.

use std::fs::{self, File, Permissions, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::Watch;
use crate::dataset::replace::sync_folder;
use crate::{DataError, Result};

/// Time between two tries for a lock.
const PATIENCE: Duration = Duration::from_millis(50);

/// Makes `output/name` with `build`, which fills a temporary folder, unless it is there. Of several processes one
/// builds and the others wait. True: it was there.
pub(crate) fn publish(
    output: &Path,
    name: &str,
    watch: &dyn Watch,
    build: impl FnOnce(&Path) -> Result<()>,
) -> Result<bool> {
    fs::create_dir_all(output).map_err(DataError::io("make the folder", output))?;
    let _lock = lock(&output.join(format!(".{name}.lock")), watch)?;
    let folder = output.join(name);
    if folder.try_exists().map_err(DataError::io("read", &folder))? {
        return Ok(true);
    }
    sweep(output, name)?;
    let temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(output)
        .map_err(DataError::io("make a folder in", output))?;
    build(temporary.path())?;
    sync_folder(temporary.path())?;
    watch.progress("publish", 0);
    fs::rename(temporary.path(), &folder).map_err(DataError::io("rename into place", &folder))?;
    // The folder has moved on: there is nothing left to delete under the temporary name.
    let _moved = temporary.keep();
    sync_folder(output)?;
    Ok(false)
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
                watch.progress("wait", 0);
                if watch.stopped() {
                    return Err(DataError::Aborted);
                }
                std::thread::sleep(PATIENCE);
            }
        }
    }
}

/// Whoever holds the lock is alone, so what others left under temporary names is nobody's.
fn sweep(output: &Path, name: &str) -> Result<()> {
    for entry in fs::read_dir(output).map_err(DataError::io("read", output))? {
        let path = entry.map_err(DataError::io("read", output))?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.starts_with(&format!(".{name}.")) && file.ends_with(".tmp") {
            fs::remove_dir_all(&path).map_err(DataError::io("remove the left-over", &path))?;
        }
    }
    Ok(())
}
