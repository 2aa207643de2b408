//! The mean of several checkpoints' weights as a model folder (fairseq's `average_checkpoints.py`; Vaswani et al., 2017, section 6.1).
//!
//! Files are read and written piece by piece, so memory is some pieces whatever the model's size. Each element's values are added in
//! float64 in the order of their size, divided, and rounded to float32 once: the order of the checkpoints is without effect.

use super::folder::{TEMPORARY, sync_folder, sync_folders, unique};
use super::manifest;
use crate::error::TrainerError;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const WEIGHTS: &str = "model.safetensors";
/// Longer headers are refused before they are parsed.
const LARGEST_HEADER: u64 = 16 << 20;
/// Elements of a tensor that are in memory at once, of each checkpoint.
const PIECE: usize = 1 << 18;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Averaged {
    /// The model folder.
    pub path: PathBuf,
    /// The model folders that were averaged.
    pub from: Vec<PathBuf>,
    /// Tensors of the model.
    pub tensors: usize,
    /// Numbers of the model.
    pub elements: usize,
}

/// Writes the mean of the weights in `sources` (checkpoints, which are verified, or model folders) as the model folder `output`, which
/// must not be there yet, whole or not at all. Everything beside the weights, the tokenizer among it, must be the same in all of them.
///
/// # Errors
/// [`TrainerError::Checkpoint`] names what differs between the sources, or holds NaN or an infinity.
pub fn average(sources: &[PathBuf], output: &Path) -> Result<Averaged, TrainerError> {
    if sources.len() < 2 {
        let message = format!("{} given; a mean takes two checkpoints or more", sources.len());
        return Err(TrainerError::Option { key: "checkpoints", message });
    }
    if output.exists() {
        let message = format!("{} is there already; give another folder", output.display());
        return Err(TrainerError::Option { key: "output", message });
    }
    apart(sources, output)?;
    let from = sources.iter().map(|source| model_folder(source)).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = (1..from.len()).find(|&index| from[..index].contains(&from[index])) {
        let message = format!("{} comes twice", from[twice].display());
        return Err(TrainerError::Option { key: "checkpoints", message });
    }
    check_companions(&from)?;
    let mut weights = from.iter().map(|folder| Weights::open(folder)).collect::<Result<Vec<_>, _>>()?;
    let (first, others) = weights.split_at(1);
    others.iter().try_for_each(|other| other.check(&first[0]))?;
    let infos = first[0].infos.clone();
    let elements = infos.iter().map(|(_, info)| info.shape.iter().product::<usize>()).sum();
    publish(output, |folder| {
        copy_companions(&from[0], folder)?;
        write_mean(&folder.join(WEIGHTS), &infos, &mut weights)
    })?;
    Ok(Averaged { path: output.to_path_buf(), from, tensors: infos.len(), elements })
}

/// A run sweeps unfinished folders from among its checkpoints, and a checkpoint with anything more in it is no longer whole.
fn apart(sources: &[PathBuf], output: &Path) -> Result<(), TrainerError> {
    let whole = std::path::absolute(output).map_err(TrainerError::io(output))?;
    let place = whole.ancestors().skip(1).find_map(|above| above.canonicalize().ok()).unwrap_or_default();
    for source in sources {
        let source = source.canonicalize().map_err(TrainerError::io(source))?;
        let checkpoint = source.ancestors().take(2).find(|folder| folder.join(manifest::NAME).is_file());
        let Some(checkpoint) = checkpoint else { continue };
        if place.starts_with(checkpoint) || checkpoint.parent() == Some(&place) {
            let message = format!(
                "{} lies among a run's checkpoints, which are the run's own; give another folder",
                output.display()
            );
            return Err(TrainerError::Option { key: "output", message });
        }
    }
    Ok(())
}

/// A checkpoint's `model/` once it is verified, or the folder itself.
fn model_folder(source: &Path) -> Result<PathBuf, TrainerError> {
    let folder = if source.join(manifest::NAME).is_file() {
        manifest::verify(source)?;
        source.join("model")
    } else {
        source.to_path_buf()
    };
    if !folder.join(WEIGHTS).is_file() {
        let message = format!("has no {WEIGHTS}; give checkpoints or model folders");
        return Err(TrainerError::checkpoint(source, message));
    }
    folder.canonicalize().map_err(TrainerError::io(source))
}

/// The files beside the weights, in folders too, by name.
fn companions(folder: &Path) -> Result<BTreeMap<String, PathBuf>, TrainerError> {
    let mut found = BTreeMap::new();
    collect(folder, "", &mut found)?;
    found.remove(WEIGHTS);
    Ok(found)
}

/// Adds the files of a folder, `prefix` before their names. Links to folders are not followed, so that none can lead round in a circle.
fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, PathBuf>) -> Result<(), TrainerError> {
    for item in std::fs::read_dir(folder).map_err(TrainerError::io(folder))? {
        let item = item.map_err(TrainerError::io(folder))?;
        let name = format!("{prefix}{}", item.file_name().to_string_lossy());
        if item.file_type().map_err(TrainerError::io(&item.path()))?.is_dir() {
            collect(&item.path(), &format!("{name}/"), found)?;
        } else if item.path().is_file() {
            found.insert(name, item.path());
        }
    }
    Ok(())
}

/// Models of different configurations or tokenizers have no mean.
fn check_companions(folders: &[PathBuf]) -> Result<(), TrainerError> {
    let first = companions(&folders[0])?;
    for folder in &folders[1..] {
        let other = companions(folder)?;
        if let Some(name) = first
            .keys()
            .chain(other.keys())
            .find(|name| !(first.contains_key(*name) && other.contains_key(*name)))
        {
            let message =
                format!("{name} is in one of {} and {} alone", folders[0].display(), folder.display());
            return Err(TrainerError::checkpoint(folder, message));
        }
        for (name, path) in &first {
            if read(path)? != read(&other[name])? {
                let message =
                    format!("{name} is not that of {}; average checkpoints of one run", folders[0].display());
                return Err(TrainerError::checkpoint(folder, message));
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, TrainerError> {
    std::fs::read(path).map_err(TrainerError::io(path))
}

fn copy_companions(from: &Path, to: &Path) -> Result<(), TrainerError> {
    for (name, path) in companions(from)? {
        let copy = to.join(&name);
        if let Some(folder) = copy.parent() {
            std::fs::create_dir_all(folder).map_err(TrainerError::io(folder))?;
        }
        std::fs::copy(&path, &copy).map_err(TrainerError::io(&path))?;
        File::open(&copy).and_then(|file| file.sync_all()).map_err(TrainerError::io(&copy))?;
    }
    Ok(())
}

/// Fills a temporary folder, syncs it and gives it its name.
fn publish(output: &Path, write: impl FnOnce(&Path) -> Result<(), TrainerError>) -> Result<(), TrainerError> {
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(TrainerError::io(parent))?;
    let temporary = unique(TEMPORARY, &parent.join(output.file_name().unwrap_or_default()))?;
    write(temporary.path())?;
    sync_folders(temporary.path())?;
    std::fs::rename(temporary.path(), output).map_err(TrainerError::io(output))?;
    sync_folder(parent)
}

/// An open file of weights.
struct Weights {
    path: PathBuf,
    file: File,
    /// Where the data begin.
    data: u64,
    /// In the file's order.
    infos: Vec<(String, TensorInfo)>,
}

impl Weights {
    fn open(folder: &Path) -> Result<Self, TrainerError> {
        let path = folder.join(WEIGHTS);
        let mut file = File::open(&path).map_err(TrainerError::io(&path))?;
        let size = file.metadata().map_err(TrainerError::io(&path))?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(TrainerError::io(&path))?;
        let length = u64::from_le_bytes(length);
        if length > LARGEST_HEADER || length + 8 > size {
            let message = format!("is no safetensors file: a header of {length} bytes in {size}");
            return Err(TrainerError::checkpoint(path, message));
        }
        let mut text = vec![0; length as usize];
        file.read_exact(&mut text).map_err(TrainerError::io(&path))?;
        let header: Metadata = serde_json::from_slice(&text)
            .map_err(|error| TrainerError::checkpoint(&path, format!("its header is malformed: {error}")))?;
        if header.data_len() as u64 != size - 8 - length {
            let message = format!("is truncated or damaged: its tensors take {} bytes", header.data_len());
            return Err(TrainerError::checkpoint(path, message));
        }
        let names = header.offset_keys();
        let infos = names.into_iter().filter_map(|name| header.info(&name).cloned().map(|info| (name, info)));
        let weights = Self { path, file, data: length + 8, infos: infos.collect() };
        weights.check_types()?;
        Ok(weights)
    }

    fn check_types(&self) -> Result<(), TrainerError> {
        match self.infos.iter().find(|(_, info)| info.dtype != Dtype::F32) {
            None => Ok(()),
            Some((name, info)) => {
                let message = format!("{name} is {:?}; only float32 weights are averaged", info.dtype);
                Err(TrainerError::checkpoint(&self.path, message))
            }
        }
    }

    /// Errs where names or shapes are not those of `first`.
    fn check(&self, first: &Self) -> Result<(), TrainerError> {
        let shapes = |weights: &Self| -> BTreeMap<String, Vec<usize>> {
            weights.infos.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect()
        };
        let (mine, theirs) = (shapes(self), shapes(first));
        let Some(name) = theirs.keys().chain(mine.keys()).find(|name| mine.get(*name) != theirs.get(*name))
        else {
            return Ok(());
        };
        let shape = |found: Option<&Vec<usize>>| {
            found.map_or_else(|| "not there".into(), |found| format!("{found:?}"))
        };
        let (mine, theirs) = (shape(mine.get(name)), shape(theirs.get(name)));
        let message = format!(
            "{name} is {mine}, in {} {theirs}; average checkpoints of one model",
            first.path.display()
        );
        Err(TrainerError::checkpoint(&self.path, message))
    }

    /// Some elements of a tensor, from `start` on.
    fn read(&mut self, name: &str, start: usize, values: &mut [f32]) -> Result<(), TrainerError> {
        let Some((_, info)) = self.infos.iter().find(|(known, _)| known == name) else { return Ok(()) };
        let offset = self.data + (info.data_offsets.0 + 4 * start) as u64;
        self.file.seek(SeekFrom::Start(offset)).map_err(TrainerError::io(&self.path))?;
        self.file.read_exact(bytemuck::cast_slice_mut(values)).map_err(TrainerError::io(&self.path))?;
        if values.iter().all(|value| value.is_finite()) {
            return Ok(());
        }
        Err(TrainerError::checkpoint(
            &self.path,
            format!("{name} holds NaN or an infinity; leave this one out"),
        ))
    }
}

fn write_mean(
    path: &Path,
    infos: &[(String, TensorInfo)],
    sources: &mut [Weights],
) -> Result<(), TrainerError> {
    let header = header(path, infos)?;
    let mut file = BufWriter::new(File::create(path).map_err(TrainerError::io(path))?);
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(TrainerError::io(path));
    put(&(header.len() as u64).to_le_bytes())?;
    put(&header)?;
    for (name, info) in infos {
        let elements: usize = info.shape.iter().product();
        for start in (0..elements).step_by(PIECE) {
            let length = PIECE.min(elements - start);
            let mut pieces = vec![vec![0.0; length]; sources.len()];
            for (source, piece) in sources.iter_mut().zip(&mut pieces) {
                source.read(name, start, piece)?;
            }
            put(bytemuck::cast_slice(&means(&pieces)))?;
        }
    }
    let file = file.into_inner().map_err(|error| TrainerError::io(path)(error.into_error()))?;
    file.sync_all().map_err(TrainerError::io(path))
}

/// The header of a file with these tensors in their order, as transformers wants it, padded to a multiple of 8 bytes.
fn header(path: &Path, infos: &[(String, TensorInfo)]) -> Result<Vec<u8>, TrainerError> {
    let malformed = |error: serde_json::Error| TrainerError::checkpoint(path, error.to_string());
    let mut all = serde_json::Map::new();
    all.insert("__metadata__".into(), serde_json::json!({ "format": "pt" }));
    for (name, info) in infos {
        all.insert(name.clone(), serde_json::to_value(info).map_err(malformed)?);
    }
    let mut text = serde_json::to_vec(&all).map_err(malformed)?;
    text.resize(text.len().next_multiple_of(8), b' ');
    Ok(text)
}

/// Element by element.
fn means(pieces: &[Vec<f32>]) -> Vec<f32> {
    let mut column = vec![0.0_f32; pieces.len()];
    let mean = |index: usize| {
        column.iter_mut().zip(pieces).for_each(|(value, piece)| *value = piece[index]);
        column.sort_unstable_by(f32::total_cmp);
        let sum = column.iter().fold(0.0, |sum, value| sum + f64::from(*value));
        (sum / column.len() as f64) as f32
    };
    (0..pieces[0].len()).map(mean).collect()
}
