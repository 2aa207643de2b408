//! The tensors of a model folder, in one file or in shards: names and shapes at once, values one by one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Metadata, TensorInfo};
use tch::{Kind, Tensor};

use crate::error::{ModelError, Result};
use crate::shards;
use crate::tensors_file::{FILE, LONGEST_HEADER, kind};

/// Open files and where in them each tensor lies.
pub struct Weights {
    path: PathBuf,
    files: Vec<OpenFile>,
    tensors: BTreeMap<String, Place>,
}

struct OpenFile {
    path: PathBuf,
    file: File,
    /// Where its values begin.
    data: u64,
}

struct Place {
    file: usize,
    info: TensorInfo,
}

impl Weights {
    /// Reads the headers of `model.safetensors`, or of every shard that `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// `ERR_IO`; `ERR_MODEL` naming the files that are missing or damaged and the tensors that are not where the index says.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut weights = Self { path: folder.join(FILE), files: Vec::new(), tensors: BTreeMap::new() };
        if weights.path.exists() {
            weights.add(folder.join(FILE))?;
            return Ok(weights);
        }
        let index = shards::index(folder)?;
        weights.path.clone_from(&index.path);
        index.files.iter().try_for_each(|name| weights.add(folder.join(name)))?;
        index
            .check(|name| weights.tensors.get(name).map(|place| weights.files[place.file].path.as_path()))?;
        Ok(weights)
    }

    /// The file, or the index of the shards.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor, if there is one of that name.
    pub fn shape(&self, name: &str) -> Option<Vec<i64>> {
        let place = self.tensors.get(name)?;
        Some(place.info.shape.iter().map(|&size| size as i64).collect())
    }

    /// A tensor of 16 to 64-bit floats in float32, on the CPU.
    ///
    /// # Errors
    /// `ERR_IO`; `ERR_MODEL` for a tensor that is none of floats.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let missing = || ModelError::folder(&self.path, format!("{name} is missing"));
        let Place { file, info } = self.tensors.get(name).ok_or_else(missing)?;
        let file = &self.files[*file];
        let no_float = || {
            let problem = format!("{name} is {:?}, a float of 16 to 64 bits is expected", info.dtype);
            ModelError::folder(&file.path, problem)
        };
        let kind = kind(info.dtype).ok_or_else(no_float)?;
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0; end - start];
        let read = file.file.read_exact_at(&mut bytes, file.data + start as u64);
        read.map_err(ModelError::io(&file.path))?;
        let shape: Vec<i64> = info.shape.iter().map(|&size| size as i64).collect();
        Ok(Tensor::f_from_data_size(&bytes, &shape, kind)?.f_to_kind(Kind::Float)?)
    }

    fn add(&mut self, path: PathBuf) -> Result<()> {
        let (file, header) = open(&path)?;
        let tensors = header.metadata.tensors();
        let index = self.files.len();
        let twice = tensors.keys().find(|name| self.tensors.contains_key(*name));
        if let Some(name) = twice {
            return Err(ModelError::folder(&path, format!("{name} is in another shard already")));
        }
        let places =
            tensors.into_iter().map(|(name, info)| (name, Place { file: index, info: info.clone() }));
        self.tensors.extend(places);
        self.files.push(OpenFile { path, file, data: header.data });
        Ok(())
    }
}

struct Header {
    metadata: Metadata,
    data: u64,
}

fn open(path: &Path) -> Result<(File, Header)> {
    let mut file = File::open(path).map_err(ModelError::io(path))?;
    let length = file.metadata().map_err(ModelError::io(path))?.len();
    let damaged = |problem: String| {
        let problem = format!("damaged or truncated ({length} bytes): {problem}; fetch or save it again");
        ModelError::folder(path, problem)
    };
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(|error| damaged(error.to_string()))?;
    let size = u64::from_le_bytes(size);
    if size > LONGEST_HEADER {
        let problem = format!("a header of {size} bytes; at most {LONGEST_HEADER} are read");
        return Err(ModelError::folder(path, problem));
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header).map_err(|error| damaged(error.to_string()))?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| damaged(error.to_string()))?;
    let data = 8 + size;
    let expected = data + metadata.data_len() as u64;
    if length != expected {
        return Err(damaged(format!("its header announces {expected}")));
    }
    Ok((file, Header { metadata, data }))
}
