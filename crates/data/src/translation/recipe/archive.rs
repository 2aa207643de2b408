//! Reading members of an archive as they come by.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::convert::{Origin, convert};
use super::format::Format;
use super::input::Input;
use crate::preparation::Watch;
use crate::text::open;
use crate::{DataError, Result};

/// A member's sentences in a file of ours.
#[derive(Debug)]
pub(super) struct Extract {
    pub(super) path: PathBuf,
    pub(super) lines: u64,
}

/// Extracts by the members' names.
pub(super) type Extracts = BTreeMap<&'static str, Extract>;

/// Converts the wanted members into files in `folder`. Of a packed archive no more is read than up to the last of them.
pub(super) fn extract(
    input: &Input,
    wanted: &BTreeMap<&'static str, Format>,
    folder: &Path,
    watch: &dyn Watch,
) -> Result<Extracts> {
    match input {
        Input::Packed(path) => packed(path, wanted, folder, watch),
        Input::Unpacked(members) => {
            let mut extracts = Extracts::new();
            for (name, path) in members {
                let Some(format) = wanted.get(name) else { continue };
                let mut reader = BufReader::with_capacity(1 << 17, open(path)?);
                let extract =
                    write(Origin { path, member: None }, &mut reader, *format, folder.join(name), watch)?;
                extracts.insert(name, extract);
            }
            Ok(extracts)
        }
    }
}

fn packed(
    path: &Path,
    wanted: &BTreeMap<&'static str, Format>,
    folder: &Path,
    watch: &dyn Watch,
) -> Result<Extracts> {
    let whole = Origin { path, member: None };
    let unpacked = MultiGzDecoder::new(BufReader::with_capacity(1 << 17, open(path)?));
    let mut archive = tar::Archive::new(unpacked);
    let mut extracts = Extracts::new();
    for entry in archive.entries().map_err(|error| whole.unreadable(None, &error))? {
        let entry = entry.map_err(|error| whole.unreadable(None, &error))?;
        let Some((name, format)) = wanted_entry(&entry, wanted) else { continue };
        if extracts.contains_key(name) {
            continue;
        }
        let origin = Origin { path, member: Some(name) };
        let mut reader = BufReader::with_capacity(1 << 17, entry);
        extracts.insert(name, write(origin, &mut reader, format, folder.join(name), watch)?);
        if extracts.len() == wanted.len() {
            break;
        }
    }
    Ok(extracts)
}

/// Members are known by name alone, in whatever folder; links and folders are none.
fn wanted_entry<R: std::io::Read>(
    entry: &tar::Entry<'_, R>,
    wanted: &BTreeMap<&'static str, Format>,
) -> Option<(&'static str, Format)> {
    let path = entry.path().ok()?;
    let name = path.file_name()?.to_str()?;
    let (name, format) = wanted.get_key_value(name)?;
    entry.header().entry_type().is_file().then_some((*name, *format))
}

fn write(
    origin: Origin<'_>,
    reader: &mut dyn std::io::BufRead,
    format: Format,
    path: PathBuf,
    watch: &dyn Watch,
) -> Result<Extract> {
    let file = File::create(&path).map_err(DataError::io("create", &path))?;
    let mut writer = BufWriter::with_capacity(1 << 17, file);
    let lines = convert(origin, reader, format, &mut writer, &path, watch)?;
    writer.flush().map_err(DataError::io("write", &path))?;
    Ok(Extract { path, lines })
}
