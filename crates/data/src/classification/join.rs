//! The third stage: blocks of ids become a dataset a part.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Value, json};

use super::ids_block::{AboutIds, IdsSample, PARTS};
use super::labels::Labels;
use super::prepare::Job;
use super::prepared::{PreparedPart, TargetRange};
use super::survey::Surveyed;
use super::text_block::{NO_INDEX, NONE};
use super::{Kind, LABEL, TARGET, TOKENS, TYPES};
use crate::preparation::block;
use crate::preparation::blocks::block_path;
use crate::preparation::held_out::Part;
use crate::preparation::overlap::overlaps;
use crate::preparation::tally::push_run;
use crate::preparation::watch::{look, share};
use crate::{ColumnSpec, DataError, DatasetWriter, Result, Row};

/// What the datasets of all parts came to.
pub(super) struct Joined {
    pub(super) parts: BTreeMap<String, PreparedPart>,
    /// How many samples of a part have the texts of a training sample.
    pub(super) overlaps: BTreeMap<String, u64>,
    /// How many samples of a part have the padding token among their own.
    pub(super) padded: BTreeMap<String, u64>,
}

/// The dataset of one part under way.
struct Writer {
    dataset: DatasetWriter,
    types: bool,
    /// The id of padding, which no text makes unless it spells it out; None where it also ends texts.
    pad: Option<i32>,
    padded: u64,
    /// None: it has no labels.
    kind: Option<Kind>,
    made: PreparedPart,
    target_sum: f64,
    /// The hash of each sample's texts.
    texts: Vec<u64>,
}

/// Writes the datasets of all parts; `samples` says how many each of them has.
pub(super) fn join(
    job: &Job<'_>,
    corpora: &[Surveyed],
    samples: [u64; PARTS.len()],
    labels: &Labels,
) -> Result<Joined> {
    let mut writers: BTreeMap<Part, Writer> = BTreeMap::new();
    let whole: u64 = corpora.iter().map(|surveyed| surveyed.blocks.samples()).sum();
    let mut before = 0;
    for surveyed in corpora {
        for index in 0..surveyed.blocks.len() {
            let done = before + surveyed.blocks.before(index);
            look(job.watch, "publish", done, share(done, whole))?;
            let path = block_path(job.work, surveyed.part, index, "ids");
            block::expect::<AboutIds>(&path)?.each(&path, |sample| {
                let Some(part) = sample.part else { return Ok(()) };
                let writer = match writers.entry(part) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let most = samples[part as usize] as usize;
                        new.insert(Writer::create(job, part, sample.label != NONE, labels, most)?)
                    }
                };
                writer.push(sample)
            })?;
        }
        before += surveyed.blocks.samples();
    }
    let texts = writers.iter().map(|(part, writer)| (*part, &writer.texts[..]));
    let overlaps = overlaps(&texts.collect());
    let about = job.about(labels)?;
    let padded = writers.iter().map(|(part, writer)| (part.name().to_owned(), writer.padded)).collect();
    let finish = |(part, writer): (Part, Writer)| Ok((part.name().to_owned(), writer.finish(part, &about)?));
    Ok(Joined { parts: writers.into_iter().map(finish).collect::<Result<_>>()?, overlaps, padded })
}

impl Writer {
    fn create(job: &Job<'_>, part: Part, labelled: bool, labels: &Labels, most: usize) -> Result<Self> {
        let ragged = |name: &str, vocabulary| ColumnSpec::Ragged { name: name.into(), vocabulary };
        let mut columns = vec![ragged(TOKENS, job.tokenizer.vocabulary())];
        let types = job.tokenizer.has_types();
        if types {
            columns.push(ragged(TYPES, 2));
        }
        let kind = labelled.then_some(job.plan.kind);
        match kind {
            Some(Kind::Classification) => columns.push(ragged(LABEL, labels.names.len())),
            Some(Kind::Regression) => columns.push(ColumnSpec::Dense { name: TARGET.into(), width: 1 }),
            None => {}
        }
        let file = format!("{}.dataset", part.name());
        let dataset = DatasetWriter::create(&job.work.join(&file), &columns)?;
        let classes = if kind == Some(Kind::Classification) { labels.names.len() } else { 0 };
        let made = PreparedPart { file, labelled, labels: vec![0; classes], ..PreparedPart::default() };
        let pad = Some(job.tokenizer.pad()).filter(|pad| *pad != job.tokenizer.end());
        let texts = Vec::with_capacity(most);
        Ok(Self { dataset, types, pad, padded: 0, kind, made, target_sum: 0.0, texts })
    }

    fn push(&mut self, sample: &IdsSample) -> Result<()> {
        if (sample.label != NONE) != self.made.labelled {
            let reason = "some of its files have labels and some have not".to_owned();
            return Err(DataError::argument("test", reason, "give files with labels, or files without"));
        }
        let (class, number) = ([sample.label as i32], [f32::from_bits(sample.label)]);
        let mut rows = vec![Row::Ragged(&sample.encoded.ids)];
        if self.types {
            rows.push(Row::Ragged(&sample.encoded.types));
        }
        match self.kind {
            Some(Kind::Classification) => {
                rows.push(Row::Ragged(&class));
                self.made.labels[sample.label as usize] += 1;
            }
            Some(Kind::Regression) => {
                rows.push(Row::Dense(&number));
                self.target_sum += f64::from(number[0]);
                TargetRange::include(&mut self.made.target, number[0]);
            }
            None => {}
        }
        self.dataset.push(&rows)?;
        self.count(sample);
        Ok(())
    }

    fn count(&mut self, sample: &IdsSample) {
        let length = sample.encoded.ids.len() as u64;
        self.made.samples += 1;
        self.made.tokens += length;
        self.made.longest = self.made.longest.max(length);
        self.made.truncated += u64::from(sample.encoded.truncated);
        self.padded += u64::from(self.pad.is_some_and(|pad| sample.encoded.ids.contains(&pad)));
        if sample.index != NO_INDEX {
            push_run(&mut self.made.indices, sample.index);
        }
        self.texts.push(sample.hash);
    }

    fn finish(self, part: Part, about: &Value) -> Result<PreparedPart> {
        let (mut made, mut about) = (self.made, about.clone());
        about["part"] = part.name().into();
        made.mean_tokens = made.tokens as f64 / made.samples.max(1) as f64;
        if let Some(target) = &mut made.target {
            target.mean = self.target_sum / made.samples.max(1) as f64;
        }
        made.fingerprint = self.dataset.finish(about)?;
        Ok(made)
    }
}

impl Job<'_> {
    /// What a dataset says of itself.
    fn about(&self, labels: &Labels) -> Result<Value> {
        Ok(json!({
            "task": "classification", "preparation": self.fingerprint, "recipe": self.options.recipe,
            "tokenizer": self.tokenizer.fingerprint()?, "vocabulary": self.tokenizer.vocabulary(),
            "kind": self.plan.kind, "labels": labels.names, "maxLength": self.max_length,
        }))
    }
}
