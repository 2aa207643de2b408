//! BPE-dropout (Provilkov et al., 2020): words are split anew each epoch, with merges left out by chance.
//!
//! Stored ids are spelt out as bytes, cut into words as the tokenizer cuts them, and merged again. Which merges are left out
//! is a function of (seed, epoch, sample, column), so a loader resumes exactly and no thread or batch changes a row.

mod merges;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::merges::Merges;
use self::words::split_words;
use crate::random::{Random, Stream};
use crate::{Column, DataError, Result, Tokenizer};

/// Which columns are split anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BpeDropoutOptions {
    /// By name.
    pub columns: BTreeMap<String, BpeDropoutColumn>,
    /// A row that would have more tokens keeps its stored ids. Default none.
    #[serde(default)]
    pub max_length: Option<usize>,
}

/// How a column's words are split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BpeDropoutColumn {
    /// The byte-level BPE `tokenizer.json` of its ids, or that one's folder.
    pub tokenizer: PathBuf,
    /// With which a merge is left out each time it could be made. The paper takes 0.1.
    pub probability: f64,
}

/// Splits rows anew.
#[derive(Debug)]
pub(crate) struct BpeDropout {
    columns: Vec<Split>,
    seed: u64,
    max_length: usize,
}

/// A column's merges, which columns of one tokenizer share.
#[derive(Debug)]
struct Split {
    name: String,
    merges: Arc<Merges>,
    probability: f64,
}

impl BpeDropout {
    pub fn new(options: &BpeDropoutOptions, seed: u64, known: &[&str]) -> Result<Self> {
        let refuse = |reason: String| {
            Err(DataError::argument("bpeDropout", reason, "give a number from 0 to 1 for a column of ids"))
        };
        for (name, BpeDropoutColumn { probability, .. }) in &options.columns {
            if !(0.0..=1.0).contains(probability) {
                return refuse(format!("column `{name}` has probability {probability}"));
            }
            if !known.contains(&name.as_str()) {
                return refuse(format!("there is no column `{name}` of ids"));
            }
        }
        let max_length = options.max_length.unwrap_or(usize::MAX);
        Ok(Self { columns: splits(&options.columns)?, seed, max_length })
    }

    /// The columns of a batch, whose rows are the dataset's `samples`, with their words split anew.
    pub fn apply(&self, columns: &mut [(String, Column)], samples: &[u64], epoch: u64) {
        for (index, split) in self.columns.iter().enumerate().filter(|(_, split)| split.probability > 0.0) {
            let Some((_, Column::Ragged { values, offsets })) =
                columns.iter_mut().find(|(name, _)| *name == split.name)
            else {
                continue;
            };
            let (mut anew, mut ends) = (Vec::with_capacity(values.len() * 2), vec![0]);
            for (row, &sample) in offsets.windows(2).zip(samples) {
                let stored = &values[row[0] as usize..row[1] as usize];
                let mut random = Random::new(self.seed, Stream::BpeDropout, place(epoch, sample, index));
                let start = anew.len();
                split.row(stored, &mut random, &mut anew);
                if anew.len() - start > self.max_length {
                    anew.truncate(start);
                    anew.extend_from_slice(stored);
                }
                ends.push(anew.len() as i64);
            }
            (*values, *offsets) = (anew, ends);
        }
    }
}

/// In the order of the columns' names, by which the draws of a row are numbered.
fn splits(columns: &BTreeMap<String, BpeDropoutColumn>) -> Result<Vec<Split>> {
    let mut opened: BTreeMap<&Path, Arc<Merges>> = BTreeMap::new();
    let mut splits = Vec::with_capacity(columns.len());
    for (name, BpeDropoutColumn { tokenizer, probability }) in columns {
        let merges = match opened.get(tokenizer.as_path()) {
            Some(known) => Arc::clone(known),
            None => {
                let opened = Tokenizer::open(tokenizer)?;
                opened.refuse_encoder(tokenizer)?;
                Arc::new(Merges::of(&opened)?)
            }
        };
        opened.insert(tokenizer, Arc::clone(&merges));
        splits.push(Split { name: name.clone(), merges, probability: *probability });
    }
    Ok(splits)
}

impl Split {
    /// Splits the text between special ids, which stay.
    fn row(&self, stored: &[i32], random: &mut Random, anew: &mut Vec<i32>) {
        let mut bytes = Vec::with_capacity(stored.len() * 8);
        let mut rest = stored;
        while !rest.is_empty() {
            let spelt = rest.iter().take_while(|&&id| self.merges.bytes(id).is_some()).count();
            let (text, after) = rest.split_at(spelt);
            bytes.clear();
            text.iter()
                .filter_map(|&id| self.merges.bytes(id))
                .for_each(|token| bytes.extend_from_slice(token));
            match std::str::from_utf8(&bytes) {
                Ok(text) => split_words(text)
                    .for_each(|word| self.merges.split(word.as_bytes(), self.probability, random, anew)),
                // Ids that spell no text have no words either.
                Err(_) => anew.extend_from_slice(text),
            }
            let special = after.len().min(1);
            anew.extend_from_slice(&after[..special]);
            rest = &after[special..];
        }
    }
}

/// Which draws belong to a row: 30 bits of the epoch, 32 of the sample, 2 of the column.
fn place(epoch: u64, sample: u64, column: usize) -> u64 {
    epoch << 34 | (sample & 0xffff_ffff) << 2 | column as u64 & 3
}
