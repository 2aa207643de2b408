//! model.safetensors: what is written holds every parameter, what is read is checked before any of it is believed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::{Dtype, SafeTensorError, SafeTensors, View};
use tch::{Kind, Tensor};

use crate::error::{ModelError, Result};
use crate::parameters::Declaration;
use crate::unfinished::Unfinished;

/// The file's name in every model folder.
pub const FILE: &str = "model.safetensors";
/// A header of 16 MiB names more than a hundred thousand tensors; a longer one is an attack or an accident.
pub const LONGEST_HEADER: u64 = 16 << 20;
const TIB: u64 = 1 << 40;

/// A float32 tensor on its way into a file.
pub struct Entry<'a> {
    shape: Vec<usize>,
    values: Cow<'a, [f32]>,
}

impl<'a> Entry<'a> {
    /// An entry of `shape`.
    pub fn new(shape: &[i64], values: impl Into<Cow<'a, [f32]>>) -> Self {
        Self { shape: shape.iter().map(|&size| size as usize).collect(), values: values.into() }
    }
}

impl View for Entry<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        // The format is little-endian, and so is every processor this runs on.
        bytemuck::cast_slice(&self.values).into()
    }

    fn data_len(&self) -> usize {
        4 * self.values.len()
    }
}

/// `folder/model.safetensors` before it takes its place.
pub fn write(folder: &Path, entries: Vec<(&str, Entry)>) -> Result<Unfinished> {
    let file = folder.join(FILE);
    // transformers refuses files that do not say which framework's layout they have.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Unfinished::write(folder, FILE, |path| {
        safetensors::serialize_to_file(entries, Some(metadata), path).map_err(|error| match error {
            SafeTensorError::IoError(source) => ModelError::io(&file)(source),
            other => ModelError::folder(&file, format!("cannot be written: {other}")),
        })
    })
}

/// The bytes of `folder/model.safetensors`.
pub fn read(folder: &Path) -> Result<Vec<u8>> {
    let file = folder.join(FILE);
    let length = fs::metadata(&file).map_err(ModelError::io(&file))?.len();
    if length > TIB {
        return Err(ModelError::folder(&file, format!("{length} bytes are more than can be read")));
    }
    let bytes = fs::read(&file).map_err(ModelError::io(&file))?;
    let header = bytes.first_chunk::<8>().map(|first| u64::from_le_bytes(*first));
    match header {
        Some(header) if header > LONGEST_HEADER => Err(ModelError::folder(
            &file,
            format!("a header of {header} bytes; at most {LONGEST_HEADER} are read"),
        )),
        _ => Ok(bytes),
    }
}

/// Reads the tensors of a file: names to views. `folder` is where the bytes came from.
pub fn parse<'a>(folder: &Path, bytes: &'a [u8]) -> Result<SafeTensors<'a>> {
    SafeTensors::deserialize(bytes).map_err(|error| {
        let problem =
            format!("damaged or truncated ({} bytes): {error}; fetch or save it again", bytes.len());
        ModelError::folder(&folder.join(FILE), problem)
    })
}

/// The values of every declared parameter.
///
/// # Errors
/// `ERR_MODEL` listing everything missing, unknown (neither declared nor in `also`) and mis-shaped at once.
pub fn take(
    folder: &Path,
    file: &SafeTensors,
    declared: &[Declaration],
    also: &[&str],
) -> Result<Vec<Tensor>> {
    let mut problems: Vec<String> = declared.iter().filter_map(|wanted| mismatch(file, wanted)).collect();
    let mut unknown: Vec<&str> = file.names();
    unknown.retain(|name| !also.contains(name) && declared.iter().all(|wanted| wanted.name != *name));
    unknown.sort_unstable();
    problems.extend(unknown.iter().map(|name| format!("unknown: {name}")));
    if !problems.is_empty() {
        let problem = format!("does not fit config.json:\n  {}", problems.join("\n  "));
        return Err(ModelError::folder(&folder.join(FILE), problem));
    }
    declared.iter().map(|wanted| tensor(folder, file, &wanted.name)).collect()
}

fn mismatch(file: &SafeTensors, wanted: &Declaration) -> Option<String> {
    let Ok(found) = file.tensor(&wanted.name) else { return Some(format!("missing: {}", wanted.name)) };
    let shape: Vec<i64> = found.shape().iter().map(|&size| size as i64).collect();
    let name = &wanted.name;
    if shape != wanted.shape {
        return Some(format!("mis-shaped: {name} is {shape:?}, {:?} is expected", wanted.shape));
    }
    kind(found.dtype())
        .is_none()
        .then(|| format!("{name} is {:?}, a float of 16 to 64 bits is expected", found.dtype()))
}

/// One tensor in float32 on the CPU.
pub fn tensor(folder: &Path, file: &SafeTensors, name: &str) -> Result<Tensor> {
    let broken = |problem: String| ModelError::folder(&folder.join(FILE), format!("{name}: {problem}"));
    let view = file.tensor(name).map_err(|error| broken(error.to_string()))?;
    let kind = kind(view.dtype()).ok_or_else(|| broken(format!("{:?} is no float", view.dtype())))?;
    let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
    Ok(Tensor::f_from_data_size(view.data(), &shape, kind)?.f_to_kind(Kind::Float)?)
}

/// The kind of a float.
pub fn kind(dtype: Dtype) -> Option<Kind> {
    match dtype {
        Dtype::F64 => Some(Kind::Double),
        Dtype::F32 => Some(Kind::Float),
        Dtype::F16 => Some(Kind::Half),
        Dtype::BF16 => Some(Kind::BFloat16),
        _ => None,
    }
}
