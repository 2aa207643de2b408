//! The pairs of one block as ids. A record is the part (u8), the hash of the source (u64), the numbers of ids of source
//! and target (u32 each) and the ids, all little-endian.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dataset::stored::{encode_ids, read_ids};
use crate::preparation::block::{self, Block};
use crate::preparation::held_out::Part;
use crate::preparation::tally::Tally;
use crate::{DataError, Element, Result};

/// What is said of a block of ids.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AboutIds {
    /// Pairs that go to each part.
    pub(crate) samples: [u64; 3],
    /// Pairs that are too long.
    pub(crate) tally: Tally,
    /// How ids of source and target are kept.
    pub(crate) elements: [Element; 2],
}

/// One pair of a block.
#[derive(Debug, Default)]
pub(crate) struct IdsPair {
    pub(crate) part: Option<Part>,
    /// Of the source's text.
    pub(crate) hash: u64,
    pub(crate) sides: [Vec<i32>; 2],
}

const PARTS: [Part; 3] = [Part::Train, Part::Valid, Part::Test];

/// The body of a block under way.
#[derive(Debug)]
pub(crate) struct IdsBody {
    bytes: Vec<u8>,
    /// The greatest id there can be on each side.
    greatest: [i32; 2],
    about: AboutIds,
}

impl IdsBody {
    pub(crate) fn new(greatest: [i32; 2]) -> Self {
        let elements = greatest.map(|greatest| Element::holding(0, greatest));
        let about = AboutIds { samples: [0; 3], tally: Tally::default(), elements };
        Self { bytes: Vec::new(), greatest, about }
    }

    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.about.tally
    }

    /// Fails for an id that its column would cut.
    pub(crate) fn push(&mut self, part: Part, hash: u64, sides: &[Vec<i32>; 2]) -> Result<()> {
        for (side, greatest) in sides.iter().zip(self.greatest) {
            if let Some(id) = side.iter().find(|id| !(0..=greatest).contains(*id)) {
                return Err(DataError::token_outside(*id, greatest));
            }
        }
        self.about.samples[part as usize] += 1;
        self.bytes.push(part as u8);
        self.bytes.extend(hash.to_le_bytes());
        for side in sides {
            self.bytes.extend((side.len() as u32).to_le_bytes());
        }
        for (side, element) in sides.iter().zip(self.about.elements) {
            self.bytes.extend(encode_ids(side, element));
        }
        Ok(())
    }

    pub(crate) fn write(self, path: &Path) -> Result<AboutIds> {
        block::write(path, &self.about, &self.bytes)?;
        Ok(self.about)
    }
}

impl Block<AboutIds> {
    /// Hands over each pair, in order; `pair` is filled anew each time.
    pub(crate) fn each(&self, path: &Path, mut take: impl FnMut(&IdsPair) -> Result<()>) -> Result<()> {
        let (mut rest, mut pair) = (self.body(), IdsPair::default());
        while !rest.is_empty() {
            rest = self.about.record(rest, &mut pair).ok_or_else(|| block::foreign(path))?;
            take(&pair)?;
        }
        Ok(())
    }
}

impl AboutIds {
    fn record<'a>(&self, bytes: &'a [u8], pair: &mut IdsPair) -> Option<&'a [u8]> {
        let (part, rest) = bytes.split_first()?;
        let (hash, rest) = rest.split_first_chunk::<8>()?;
        let (source, rest) = rest.split_first_chunk::<4>()?;
        let (target, mut rest) = rest.split_first_chunk::<4>()?;
        pair.part = PARTS.get(usize::from(*part)).copied();
        pair.hash = u64::from_le_bytes(*hash);
        let lengths = [*source, *target].map(|length| u32::from_le_bytes(length) as usize);
        for (side, (length, element)) in pair.sides.iter_mut().zip(lengths.into_iter().zip(self.elements)) {
            let (ids, after) = rest.split_at_checked(length.checked_mul(element.bytes())?)?;
            side.clear();
            read_ids(ids, element, 0..length, side)?;
            rest = after;
        }
        Some(rest)
    }
}
