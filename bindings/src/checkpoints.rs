//! Folders of checkpoints: finding, verifying, letting go.

use crate::fault::Fault;
use crate::promise::promise;
use crate::spec::write;
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;
use sagetrain_trainer::checkpoint;
use std::path::{Path, PathBuf};

/// The checkpoint of the largest step whose files verify.
#[napi(object)]
pub struct LatestCheckpoint {
    pub path: Option<String>,
    /// Why newer ones were passed over.
    pub damaged: Vec<String>,
}

/// Finds the newest whole checkpoint in a folder.
#[napi(catch_unwind, ts_return_type = "Promise<LatestCheckpoint>")]
pub fn latest_checkpoint(env: &Env, folder: String) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    settle.spawn(
        move || checkpoint::latest(&PathBuf::from(folder)),
        |_, (path, damaged)| {
            let damaged = damaged.iter().map(ToString::to_string).collect();
            Ok(LatestCheckpoint { path: path.as_deref().map(text), damaged })
        },
    )?;
    Ok(promise)
}

/// Verifies a checkpoint and resolves with its `state.json`.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn read_checkpoint(env: &Env, path: String) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let read = move || write(&checkpoint::read_state(&PathBuf::from(path))?);
    settle.spawn(read, |_, state: String| Ok(state))?;
    Ok(promise)
}

/// Finished checkpoints of a folder, oldest first; contents are not verified.
#[napi(catch_unwind, ts_return_type = "Promise<string[]>")]
pub fn list_checkpoints(env: &Env, folder: String) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let list = move || checkpoint::list(&PathBuf::from(folder));
    settle.spawn(list, |_, found| Ok(found.iter().map(|(_, path)| text(path)).collect::<Vec<_>>()))?;
    Ok(promise)
}

/// Writes the mean of checkpoints' weights as a model folder; resolves with JSON.
#[napi(catch_unwind, ts_return_type = "Promise<string>")]
pub fn average_checkpoints(env: &Env, paths: Vec<String>, output: String) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let average = move || write(&checkpoint::average(&paths, &PathBuf::from(output))?);
    settle.spawn(average, |_, averaged: String| Ok(averaged))?;
    Ok(promise)
}

/// Deletes the folder's checkpoints but those in `keep`; resolves with what remains.
#[napi(catch_unwind, ts_return_type = "Promise<string[]>")]
pub fn retain_checkpoints(env: &Env, folder: String, keep: Vec<String>) -> napi::Result<Object<'_>> {
    let (settle, promise) = promise(env)?;
    let keep: Vec<PathBuf> = keep.into_iter().map(PathBuf::from).collect();
    let retain = move || Ok::<_, Fault>(checkpoint::retain(&PathBuf::from(folder), &keep)?);
    settle.spawn(retain, |_, kept| Ok(kept.iter().map(|path| text(path)).collect::<Vec<_>>()))?;
    Ok(promise)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
