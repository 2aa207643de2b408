//! The samples of some rows. A record is the row's number in the part (u64), the label (u32: a class by its place in
//! [`AboutText::labels`], or the bits of a float32), the index (u64), the lengths of both texts (u32 each) and the texts, all
//! little-endian; [`NONE`] and [`NO_INDEX`] stand for what there is not.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sample::{Label, Sample};
use crate::Result;
use crate::preparation::block::{self, Block};
use crate::preparation::tally::Tally;

/// Stands for a label or a second text that there is not.
pub(crate) const NONE: u32 = u32::MAX;
/// Stands for an index that there is not.
pub(crate) const NO_INDEX: u64 = u64::MAX;

/// What is said of a block of samples.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct AboutText {
    /// Rows that were read, those left out too.
    pub(crate) rows: u64,
    /// Samples that are in it.
    pub(crate) samples: u64,
    /// Rows that were left out.
    pub(crate) tally: Tally,
    /// The classes of its samples, in the order in which they come first.
    pub(crate) labels: Vec<SeenLabel>,
}

/// A class that samples have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SeenLabel {
    pub(crate) label: String,
    pub(crate) samples: u64,
    /// Where it comes first: which of the part's files, and the line.
    pub(crate) first: (usize, u64),
}

/// One sample of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TextSample<'a> {
    /// Rows of the part before it.
    pub(crate) row: u64,
    pub(crate) label: u32,
    pub(crate) index: u64,
    pub(crate) text: &'a str,
    pub(crate) pair: Option<&'a str>,
}

/// A block under way.
#[derive(Debug, Default)]
pub(crate) struct TextBody {
    bytes: Vec<u8>,
    places: ahash::AHashMap<String, u32>,
    pub(crate) about: AboutText,
}

impl TextBody {
    /// `first`: which of the part's files, and the line.
    pub(crate) fn push(&mut self, row: u64, first: (usize, u64), sample: Sample) {
        let label = match sample.label {
            Label::Class(label) => self.place(label, first),
            Label::Number(number) => number.to_bits(),
            Label::None | Label::Late => NONE,
        };
        let pair = sample.pair.as_deref();
        self.bytes.extend(row.to_le_bytes());
        self.bytes.extend(label.to_le_bytes());
        self.bytes.extend(sample.index.unwrap_or(NO_INDEX).to_le_bytes());
        self.bytes.extend((sample.text.len() as u32).to_le_bytes());
        self.bytes.extend(pair.map_or(NONE, |pair| pair.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(sample.text.as_bytes());
        self.bytes.extend_from_slice(pair.unwrap_or_default().as_bytes());
        self.about.samples += 1;
    }

    fn place(&mut self, label: String, first: (usize, u64)) -> u32 {
        let labels = &mut self.about.labels;
        let place = match self.places.get(&label) {
            Some(place) => *place,
            None => {
                labels.push(SeenLabel { label: label.clone(), samples: 0, first });
                self.places.insert(label, labels.len() as u32 - 1);
                labels.len() as u32 - 1
            }
        };
        labels[place as usize].samples += 1;
        place
    }

    pub(crate) fn write(self, path: &Path) -> Result<AboutText> {
        block::write(path, &self.about, &self.bytes)?;
        Ok(self.about)
    }
}

impl Block<AboutText> {
    /// The samples, in order.
    pub(crate) fn samples(&self, path: &Path) -> Result<Vec<TextSample<'_>>> {
        let (mut rest, mut samples) = (self.body(), Vec::with_capacity(self.about.samples as usize));
        while !rest.is_empty() {
            let (sample, after) = record(rest).ok_or_else(|| block::foreign(path))?;
            samples.push(sample);
            rest = after;
        }
        Ok(samples)
    }
}

fn record(bytes: &[u8]) -> Option<(TextSample<'_>, &[u8])> {
    let (row, rest) = bytes.split_first_chunk::<8>()?;
    let (label, rest) = rest.split_first_chunk::<4>()?;
    let (index, rest) = rest.split_first_chunk::<8>()?;
    let (text, rest) = rest.split_first_chunk::<4>()?;
    let (pair, rest) = rest.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*text) as usize)?;
    let pair = u32::from_le_bytes(*pair);
    let (pair, rest) = match pair {
        NONE => (None, rest),
        length => rest.split_at_checked(length as usize).map(|(pair, rest)| (Some(pair), rest))?,
    };
    let sample = TextSample {
        row: u64::from_le_bytes(*row),
        label: u32::from_le_bytes(*label),
        index: u64::from_le_bytes(*index),
        text: std::str::from_utf8(text).ok()?,
        pair: pair.map(std::str::from_utf8).transpose().ok()?,
    };
    Some((sample, rest))
}
