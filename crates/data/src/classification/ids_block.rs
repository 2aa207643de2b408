//! The samples of one block as ids. A record is the part (u8), whether it was truncated (u8), the label (u32) and the index
//! (u64) as in a block of text but for classes being ids, the hash of the texts (u64), the number of ids (u32), the ids, and
//! their types (u8 each) where there are types; all little-endian.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dataset::stored::{encode_ids, read_ids};
use crate::preparation::block::{self, Block};
use crate::preparation::held_out::Part;
use crate::{DataError, Element, Encoded, Result};

pub(crate) const PARTS: [Part; 5] =
    [Part::Train, Part::Valid, Part::Test, Part::ValidMismatched, Part::TestMismatched];

/// What is said of a block of ids.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AboutIds {
    /// Samples that go to each part.
    pub(crate) samples: [u64; PARTS.len()],
    /// How ids are kept.
    element: Element,
    types: bool,
}

/// One sample of a block.
#[derive(Debug, Default)]
pub(crate) struct IdsSample {
    pub(crate) part: Option<Part>,
    pub(crate) label: u32,
    pub(crate) index: u64,
    /// Of the texts.
    pub(crate) hash: u64,
    pub(crate) encoded: Encoded,
}

/// A block under way.
#[derive(Debug)]
pub(crate) struct IdsBody {
    bytes: Vec<u8>,
    greatest: i32,
    about: AboutIds,
}

impl IdsBody {
    /// Of ids below `vocabulary`.
    pub(crate) fn new(vocabulary: usize, types: bool) -> Self {
        let greatest = vocabulary as i32 - 1;
        let about = AboutIds { samples: [0; PARTS.len()], element: Element::holding(0, greatest), types };
        Self { bytes: Vec::new(), greatest, about }
    }

    /// Fails for an id that its column would cut.
    pub(crate) fn push(&mut self, sample: &IdsSample) -> Result<()> {
        let IdsSample { part: Some(part), label, index, hash, encoded } = sample else { return Ok(()) };
        let Encoded { ids, types, truncated } = encoded;
        if let Some(id) = ids.iter().find(|id| !(0..=self.greatest).contains(*id)) {
            return Err(DataError::token_outside(*id, self.greatest));
        }
        self.about.samples[*part as usize] += 1;
        self.bytes.extend([*part as u8, u8::from(*truncated)]);
        self.bytes.extend(label.to_le_bytes());
        self.bytes.extend(index.to_le_bytes());
        self.bytes.extend(hash.to_le_bytes());
        self.bytes.extend((ids.len() as u32).to_le_bytes());
        self.bytes.extend(encode_ids(ids, self.about.element));
        self.bytes.extend(types.iter().map(|id| *id as u8));
        Ok(())
    }

    pub(crate) fn write(self, path: &Path) -> Result<AboutIds> {
        block::write(path, &self.about, &self.bytes)?;
        Ok(self.about)
    }
}

impl Block<AboutIds> {
    /// Hands over each sample, in order; `sample` is filled anew each time.
    pub(crate) fn each(&self, path: &Path, mut take: impl FnMut(&IdsSample) -> Result<()>) -> Result<()> {
        let (mut rest, mut sample) = (self.body(), IdsSample::default());
        while !rest.is_empty() {
            rest = self.about.record(rest, &mut sample).ok_or_else(|| block::foreign(path))?;
            take(&sample)?;
        }
        Ok(())
    }
}

impl AboutIds {
    fn record<'a>(&self, bytes: &'a [u8], sample: &mut IdsSample) -> Option<&'a [u8]> {
        let ([part, truncated], rest) = bytes.split_first_chunk::<2>()?;
        let (label, rest) = rest.split_first_chunk::<4>()?;
        let (index, rest) = rest.split_first_chunk::<8>()?;
        let (hash, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        sample.part = PARTS.get(usize::from(*part)).copied();
        sample.label = u32::from_le_bytes(*label);
        sample.index = u64::from_le_bytes(*index);
        sample.hash = u64::from_le_bytes(*hash);
        let length = u32::from_le_bytes(*length) as usize;
        let (ids, rest) = rest.split_at_checked(length.checked_mul(self.element.bytes())?)?;
        let (types, rest) = rest.split_at_checked(if self.types { length } else { 0 })?;
        let Encoded { ids: into, types: kinds, truncated: cut } = &mut sample.encoded;
        into.clear();
        read_ids(ids, self.element, 0..length, into)?;
        kinds.clear();
        kinds.extend(types.iter().map(|id| i32::from(*id)));
        *cut = *truncated != 0;
        Some(rest)
    }
}
