//! A file or folder gets its name in one step, after its contents are on the disk; never written in place.

use std::fs::{File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use crate::{DataError, Result};

/// The folder that holds `path`.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A temporary file that nobody has written to for so long belongs to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Writes `path` through a temporary name beside it: contents, fsync, rename, fsync of the folder.
pub(crate) fn file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
) -> Result<()> {
    let folder = folder_of(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    sweep(folder, &format!(".{name}."));
    let temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(DataError::io("make a file beside", path))?;
    let mut buffered = BufWriter::with_capacity(1 << 20, temporary.as_file());
    write(&mut buffered).and_then(|()| buffered.flush()).map_err(DataError::io("write", path))?;
    drop(buffered);
    temporary.as_file().sync_all().map_err(DataError::io("make durable", path))?;
    temporary.persist(path).map_err(|error| DataError::io("rename into place", path)(error.error))?;
    sync_folder(folder)
}

/// Removes what killed writers of the same file have left. Failing to is no reason not to write.
fn sweep(folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok()).unwrap_or_default();
        if name.starts_with(prefix) && name.ends_with(".tmp") && age > ABANDONED {
            let _kept = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(DataError::io("make durable", folder))
}
