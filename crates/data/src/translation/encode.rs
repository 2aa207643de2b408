//! The second reading: sentences become ids and ids become datasets.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use serde_json::json;

use super::held_out::Part;
use super::survey::Surveyed;
use super::tally::Tally;
use super::watch::{INTERVAL, look};
use super::{PreparedPart, Watch};
use crate::text::{Reason, Rejection};
use crate::{ColumnSpec, DatasetWriter, Result, Row, Tokenizer};

/// Writes the datasets of all parts.
pub(crate) struct Encoder<'a> {
    folder: &'a Path,
    tokenizer: &'a Tokenizer,
    max_length: usize,
    watch: &'a dyn Watch,
    writers: BTreeMap<Part, Writer>,
}

/// The dataset of one part under way.
struct Writer {
    dataset: DatasetWriter,
    tokens: [u64; 2],
    /// The hash of each source.
    sources: Vec<u64>,
}

/// A line waiting to be tokenised with others.
struct Waiting {
    part: Part,
    line: u64,
    sides: [String; 2],
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(
        folder: &'a Path,
        tokenizer: &'a Tokenizer,
        max_length: usize,
        watch: &'a dyn Watch,
    ) -> Self {
        Self { folder, tokenizer, max_length, watch, writers: BTreeMap::new() }
    }

    /// Encodes one corpus; lines that are left out go into its tally.
    pub(crate) fn corpus(&mut self, surveyed: &mut Surveyed) -> Result<()> {
        let mut tally = std::mem::take(&mut surveyed.tally);
        let mut waiting = Vec::with_capacity(INTERVAL as usize);
        let last = surveyed.files.len() - 1;
        for (lines, pair) in surveyed.pairs()?.enumerate() {
            look(self.watch, "encode", lines as u64)?;
            let (part, pair) = pair?;
            match pair.content {
                Ok((source, target)) => {
                    waiting.push(Waiting { part, line: pair.line, sides: [source, target] })
                }
                Err(rejection) => tally.add(pair.line, rejection),
            }
            if waiting.len() == INTERVAL as usize {
                self.flush(&mut waiting, last, &mut tally)?;
            }
        }
        self.flush(&mut waiting, last, &mut tally)?;
        surveyed.tally = tally;
        Ok(())
    }

    fn flush(&mut self, waiting: &mut Vec<Waiting>, last: usize, tally: &mut Tally) -> Result<()> {
        let encode = |side: usize| {
            let texts: Vec<&str> = waiting.iter().map(|line| line.sides[side].as_str()).collect();
            self.tokenizer.encode_batch(&texts)
        };
        let (sources, targets) = (encode(0)?, encode(1)?);
        for (line, (source, target)) in waiting.drain(..).zip(sources.iter().zip(&targets)) {
            let long = [source, target].iter().position(|ids| ids.len() > self.max_length);
            if let Some(side) = long {
                let excerpt = line.sides[side].chars().take(120).collect();
                let file = if side == 0 { 0 } else { last };
                tally.add(line.line, Rejection { file, reason: Reason::TooManyTokens, excerpt });
                continue;
            }
            self.push(&line, source, target)?;
        }
        Ok(())
    }

    fn push(&mut self, line: &Waiting, source: &[i32], target: &[i32]) -> Result<()> {
        let writer = match self.writers.entry(line.part) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Writer::create(self.folder, line.part, self.tokenizer.vocabulary())?)
            }
        };
        writer.dataset.push(&[Row::Ragged(source), Row::Ragged(target)])?;
        writer.tokens[0] += source.len() as u64;
        writer.tokens[1] += target.len() as u64;
        let mut hasher = DefaultHasher::new();
        line.sides[0].hash(&mut hasher);
        writer.sources.push(hasher.finish());
        Ok(())
    }

    /// Makes the datasets durable. Also says how many sources of a part are training sources too.
    pub(crate) fn finish(
        self,
        preparation: &str,
    ) -> Result<(BTreeMap<String, PreparedPart>, BTreeMap<String, u64>)> {
        let fingerprint = self.tokenizer.fingerprint()?;
        let train: HashSet<u64> = self
            .writers
            .get(&Part::Train)
            .into_iter()
            .flat_map(|writer| writer.sources.iter().copied())
            .collect();
        let (mut parts, mut overlaps) = (BTreeMap::new(), BTreeMap::new());
        for (part, writer) in self.writers {
            let name = part.name().to_owned();
            if part != Part::Train {
                let shared = writer.sources.iter().filter(|source| train.contains(source)).count();
                overlaps.insert(name.clone(), shared as u64);
            }
            let about = json!({ "task": "translation", "part": name, "preparation": preparation,
                                "tokenizer": fingerprint,
                                "vocabulary": self.tokenizer.vocabulary(), "maxLength": self.max_length });
            let [source_tokens, target_tokens] = writer.tokens;
            let samples = writer.dataset.samples();
            let fingerprint = writer.dataset.finish(about)?;
            let file = format!("{name}.dataset");
            parts.insert(name, PreparedPart { file, samples, source_tokens, target_tokens, fingerprint });
        }
        Ok((parts, overlaps))
    }
}

impl Writer {
    fn create(folder: &Path, part: Part, vocabulary: usize) -> Result<Self> {
        let column = |name: &str| ColumnSpec::Ragged { name: name.into(), vocabulary };
        let path = folder.join(format!("{}.dataset", part.name()));
        let dataset = DatasetWriter::create(&path, &[column("source"), column("target")])?;
        Ok(Self { dataset, tokens: [0; 2], sources: Vec::new() })
    }
}
