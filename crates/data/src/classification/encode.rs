//! The second stage: the texts of every block become ids.

use super::ids_block::{AboutIds, IdsBody, IdsSample, PARTS};
use super::labels::Labels;
use super::prepare::Job;
use super::rows::place_of;
use super::survey::Surveyed;
use super::text_block::AboutText;
use crate::parallel::ordered;
use crate::preparation::block;
use crate::preparation::blocks::block_path;
use crate::preparation::held_out::Part;
use crate::preparation::overlap::text_hash;
use crate::preparation::watch::{look, share};
use crate::tokenizer::PairEncoder;
use crate::{DataError, Result};

/// Encodes one part, as far as that has not been done. Returns how many samples of it go to each part.
pub(super) fn encode(job: &Job<'_>, surveyed: &Surveyed, labels: &Labels) -> Result<[u64; PARTS.len()]> {
    let worker = || {
        let mut encoder = PairEncoder::new(job.tokenizer, job.options.threads());
        move |index: usize| Ok((index, encode_block(job, surveyed, labels, index, &mut encoder)?))
    };
    let whole = surveyed.blocks.samples();
    look(job.watch, "encode", 0, 0.0)?;
    let mut samples = [0; PARTS.len()];
    ordered(job.options.threads(), (0..surveyed.blocks.len()).map(Ok), worker, |(index, made)| {
        samples.iter_mut().zip(made.samples).for_each(|(sum, samples)| *sum += samples);
        let done = surveyed.blocks.through(index);
        look(job.watch, "encode", done, share(done, whole))
    })?;
    Ok(samples)
}

fn encode_block(
    job: &Job<'_>,
    surveyed: &Surveyed,
    labels: &Labels,
    index: usize,
    encoder: &mut PairEncoder<'_>,
) -> Result<AboutIds> {
    let path = block_path(job.work, surveyed.part, index, "ids");
    if let Some(done) = block::read::<AboutIds>(&path)? {
        return Ok(done.about);
    }
    let text_path = block_path(job.work, surveyed.part, index, "text");
    let block = block::expect::<AboutText>(&text_path)?;
    let ids = labels.ids(&block.about.labels)?;
    let mut body = IdsBody::new(job.tokenizer.vocabulary(), job.tokenizer.has_types());
    for (sample, ordinal) in block.samples(&text_path)?.into_iter().zip(surveyed.blocks.before(index)..) {
        let Some(part) = surveyed.place(sample.row, ordinal) else { continue };
        let encoded = encoder.encode(sample.text, sample.pair, job.max_length);
        let pushed = encoded.and_then(|encoded| {
            body.push(&IdsSample {
                part: Some(part),
                label: Labels::renamed(sample.label, &ids),
                index: sample.index,
                hash: text_hash((sample.text, sample.pair)),
                encoded,
            })
        });
        pushed.map_err(|error| placed(job, surveyed.part, sample.row, error))?;
    }
    body.write(&path)
}

/// Says of which tokenizer a failure is, and of which line. That is looked up in the files, since rows are known by their
/// numbers in the part.
fn placed(job: &Job<'_>, part: Part, row: u64, error: DataError) -> DataError {
    let DataError::Tokenizer { path: None, reason, remedy } = error else { return error };
    let planned = job.plan.parts.iter().find(|planned| planned.part == part);
    let place = planned.and_then(|planned| place_of(planned, row).ok().flatten());
    let place = place.map(|(file, line)| format!(" (at {}:{line})", file.display())).unwrap_or_default();
    let path = Some(job.options.tokenizer.clone());
    DataError::Tokenizer { path, reason: format!("{reason}{place}"), remedy }
}
