//! Files of a model folder on their way: each whole and on the disk under a name of its own before it takes its place.

use std::fs::{self, File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::{ModelError, Result};

/// A whole file under a name that no other process has; dropped, it is gone.
pub struct Unfinished {
    path: TempPath,
    file: PathBuf,
}

impl Unfinished {
    /// What will be `folder/name`, once `write` has filled the file whose path it is given, or put another in its place.
    pub fn write(folder: &Path, name: &str, write: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let file = folder.join(name);
        let placed = tempfile::Builder::new()
            .prefix(&format!(".{name}-"))
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder);
        let path = placed.map_err(ModelError::io(&file))?.into_temp_path();
        let usual = fs::metadata(&path).map_err(ModelError::io(&file))?.permissions();
        write(&path)?;
        fs::set_permissions(&path, usual)
            .and_then(|()| File::open(&path)?.sync_all())
            .map_err(ModelError::io(&file))?;
        Ok(Self { path, file })
    }

    fn finish(self) -> Result<()> {
        self.path.persist(&self.file).map_err(|error| ModelError::io(&self.file)(error.error))
    }

    /// Takes away the file that it is to replace, where that one says something else.
    fn clear(&self) -> Result<()> {
        let old = fs::read(&self.file);
        if old.is_ok_and(|old| fs::read(&self.path).is_ok_and(|new| new == old)) {
            return Ok(());
        }
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(ModelError::io(&self.file)(error)),
            _ => Ok(()),
        }
    }
}

/// Replaces a folder's model. Its weights never lie under the config of another: who is killed in between leaves a folder without
/// a config, which is refused, and of several that save into one folder the last has its whole model there.
pub fn finish(
    folder: &Path,
    weights: Unfinished,
    beside: Option<Unfinished>,
    config: Unfinished,
) -> Result<()> {
    let lock = File::open(folder).map_err(ModelError::io(folder))?;
    let _unsupported = lock.lock();
    config.clear()?;
    weights.finish()?;
    beside.map_or(Ok(()), Unfinished::finish)?;
    config.finish()
}
