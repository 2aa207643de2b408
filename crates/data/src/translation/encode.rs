//! The third stage: the sentences of every block become ids.

use std::path::Path;

use super::ids_block::{AboutIds, IdsBody};
use super::survey::Surveyed;
use super::text_block::{AboutText, TextPair};
use super::tokenizers::Tokenizers;
use super::{PrepareOptions, Watch};
use crate::Result;
use crate::parallel::ordered;
use crate::preparation::block;
use crate::preparation::blocks::block_path;
use crate::preparation::overlap::text_hash;
use crate::preparation::tally::Tally;
use crate::preparation::watch::{look, share};
use crate::text::{Reason, Rejection};
use crate::tokenizer::Encoder;

/// Encodes one corpus, as far as that has not been done. Lines that are too long go into its tally. Returns how many
/// samples of it go to each part.
pub(crate) fn encode(
    work: &Path,
    surveyed: &mut Surveyed,
    tokenizers: &Tokenizers,
    options: &PrepareOptions,
    watch: &dyn Watch,
) -> Result<[u64; 3]> {
    let worker = || {
        let both = [&tokenizers.source, tokenizers.target()];
        let mut encoders = both.map(|tokenizer| Encoder::new(tokenizer, 2 * options.threads()));
        let surveyed = &*surveyed;
        move |index: usize| {
            let made = encode_block(work, surveyed, index, &mut encoders, options.max_length)?;
            Ok((index, made))
        }
    };
    look(watch, "encode", 0, 0.0)?;
    let (mut samples, mut tally) = ([0; 3], Tally::default());
    ordered(options.threads(), (0..surveyed.blocks.len()).map(Ok), worker, |(index, made)| {
        samples.iter_mut().zip(made.samples).for_each(|(sum, samples)| *sum += samples);
        tally.append(made.tally);
        let pairs = surveyed.blocks.through(index);
        look(watch, "encode", pairs, share(pairs, surveyed.blocks.samples()))
    })?;
    surveyed.tally.append(tally);
    Ok(samples)
}

fn encode_block(
    work: &Path,
    surveyed: &Surveyed,
    index: usize,
    encoders: &mut [Encoder<'_>; 2],
    max_length: usize,
) -> Result<AboutIds> {
    let path = block_path(work, surveyed.part, index, "ids");
    if let Some(done) = block::read::<AboutIds>(&path)? {
        return Ok(done.about);
    }
    let text_path = block_path(work, surveyed.part, index, "text");
    let block = block::expect::<AboutText>(&text_path)?;
    let greatest = encoders.each_ref().map(Encoder::greatest);
    let (mut body, mut ids) = (IdsBody::new(greatest), [Vec::new(), Vec::new()]);
    for (pair, ordinal) in block.pairs(&text_path)?.zip(surveyed.blocks.before(index)..) {
        for ((ids, encoder), text) in ids.iter_mut().zip(encoders.iter_mut()).zip(pair.sides) {
            ids.clear();
            encoder.encode(text, ids)?;
        }
        match ids.iter().position(|ids| ids.len() > max_length) {
            Some(side) => body.tally().add(pair.line, too_long(pair, side, surveyed.files.len() - 1)),
            None => body.push(surveyed.place(pair.line, ordinal), text_hash(pair.sides[0]), &ids)?,
        }
    }
    body.write(&path)
}

fn too_long(pair: TextPair<'_>, side: usize, last: usize) -> Rejection {
    let excerpt = pair.sides[side].chars().take(120).collect();
    Rejection { file: if side == 0 { 0 } else { last }, reason: Reason::TooManyTokens, excerpt }
}
