//! BPE-dropout (Provilkov et al., 2020): words are split anew each epoch, with merges left out by chance.
//!
//! Stored ids are spelt out as bytes, cut into words as the tokenizer cuts them, and merged again. Which merges are left out
//! is a function of (seed, epoch, sample, column), so a loader resumes exactly and no thread or batch changes a row.

mod merges;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use self::merges::Merges;
use self::words::split_words;
use crate::random::{Random, Stream};
use crate::{Column, DataError, Result, Tokenizer};

/// Which columns are split anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BpeDropoutOptions {
    /// The byte-level BPE `tokenizer.json` of the ids, or its folder.
    pub tokenizer: PathBuf,
    /// By column: the probability with which a merge is left out each time it could be made. The paper takes 0.1.
    pub columns: BTreeMap<String, f64>,
    /// A row that would have more tokens keeps its stored ids. Default none.
    #[serde(default)]
    pub max_length: Option<usize>,
}

/// Splits rows anew.
#[derive(Debug)]
pub(crate) struct BpeDropout {
    merges: Merges,
    /// (name of the column, probability).
    columns: Vec<(String, f64)>,
    seed: u64,
    max_length: usize,
}

impl BpeDropout {
    pub fn new(options: &BpeDropoutOptions, seed: u64, known: &[&str]) -> Result<Self> {
        let refuse = |reason: String| {
            Err(DataError::argument("bpeDropout", reason, "give a number from 0 to 1 for a column of ids"))
        };
        for (name, probability) in &options.columns {
            if !(0.0..=1.0).contains(probability) {
                return refuse(format!("column `{name}` has probability {probability}"));
            }
            if !known.contains(&name.as_str()) {
                return refuse(format!("there is no column `{name}` of ids"));
            }
        }
        let merges = Merges::of(&Tokenizer::open(&options.tokenizer)?)?;
        let columns = options.columns.iter().map(|(name, probability)| (name.clone(), *probability));
        let (columns, max_length) = (columns.collect(), options.max_length.unwrap_or(usize::MAX));
        Ok(Self { merges, columns, seed, max_length })
    }

    /// The columns of a batch, whose rows are the dataset's `samples`, with their words split anew.
    pub fn apply(&self, columns: &mut [(String, Column)], samples: &[u64], epoch: u64) {
        for (index, (name, probability)) in self.columns.iter().enumerate().filter(|(_, (_, p))| *p > 0.0) {
            let Some((_, Column::Ragged { values, offsets })) =
                columns.iter_mut().find(|(column, _)| column == name)
            else {
                continue;
            };
            let (mut split, mut ends) = (Vec::with_capacity(values.len() * 2), vec![0]);
            for (row, &sample) in offsets.windows(2).zip(samples) {
                let stored = &values[row[0] as usize..row[1] as usize];
                let mut random = Random::new(self.seed, Stream::BpeDropout, place(epoch, sample, index));
                let start = split.len();
                self.row(stored, *probability, &mut random, &mut split);
                if split.len() - start > self.max_length {
                    split.truncate(start);
                    split.extend_from_slice(stored);
                }
                ends.push(split.len() as i64);
            }
            (*values, *offsets) = (split, ends);
        }
    }

    /// Splits the text between special ids, which stay.
    fn row(&self, stored: &[i32], probability: f64, random: &mut Random, split: &mut Vec<i32>) {
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
                    .for_each(|word| self.merges.split(word.as_bytes(), probability, random, split)),
                // Ids that spell no text have no words either.
                Err(_) => split.extend_from_slice(text),
            }
            let special = after.len().min(1);
            split.extend_from_slice(&after[..special]);
            rest = &after[special..];
        }
    }
}

/// Which draws belong to a row: 30 bits of the epoch, 32 of the sample, 2 of the column.
fn place(epoch: u64, sample: u64, column: usize) -> u64 {
    epoch << 34 | (sample & 0xffff_ffff) << 2 | column as u64 & 3
}
