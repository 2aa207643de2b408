//! The second stage: the words of the training part are counted, and a vocabulary is learnt from them, or one is opened.

use std::path::{Path, PathBuf};

use super::options::VocabularyType;
use super::survey::Surveyed;
use super::text_block::AboutText;
use super::{PrepareOptions, Watch};
use crate::parallel::ordered;
use crate::preparation::block;
use crate::preparation::blocks::block_path;
use crate::preparation::held_out::Part;
use crate::preparation::watch::{look, share};
use crate::tokenizer::{Subword, WordCounts, Words};
use crate::{DataError, Result, Tokenizer};

/// The folder of the target's tokenizer, beside the source's, where the sides have one each.
pub const TARGET: &str = "target";

/// One tokenizer for both sides, or one for each.
#[derive(Debug)]
pub(crate) struct Tokenizers {
    pub(crate) source: Tokenizer,
    apart: Option<Tokenizer>,
    /// The greatest count of words that were forgotten while they were counted.
    pub(crate) floor: u64,
}

impl Tokenizers {
    pub(crate) fn target(&self) -> &Tokenizer {
        self.apart.as_ref().unwrap_or(&self.source)
    }

    pub(crate) fn joint(&self) -> bool {
        self.apart.is_none()
    }

    /// Tokens of either side.
    pub(crate) fn sizes(&self) -> [usize; 2] {
        [self.source.vocabulary(), self.target().vocabulary()]
    }

    /// Opens what lies in a folder, or in a file where the sides share it.
    pub(crate) fn open(path: &Path, joint: bool) -> Result<Self> {
        let open = |path: &Path| {
            let tokenizer = Tokenizer::open(path)?;
            tokenizer.refuse_encoder(path).map(|()| tokenizer)
        };
        let apart = if joint { None } else { Some(open(&path.join(TARGET))?) };
        Ok(Self { source: open(path)?, apart, floor: 0 })
    }

    /// Writes all files into a folder.
    pub(crate) fn save(&self, folder: &Path, max_length: usize) -> Result<()> {
        self.source.save(folder, max_length)?;
        let Some(target) = &self.apart else { return Ok(()) };
        let folder = folder.join(TARGET);
        std::fs::create_dir_all(&folder).map_err(DataError::io("make the folder", &folder))?;
        target.save(&folder, max_length)?;
        crate::dataset::replace::sync_folder(&folder)
    }

    /// SHA-256 of each `tokenizer.json`.
    pub(crate) fn fingerprints(&self) -> Result<[String; 2]> {
        Ok([self.source.fingerprint()?, self.target().fingerprint()?])
    }
}

/// The files behind a path that may be a folder.
pub(crate) fn tokenizer_files(path: &Path, joint: bool) -> Vec<PathBuf> {
    let file = |path: &Path| if path.is_dir() { path.join("tokenizer.json") } else { path.to_owned() };
    if joint { vec![file(path)] } else { vec![file(path), file(&path.join(TARGET))] }
}

/// Learns the tokenizers, opens those that are given, or finds that they have been learnt.
pub(crate) fn tokenizers(
    work: &Path,
    train: &Surveyed,
    options: &PrepareOptions,
    watch: &dyn Watch,
) -> Result<Tokenizers> {
    let joint = options.vocabulary.joint;
    let marker = work.join("blocks/tokenizers");
    if let Some(done) = block::read::<(u64, [String; 2])>(&marker)?
        && let Ok(found) = Tokenizers::open(work, joint)
        && let (floor, fingerprints) = done.about
        && found.fingerprints()? == fingerprints
    {
        return Ok(Tokenizers { floor, ..found });
    }
    let tokenizers = match &options.vocabulary.tokenizer {
        Some(path) => Tokenizers::open(path, joint)?,
        None => learn(count(work, train, options, watch)?, options, watch)?,
    };
    tokenizers.save(work, options.max_length)?;
    block::write(&marker, &(tokenizers.floor, tokenizers.fingerprints()?), &[])?;
    Ok(tokenizers)
}

/// Counts the words of the training part, held-out lines left out.
fn count(work: &Path, train: &Surveyed, options: &PrepareOptions, watch: &dyn Watch) -> Result<WordCounts> {
    let words = match options.vocabulary.r#type {
        VocabularyType::ByteLevel => Words::ByteLevel,
        VocabularyType::Subword => Words::Spaces,
    };
    look(watch, "tokenizer", 0, 0.0)?;
    let mut all = WordCounts::new(words);
    let count = || {
        |index: usize| {
            let path = block_path(work, train.part, index, "text");
            let block = block::expect::<AboutText>(&path)?;
            let mut counts = WordCounts::new(words);
            for (pair, ordinal) in block.pairs(&path)?.zip(train.blocks.before(index)..) {
                if train.place(pair.line, ordinal) == Part::Train {
                    pair.sides.iter().enumerate().for_each(|(side, text)| counts.add(text, side));
                }
            }
            Ok((index, counts))
        }
    };
    ordered(options.threads(), (0..train.blocks.len()).map(Ok), count, |(index, counts)| {
        all.merge(counts);
        let pairs = train.blocks.through(index);
        look(watch, "tokenizer", pairs, 0.5 * share(pairs, train.blocks.samples()))
    })?;
    Ok(all)
}

fn learn(counts: WordCounts, options: &PrepareOptions, watch: &dyn Watch) -> Result<Tokenizers> {
    let vocabulary = &options.vocabulary;
    let floor = counts.floor();
    let whole = match vocabulary.r#type {
        VocabularyType::ByteLevel => vocabulary.size(),
        VocabularyType::Subword => vocabulary.merges(),
    };
    let mut looked = 0;
    let follow = |done: usize| {
        looked += 1;
        if looked % 64 == 1 {
            look(watch, "tokenizer", 0, 0.5 + 0.5 * share(done as u64, whole as u64))
        } else {
            Ok(())
        }
    };
    let (source, apart) = match (vocabulary.r#type, vocabulary.joint) {
        (VocabularyType::ByteLevel, true) => (Tokenizer::byte_level(counts, whole, follow)?, None),
        (VocabularyType::ByteLevel, false) => {
            let [source, target] = counts.apart();
            let mut follow = follow;
            let source = Tokenizer::byte_level(source, whole, &mut follow)?;
            (source, Some(Tokenizer::byte_level(target, whole, follow)?))
        }
        (VocabularyType::Subword, joint) => {
            let learnt = Subword::learn(counts, whole, follow)?;
            if joint { (learnt.joint()?, None) } else { (learnt.side(0)?, Some(learnt.side(1)?)) }
        }
    };
    Ok(Tokenizers { source, apart, floor })
}
