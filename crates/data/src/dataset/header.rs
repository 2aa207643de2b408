//! The head of a dataset file.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `SAGEDATA` |
//! | 8..12 | version, u32 little-endian: 1 |
//! | 12..16 | length of the header, u32 little-endian, at most 16 MiB |
//! | 16..48 | SHA-256 of the header |
//! | 48.. | the header, JSON ([`Header`]) |
//! | next multiple of 64 | the sections, each at a multiple of 64 from here, zeros between, the last ends the file |

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ColumnInfo, ColumnKind};

pub(crate) const MAGIC: &[u8; 8] = b"SAGEDATA";
pub(crate) const VERSION: u32 = 1;
/// Bytes before the header.
pub(crate) const PREFIX: usize = 48;
pub(crate) const LONGEST_HEADER: usize = 16 << 20;
pub(crate) const ALIGNMENT: u64 = 64;

/// The JSON of a dataset file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) samples: u64,
    pub(crate) columns: Vec<HeaderColumn>,
    /// What the writer says of the data: task, part, tokenizer.
    pub(crate) about: serde_json::Value,
}

/// A column and where its bytes lie.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HeaderColumn {
    #[serde(flatten)]
    pub(crate) info: ColumnInfo,
    pub(crate) values: Section,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offsets: Option<Section>,
}

/// A run of bytes, counted from the first section, with its SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// The next multiple of 64.
pub(crate) fn aligned(position: u64) -> u64 {
    position.saturating_add(ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT
}

pub(crate) fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Header {
    /// The file up to its first section; the digest names the dataset's contents.
    pub(crate) fn encode(&self) -> serde_json::Result<(Vec<u8>, String)> {
        let json = serde_json::to_vec(self)?;
        let digest = Sha256::digest(&json);
        let mut head = Vec::with_capacity(PREFIX + json.len() + ALIGNMENT as usize);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&(json.len() as u32).to_le_bytes());
        head.extend_from_slice(&digest);
        head.extend_from_slice(&json);
        head.resize(aligned(head.len() as u64) as usize, 0);
        Ok((head, hex(digest)))
    }

    /// Reads the head of `file`: the header, the position of the first section and the header's digest.
    /// `Err` says what is wrong with it.
    pub(crate) fn decode(file: &[u8]) -> Result<(Self, u64, String), String> {
        let Some((prefix, rest)) =
            file.split_at_checked(PREFIX).filter(|(prefix, _)| prefix.starts_with(MAGIC))
        else {
            return Err(foreign(file));
        };
        let number =
            |at: usize| u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]);
        let (version, length) = (number(8), number(12) as usize);
        if version != VERSION {
            return Err(format!(
                "it is a dataset of version {version}, this program reads version {VERSION}"
            ));
        }
        if length > LONGEST_HEADER {
            return Err(format!("its header claims {length} bytes, at most {LONGEST_HEADER} are allowed"));
        }
        let json = rest.get(..length).ok_or_else(|| {
            format!("it is truncated: the header claims {length} bytes, the file has {} left", rest.len())
        })?;
        let digest = Sha256::digest(json);
        if digest.as_slice() != &prefix[16..48] {
            return Err("its header is damaged: the checksum does not match".into());
        }
        let header: Self =
            serde_json::from_slice(json).map_err(|error| format!("its header is not understood: {error}"))?;
        let data = aligned((PREFIX + length) as u64);
        header.validate(data, file.len() as u64)?;
        Ok((header, data, hex(digest)))
    }

    /// Sections lie back to back, have the sizes that their columns need, and the last one ends the file.
    fn validate(&self, data: u64, file: u64) -> Result<(), String> {
        let mut end = 0;
        for (index, column) in self.columns.iter().enumerate() {
            let name = &column.info.name;
            if self.columns[..index].iter().any(|other| other.info.name == *name) {
                return Err(format!("two columns are called `{name}`"));
            }
            for section in [Some(&column.values), column.offsets.as_ref()].into_iter().flatten() {
                if section.start != aligned(end) {
                    return Err(format!("a section of column `{name}` does not follow the one before"));
                }
                end = section.start.saturating_add(section.bytes);
            }
            column.validate(self.samples).map_err(|problem| format!("column `{name}`: {problem}"))?;
        }
        let expected = data.saturating_add(end);
        match file.cmp(&expected) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(format!("it is truncated: {file} bytes of {expected}")),
            std::cmp::Ordering::Greater => Err(format!("{} bytes follow its last section", file - expected)),
        }
    }
}

impl HeaderColumn {
    fn validate(&self, samples: u64) -> Result<(), String> {
        let whole = |section: &Section, unit: Option<u64>| unit == Some(section.bytes);
        match (self.info.kind, &self.offsets) {
            (ColumnKind::Ragged { element, .. }, Some(offsets)) => {
                let bytes = samples.checked_add(1).and_then(|entries| entries.checked_mul(8));
                let fits = whole(offsets, bytes) && self.values.bytes.is_multiple_of(element.bytes() as u64);
                fits.then_some(()).ok_or_else(|| "its sections do not have the sizes of its rows".into())
            }
            (ColumnKind::Dense { width }, None) if width > 0 => {
                let bytes = samples.checked_mul(width as u64).and_then(|values| values.checked_mul(4));
                whole(&self.values, bytes)
                    .then_some(())
                    .ok_or_else(|| format!("it has not {samples} rows of width {width}"))
            }
            (ColumnKind::Ragged { .. }, None) => Err("ragged rows without offsets".into()),
            (ColumnKind::Dense { .. }, _) => Err("dense rows of width 0, or with offsets".into()),
        }
    }
}

fn foreign(file: &[u8]) -> String {
    if file.is_empty() {
        "it is empty".into()
    } else if MAGIC.starts_with(&file[..file.len().min(MAGIC.len())]) {
        format!("it is truncated: {} bytes, a dataset has more than {PREFIX}", file.len())
    } else {
        "it is not a sagetrain dataset (it does not begin with SAGEDATA)".into()
    }
}
