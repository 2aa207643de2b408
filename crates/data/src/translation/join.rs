//! The fourth stage: blocks of ids become datasets, that of the training part in shards where they are asked for.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::ids_block::{AboutIds, IdsPair};
use super::survey::Surveyed;
use super::tokenizers::Tokenizers;
use super::{PrepareOptions, PreparedPart, Watch};
use crate::preparation::block;
use crate::preparation::blocks::block_path;
use crate::preparation::held_out::Part;
use crate::preparation::overlap::overlaps;
use crate::preparation::watch::{look, share};
use crate::{ColumnSpec, DataError, DatasetWriter, Result, Row};

/// Shards, at most: all of them are written at the same time.
const MOST_SHARDS: u64 = 200;

/// What the datasets of all parts came to.
pub(crate) struct Joined {
    pub(crate) parts: BTreeMap<String, PreparedPart>,
    /// How many sources of a part are training sources too.
    pub(crate) overlaps: BTreeMap<String, u64>,
}

/// The dataset of one part under way.
struct Writer {
    part: Part,
    file: String,
    shards: Vec<DatasetWriter>,
    samples: u64,
    tokens: [u64; 2],
    /// The hash of each source.
    sources: Vec<u64>,
}

/// Writes the datasets of all parts; `samples` says how many each of them has.
pub(crate) fn join(
    work: &Path,
    corpora: &[Surveyed],
    samples: [u64; 3],
    tokenizers: &Tokenizers,
    options: &PrepareOptions,
    preparation: &str,
    watch: &dyn Watch,
) -> Result<Joined> {
    clear(work)?;
    let parts = [Part::Train, Part::Valid, Part::Test];
    let wanted = parts.into_iter().filter(|part| samples[*part as usize] > 0);
    let writer = |part: Part| Writer::create(work, part, samples[part as usize], tokenizers, options);
    let mut writers = wanted.map(|part| Ok((part, writer(part)?))).collect::<Result<BTreeMap<_, _>>>()?;
    let whole: u64 = corpora.iter().map(|surveyed| surveyed.blocks.samples()).sum();
    let mut before = 0;
    for surveyed in corpora {
        for index in 0..surveyed.blocks.len() {
            let done = before + surveyed.blocks.before(index);
            look(watch, "publish", done, share(done, whole))?;
            let path = block_path(work, surveyed.part, index, "ids");
            block::expect::<AboutIds>(&path)?.each(&path, |pair| {
                let writer = pair.part.and_then(|part| writers.get_mut(&part));
                writer.map_or(Ok(()), |writer| writer.push(pair))
            })?;
        }
        before += surveyed.blocks.samples();
    }
    let sources = writers.iter().map(|(part, writer)| (*part, &writer.sources[..]));
    let overlaps = overlaps(&sources.collect());
    let fingerprints = tokenizers.fingerprints()?;
    let about = json!({ "task": "translation", "preparation": preparation,
                        "tokenizers": fingerprints, "vocabulary": tokenizers.sizes(),
                        "maxLength": options.max_length });
    let finish = |writer: Writer| Ok((writer.part.name().to_owned(), writer.finish(&about)?));
    Ok(Joined { parts: writers.into_values().map(finish).collect::<Result<_>>()?, overlaps })
}

impl Writer {
    fn create(
        work: &Path,
        part: Part,
        samples: u64,
        tokenizers: &Tokenizers,
        options: &PrepareOptions,
    ) -> Result<Self> {
        let columns = ["source", "target"]
            .into_iter()
            .zip(tokenizers.sizes())
            .map(|(name, vocabulary)| ColumnSpec::Ragged { name: name.into(), vocabulary });
        let columns: Vec<_> = columns.collect();
        let name = part.name();
        let shards = match options.shard_samples {
            Some(most) if part == Part::Train => samples.div_ceil(most),
            _ => 0,
        };
        let (file, paths) = if shards == 0 {
            let file = format!("{name}.dataset");
            (file.clone(), vec![work.join(file)])
        } else {
            let folder = work.join(name);
            std::fs::create_dir_all(&folder).map_err(DataError::io("make the folder", &folder))?;
            let path = |shard| folder.join(format!("{name}-{shard:05}.dataset"));
            (name.to_owned(), (0..shards).map(path).collect())
        };
        let shards = paths.iter().map(|path| DatasetWriter::create(path, &columns)).collect::<Result<_>>()?;
        Ok(Self {
            part,
            file,
            shards,
            samples: 0,
            tokens: [0; 2],
            sources: Vec::with_capacity(samples as usize),
        })
    }

    /// Sample i goes to shard i modulo the number of shards: each is a thinning of the whole corpus, and reading one
    /// after the other does not go through the corpus by its sections.
    fn push(&mut self, pair: &IdsPair) -> Result<()> {
        let shards = self.shards.len() as u64;
        let shard = &mut self.shards[(self.samples % shards) as usize];
        let [source, target] = &pair.sides;
        shard.push(&[Row::Ragged(source), Row::Ragged(target)])?;
        self.samples += 1;
        self.tokens[0] += source.len() as u64;
        self.tokens[1] += target.len() as u64;
        self.sources.push(pair.hash);
        Ok(())
    }

    fn finish(self, about: &serde_json::Value) -> Result<PreparedPart> {
        let Self { part, file, shards, samples, tokens: [source_tokens, target_tokens], .. } = self;
        let count = shards.len();
        let mut fingerprints = Vec::with_capacity(count);
        for (index, shard) in shards.into_iter().enumerate() {
            let mut about = about.clone();
            about["part"] = part.name().into();
            if file == part.name() {
                about["shard"] = json!({ "index": index, "count": count });
            }
            fingerprints.push(shard.finish(about)?);
        }
        let fingerprint = crate::dataset::of_shards(&fingerprints);
        Ok(PreparedPart { file, shards: count as u64, samples, source_tokens, target_tokens, fingerprint })
    }
}

/// Removes datasets that an earlier run has left, which may have had other shards.
fn clear(work: &Path) -> Result<()> {
    for entry in std::fs::read_dir(work).map_err(DataError::io("read", work))? {
        let path = entry.map_err(DataError::io("read", work))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let removed = match name == Part::Train.name() {
            true => std::fs::remove_dir_all(&path),
            false if name.contains(".dataset") => std::fs::remove_file(&path),
            false => Ok(()),
        };
        removed.map_err(DataError::io("remove", &path))?;
    }
    Ok(())
}

/// Fails before the long stages where the training part would have too many shards. Sentences that turn out to have too
/// many tokens are counted here.
pub(crate) fn refuse_many_shards(train: &Surveyed, options: &PrepareOptions) -> Result<()> {
    let (samples, most) = (train.left(), options.shard_samples.unwrap_or(u64::MAX));
    let count = samples.div_ceil(most);
    if count <= MOST_SHARDS {
        return Ok(());
    }
    let reason = format!("{samples} pairs are {count} shards of {most}, at most {MOST_SHARDS} are written");
    let remedy = format!("give at least {}", samples.div_ceil(MOST_SHARDS));
    Err(DataError::argument("shardSamples", reason, remedy))
}
