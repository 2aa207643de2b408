//! What a prepared folder depends on: the bytes of its inputs and the options, never names or times.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::tokenizers::tokenizer_files;
use super::{PrepareOptions, VocabularyType, Watch};
use crate::Result;
use crate::dataset::header::hex;
use crate::preparation::held_out::Part;
use crate::preparation::inputs::{InputFile, checksum, inputs};
use crate::text::CorpusFiles;

/// Goes up when the same inputs and options give other files, a newer `tokenizers` included; the golden test notices.
const PREPARATION: u32 = 2;

/// The corpora of a preparation with the checksums of their files.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) corpora: Vec<(Part, CorpusFiles, Vec<InputFile>)>,
    /// SHA-256 over everything, in hexadecimal.
    pub(crate) fingerprint: String,
    /// The same but for the sizes of shards, which only the last stage asks for.
    pub(crate) work: String,
}

impl Inputs {
    pub(crate) fn read(options: &PrepareOptions, watch: &dyn Watch) -> Result<Self> {
        let given = [
            (Part::Train, Some(options.train())),
            (Part::Valid, options.valid.clone()),
            (Part::Test, options.test.clone()),
        ];
        let given = given.into_iter().filter_map(|(part, corpus)| corpus.map(|corpus| (part, corpus)));
        let given: Vec<_> = given.collect();
        let mut paths = Vec::new();
        for (_, corpus) in &given {
            paths.extend(corpus.paths()?);
        }
        let mut inputs = inputs(&paths, &options.output, options.threads(), watch)?.into_iter();
        let mut corpora = Vec::new();
        for (part, corpus) in &given {
            let files = inputs.by_ref().take(corpus.paths()?.len()).collect();
            corpora.push((*part, corpus.clone(), files));
        }
        let unsharded = PrepareOptions { shard_samples: None, ..options.clone() };
        let work = fingerprint(&unsharded, &corpora)?;
        let fingerprint = fingerprint(options, &corpora)?;
        Ok(Self { corpora, fingerprint, work })
    }

    /// Fails where a file is no longer the one whose checksum was taken: later readings may have seen another.
    pub(crate) fn refuse_changed(&self) -> Result<()> {
        self.corpora.iter().flat_map(|(_, _, files)| files).try_for_each(InputFile::refuse_changed)
    }
}

fn fingerprint(options: &PrepareOptions, corpora: &[(Part, CorpusFiles, Vec<InputFile>)]) -> Result<String> {
    let sums = |files: &[InputFile]| files.iter().map(|file| file.sha256.clone()).collect::<Vec<_>>();
    let inputs: Vec<_> = corpora.iter().map(|(part, _, files)| json!([part.name(), sums(files)])).collect();
    let tokenizers = options.vocabulary.tokenizer.as_deref();
    let tokenizers =
        tokenizers.map(|path| tokenizer_files(path, options.vocabulary.joint)).unwrap_or_default();
    let tokenizers = tokenizers.iter().map(|path| checksum(path, |_| Ok(()))).collect::<Result<Vec<_>>>()?;
    let learnt = tokenizers.is_empty().then(|| match options.vocabulary.r#type {
        VocabularyType::ByteLevel => json!(["byteLevel", options.vocabulary.size()]),
        VocabularyType::Subword => json!(["subword", options.vocabulary.merges()]),
    });
    let mut words = vec![json!(options.min_words), json!(options.max_words), json!(options.max_ratio)];
    // Without it a preparation is the same as before there was the option.
    words.extend(options.max_word_length.map(|characters| json!(characters)));
    let everything = json!({
        "preparation": PREPARATION,
        "dataset": crate::dataset::header::VERSION,
        "inputs": inputs,
        "tokenizers": tokenizers,
        "vocabulary": learnt,
        "joint": options.vocabulary.joint,
        "steps": [json!(options.languages), json!(options.normalize), json!(options.tokenization),
                  json!(options.tokenized), json!(options.aggressive_hyphens), json!(options.lowercase)],
        "words": words,
        "maxLength": options.max_length,
        "shardSamples": options.shard_samples,
        "heldOut": options.held_out,
    });
    Ok(hex(Sha256::digest(everything.to_string())))
}
