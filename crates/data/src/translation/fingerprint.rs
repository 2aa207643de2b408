//! What a prepared folder depends on: the bytes of its inputs and the options, never names or times.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::PrepareOptions;
use super::held_out::Part;
use crate::dataset::header::hex;
use crate::text::{CorpusFiles, open};
use crate::{DataError, Result};

/// Goes up when the same inputs and options give other files, a newer `tokenizers` included; the golden test notices.
const PREPARATION: u32 = 1;

/// A file that was read for its checksum.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    pub(crate) sha256: String,
    path: PathBuf,
    version: Version,
}

/// What changes when somebody writes to a file or puts another in its place.
type Version = (u64, u64, i64, i64);

fn version(path: &Path) -> Result<Version> {
    let facts = std::fs::metadata(path).map_err(DataError::io("read", path))?;
    Ok((facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()))
}

/// The corpora of a preparation with the checksums of their files.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) corpora: Vec<(Part, CorpusFiles, Vec<InputFile>)>,
    /// SHA-256 over everything, in hexadecimal.
    pub(crate) fingerprint: String,
}

impl Inputs {
    pub(crate) fn read(options: &PrepareOptions) -> Result<Self> {
        let given = [
            (Part::Train, Some(options.train())),
            (Part::Valid, options.valid.clone()),
            (Part::Test, options.test.clone()),
        ];
        let given = given.into_iter().filter_map(|(part, corpus)| corpus.map(|corpus| (part, corpus)));
        let read = |(part, corpus): (Part, CorpusFiles)| {
            let files = corpus.paths()?.into_iter().map(input).collect::<Result<_>>()?;
            Ok((part, corpus, files))
        };
        let corpora = given.map(read).collect::<Result<Vec<_>>>()?;
        let fingerprint = fingerprint(options, &corpora)?;
        Ok(Self { corpora, fingerprint })
    }

    /// Fails where a file is no longer the one whose checksum was taken: later readings may have seen another.
    pub(crate) fn refuse_changed(&self) -> Result<()> {
        self.corpora.iter().flat_map(|(_, _, files)| files).try_for_each(InputFile::refuse_changed)
    }
}

impl InputFile {
    /// Fails where the file is no longer the one whose checksum was taken.
    pub(crate) fn refuse_changed(&self) -> Result<()> {
        if version(&self.path)? == self.version {
            return Ok(());
        }
        Err(DataError::Corpus {
            path: self.path.clone(),
            line: None,
            reason: "it was changed while it was being prepared".into(),
            remedy: "prepare again once it is complete".into(),
        })
    }
}

fn fingerprint(options: &PrepareOptions, corpora: &[(Part, CorpusFiles, Vec<InputFile>)]) -> Result<String> {
    let sums = |files: &[InputFile]| files.iter().map(|file| file.sha256.clone()).collect::<Vec<_>>();
    let inputs: Vec<_> = corpora.iter().map(|(part, _, files)| json!([part.name(), sums(files)])).collect();
    let tokenizer =
        options.vocabulary.tokenizer.as_deref().map(tokenizer_file).map(|path| input(&path)).transpose()?;
    let everything = json!({
        "preparation": PREPARATION,
        "dataset": crate::dataset::header::VERSION,
        "inputs": inputs,
        "tokenizer": tokenizer.map(|file| file.sha256),
        "size": options.vocabulary.tokenizer.is_none().then(|| options.vocabulary.size()),
        "maxLength": options.max_length,
        "maxWords": options.max_words,
        "heldOut": options.held_out,
    });
    Ok(hex(Sha256::digest(everything.to_string())))
}

/// The file behind a path that may be its folder.
pub(crate) fn tokenizer_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("tokenizer.json") } else { path.to_owned() }
}

pub(crate) fn input(path: &Path) -> Result<InputFile> {
    let version = version(path)?;
    let mut file = open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => {
                return Ok(InputFile { sha256: hex(digest.finalize()), path: path.to_owned(), version });
            }
            Ok(read) => digest.update(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(DataError::io("read", path)(error)),
        }
    }
}
