//! What a checkpoint's model folder holds beside the model, such as the tokenizers.

use crate::error::TrainerError;
use std::path::{Path, PathBuf};

/// Copies files, and folders with all that lies in them, into a model's folder; nothing that is there is replaced.
pub(super) fn attach(model_folder: &Path, attachments: &[PathBuf]) -> Result<(), TrainerError> {
    for attachment in attachments {
        let name = attachment.file_name().ok_or_else(|| TrainerError::Option {
            key: "attachments",
            message: format!("{} names no file", attachment.display()),
        })?;
        let target = model_folder.join(name);
        if target.exists() {
            let message = format!("{} would replace a file that is there; rename it", attachment.display());
            return Err(TrainerError::Option { key: "attachments", message });
        }
        if attachment.is_dir() {
            copy_folder(attachment, &target)?;
        } else {
            copy_file(attachment, &target)?;
        }
    }
    Ok(())
}

/// Links to folders are refused as no files, so that none can lead round in a circle.
fn copy_folder(from: &Path, to: &Path) -> Result<(), TrainerError> {
    std::fs::create_dir(to).map_err(TrainerError::io(to))?;
    for item in std::fs::read_dir(from).map_err(TrainerError::io(from))? {
        let item = item.map_err(TrainerError::io(from))?;
        let (path, target) = (item.path(), to.join(item.file_name()));
        if item.file_type().map_err(TrainerError::io(&path))?.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            copy_file(&path, &target)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), TrainerError> {
    std::fs::copy(from, to).map(drop).map_err(TrainerError::io(from))
}
