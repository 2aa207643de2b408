//! Arrays by name in a safetensors file: written whole or not at all, read without trust in its header.

use crate::array::{NamedState, StateArray, StateValues};
use crate::error::{OptimError, Result};
use crate::values::Values;
use bytemuck::Pod;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

/// Headers above this are refused before they are parsed: a parsed one costs many times its size.
const LARGEST_HEADER: u64 = 16 << 20;

/// What a file holds.
pub(crate) struct TensorFile {
    pub metadata: HashMap<String, String>,
    /// In the file's order.
    pub arrays: Vec<StateArray>,
}

/// Name, shape, type and bytes of one array.
type Entry<'a> = (&'a String, &'a [usize], (Dtype, &'a [u8]));

/// Writes under a temporary name beside `path`, syncs, renames and syncs the folder: after a crash there is the old file or the new.
/// The same content has the same bytes.
pub(crate) fn write(path: &Path, metadata: &[(&str, String)], arrays: &[NamedState<'_>]) -> Result<()> {
    // The widest type first, so that every array is aligned in the file, as the safetensors crate has it.
    let mut arrays: Vec<Entry<'_>> =
        arrays.iter().map(|(name, shape, values)| (name, *shape, bytes(*values))).collect();
    arrays.sort_by(|(a, _, (left, _)), (b, _, (right, _))| right.cmp(left).then(a.cmp(b)));
    let header = header_text(path, metadata, &arrays)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // `safetensors::serialize_to_file` would leave the file unsynced and for its owner alone to read.
    let mut temporary = tempfile::Builder::new()
        .prefix(".tmp-")
        .make_in(folder, |path| OpenOptions::new().write(true).create_new(true).open(path))
        .map_err(OptimError::io(folder))?;
    let file = temporary.as_file_mut();
    let head = [(header.len() as u64).to_le_bytes().as_slice(), header.as_slice()].concat();
    let parts = std::iter::once(head.as_slice()).chain(arrays.iter().map(|(_, _, (_, bytes))| *bytes));
    for part in parts {
        file.write_all(part).map_err(OptimError::io(path))?;
    }
    file.sync_all().map_err(OptimError::io(path))?;
    temporary.persist(path).map_err(|error| OptimError::io(path)(error.error))?;
    sync_folder(folder)
}

/// The header, padded to a multiple of 8 bytes.
fn header_text(path: &Path, metadata: &[(&str, String)], arrays: &[Entry<'_>]) -> Result<Vec<u8>> {
    let bad = |error: &dyn Display| OptimError::content(path, error);
    let own: Map<String, Value> =
        metadata.iter().map(|(key, text)| ((*key).to_owned(), json!(text))).collect();
    let mut header = Map::from_iter([("__metadata__".to_owned(), Value::Object(own))]);
    let (mut infos, mut offset) = (Vec::new(), 0);
    for (name, shape, (dtype, bytes)) in arrays {
        let data_offsets = (offset, offset + bytes.len());
        offset = data_offsets.1;
        let info = TensorInfo { dtype: *dtype, shape: shape.to_vec(), data_offsets };
        let value = serde_json::to_value(&info).map_err(|error| bad(&error))?;
        if header.insert((*name).clone(), value).is_some() {
            return Err(bad(&format!("'{name}' comes twice")));
        }
        infos.push(((*name).clone(), info));
    }
    // Checks that shapes and lengths agree.
    Metadata::new(None, infos).map_err(|error| bad(&error))?;
    let mut text = serde_json::to_vec(&header).map_err(|error| bad(&error))?;
    text.resize(text.len().next_multiple_of(8), b' ');
    if text.len() as u64 > LARGEST_HEADER {
        return Err(bad(&format!(
            "its header would take {} bytes, at most {LARGEST_HEADER} are read",
            text.len()
        )));
    }
    Ok(text)
}

fn bytes(values: Values<'_>) -> (Dtype, &[u8]) {
    match values {
        Values::Float32(values) => (Dtype::F32, bytemuck::cast_slice(values)),
        Values::Float64(values) => (Dtype::F64, bytemuck::cast_slice(values)),
        Values::BFloat16(values) => (Dtype::BF16, bytemuck::cast_slice(values)),
        Values::Float16(values) => (Dtype::F16, bytemuck::cast_slice(values)),
    }
}

/// So that the new name outlasts a power cut; only Unix can.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(OptimError::io(folder))?;
    }
    Ok(())
}

/// Reads a whole file. What is allocated is bounded by the size the file has.
///
/// # Errors
/// `ERR_IO`; `ERR_CHECKPOINT` with the file's name for one that is truncated, longer than its header says, no safetensors, or holds
/// another type than float32, float64, bfloat16 and float16.
pub(crate) fn read(path: &Path) -> Result<TensorFile> {
    let mut file = File::open(path).map_err(OptimError::io(path))?;
    let size = file.metadata().map_err(OptimError::io(path))?.len();
    let header = header(path, &mut file, size)?;
    let mut arrays = Vec::new();
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        let elements = info.shape.iter().product();
        let values = match info.dtype {
            Dtype::F32 => take(&mut file, elements).map(StateValues::Float32),
            Dtype::F64 => take(&mut file, elements).map(StateValues::Float64),
            Dtype::BF16 => take(&mut file, elements).map(StateValues::BFloat16),
            Dtype::F16 => take(&mut file, elements).map(StateValues::Float16),
            other => {
                let problem =
                    format!("'{name}' is {other:?}; save it as float32, float64, bfloat16 or float16");
                return Err(OptimError::content(path, problem));
            }
        };
        let values = values.map_err(OptimError::io(path))?;
        arrays.push(StateArray { name, shape: info.shape.clone(), values });
    }
    Ok(TensorFile { metadata: header.metadata().clone().unwrap_or_default(), arrays })
}

/// The header, which agrees with itself and with the file's size.
fn header(path: &Path, file: &mut File, size: u64) -> Result<Metadata> {
    let bad = |problem: String| OptimError::content(path, problem);
    if size < 8 {
        return Err(bad(format!("is no safetensors file: it has {size} bytes")));
    }
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(OptimError::io(path))?;
    let length = u64::from_le_bytes(length);
    if length > LARGEST_HEADER || length > size - 8 {
        return Err(bad(format!(
            "is truncated or no safetensors file: a header of {length} bytes in {size}"
        )));
    }
    let mut text = vec![0; length as usize];
    file.read_exact(&mut text).map_err(OptimError::io(path))?;
    let header: Metadata = serde_json::from_slice(&text)
        .map_err(|error| bad(format!("is no safetensors file: its header is malformed: {error}")))?;
    let (found, expected) = (size - 8 - length, header.data_len() as u64);
    if found == expected {
        return Ok(header);
    }
    let how = if found < expected { "is truncated" } else { "is longer than its header says" };
    Err(bad(format!("{how}: its arrays take {expected} bytes and there are {found}")))
}

fn take<T: Pod>(file: &mut File, elements: usize) -> std::io::Result<Vec<T>> {
    let mut values = vec![T::zeroed(); elements];
    file.read_exact(bytemuck::cast_slice_mut(&mut values))?;
    Ok(values)
}
