//! The import itself, top to bottom.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::dictionary::Dictionary;
use super::indexed::{IndexedDataset, with_extension};
use super::vocabulary::Vocabulary;
use crate::dataset::header::hex;
use crate::translation::{PreparedPart, TextSteps, publish_folder};
use crate::{ColumnSpec, DataError, Dataset, DatasetWriter, Result, Row};

/// Written last, so a folder with it is whole.
const MANIFEST: &str = "imported.json";

/// What to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FairseqOptions {
    /// What `fairseq-preprocess --destdir` named.
    pub folder: PathBuf,
    /// The language to translate from, as in the files' names: `de`.
    pub source: String,
    /// The language to translate to.
    pub target: String,
    /// Tokens of a side, `</s>` counted; longer pairs are left out, as fairseq's `--max-source-positions` does.
    #[serde(default = "default_max_length")]
    pub max_length: usize,
    /// The folder in which the imported folder is made.
    pub output: PathBuf,
}

fn default_max_length() -> usize {
    1024
}

/// What an import has made, or found made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Imported {
    /// Of files and options; the folder's name ends in its beginning.
    pub fingerprint: String,
    /// Tokens of the joint vocabulary.
    pub vocabulary: usize,
    /// By name: `train`, and `valid` and `test` where they were binarized.
    pub parts: BTreeMap<String, PreparedPart>,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// Holds `tokenizer.json` and the datasets; empty in the file that lies there.
    pub folder: PathBuf,
    /// True where an earlier import is used.
    pub reused: bool,
}

/// The files of one part: `train`, `train1` and so on, source and target.
struct PartFiles {
    name: &'static str,
    /// Without the extensions.
    prefixes: Vec<[PathBuf; 2]>,
}

/// Turns a folder of `fairseq-preprocess` into a tokenizer and datasets, or finds that it has been done. Ids are those of one
/// joint vocabulary; text to translate must be split as the binarized text was.
///
/// # Errors
/// `ERR_ARGUMENT`: options. `ERR_DATASET`: a file that is not whole, or not fairseq's. `ERR_DATA`: a dictionary that is none, no
/// training part. `ERR_IO`.
pub fn import_translation(options: &FairseqOptions) -> Result<Imported> {
    if options.max_length < 2 {
        return Err(DataError::argument(
            "maxLength",
            "a sentence has at least one token and </s>",
            "give at least 2",
        ));
    }
    let languages = [&options.source, &options.target];
    let dictionaries = languages.map(|language| options.folder.join(format!("dict.{language}.txt")));
    let parts = ["train", "valid", "test"].map(|name| part_files(options, name));
    if parts[0].prefixes.is_empty() {
        return Err(no_training_part(options));
    }
    let fingerprint = fingerprint(options, &dictionaries, &parts)?;
    let name = format!("fairseq-{}", &fingerprint[..16]);
    let reused = publish_folder(&options.output, &name, |folder| {
        let [source, target] = dictionaries.each_ref().map(|path| Dictionary::open(path));
        build(folder, options, [&source?, &target?], &parts, &fingerprint)
    })?;
    open(&options.output.join(name), &fingerprint, reused)
}

fn build(
    folder: &Path,
    options: &FairseqOptions,
    dictionaries: [&Dictionary; 2],
    parts: &[PartFiles],
    fingerprint: &str,
) -> Result<()> {
    let vocabulary = Vocabulary::of(dictionaries);
    let tokenizer = vocabulary.tokenizer()?;
    tokenizer.save(folder, options.max_length)?;
    TextSteps::default().save(folder)?;
    let remap = dictionaries.map(|dictionary| vocabulary.remap(dictionary));
    let about = json!({ "task": "translation", "preparation": fingerprint, "tokenizer": tokenizer.fingerprint()?,
                        "vocabulary": vocabulary.len(), "maxLength": options.max_length });
    let (mut imported, mut warnings) = (BTreeMap::new(), Vec::new());
    for part in parts.iter().filter(|part| !part.prefixes.is_empty()) {
        let column = |name: &str| ColumnSpec::Ragged { name: name.into(), vocabulary: vocabulary.len() };
        let file = format!("{}.dataset", part.name);
        let writer = DatasetWriter::create(&folder.join(&file), &[column("source"), column("target")])?;
        let mut part_writer =
            PartWriter { writer, tokens: [0; 2], longer: 0, max_length: options.max_length };
        for prefixes in &part.prefixes {
            part_writer.copy(prefixes, dictionaries, &remap)?;
        }
        let PartWriter { writer, tokens: [source_tokens, target_tokens], longer, .. } = part_writer;
        if longer > 0 {
            let (name, longest) = (part.name, options.max_length);
            warnings.push(format!(
                "{name}: {longer} pairs with more than {longest} tokens on a side are left out"
            ));
        }
        let samples = writer.samples();
        let fingerprint = writer.finish(about.clone())?;
        let made = PreparedPart { file, shards: 1, samples, source_tokens, target_tokens, fingerprint };
        imported.insert(part.name.to_owned(), made);
    }
    let manifest = Imported {
        fingerprint: fingerprint.to_owned(),
        vocabulary: vocabulary.len(),
        parts: imported,
        warnings,
        folder: PathBuf::new(),
        reused: false,
    };
    crate::preparation::write_json(&folder.join(MANIFEST), &manifest)
}

struct PartWriter {
    writer: DatasetWriter,
    tokens: [u64; 2],
    /// Pairs left out.
    longer: u64,
    max_length: usize,
}

impl PartWriter {
    fn copy(
        &mut self,
        prefixes: &[PathBuf; 2],
        dictionaries: [&Dictionary; 2],
        remap: &[Vec<i32>; 2],
    ) -> Result<()> {
        let [mut source, mut target] =
            [IndexedDataset::open(&prefixes[0])?, IndexedDataset::open(&prefixes[1])?];
        if source.len() != target.len() {
            let (found, wanted) = (target.len(), source.len());
            let other = with_extension(&prefixes[0], "idx");
            let problem = format!("it has {found} sentences, {} has {wanted}", other.display());
            return Err(DataError::dataset(&with_extension(&prefixes[1], "idx"), problem));
        }
        let (mut theirs, mut ours) = (Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..source.len() {
            for (side, rows) in [&mut source, &mut target].into_iter().enumerate() {
                rows.read_next(&mut theirs)?;
                translate(&theirs, &remap[side], &mut ours[side]).map_err(|problem| {
                    rows.refused_row(format!("{problem} {}", dictionaries[side].path.display()))
                })?;
            }
            self.push(&ours)?;
        }
        Ok(())
    }

    fn push(&mut self, [source, target]: &[Vec<i32>; 2]) -> Result<()> {
        if source.len() > self.max_length || target.len() > self.max_length {
            self.longer += 1;
            return Ok(());
        }
        self.tokens[0] += source.len() as u64;
        self.tokens[1] += target.len() as u64;
        self.writer.push(&[Row::Ragged(source), Row::Ragged(target)])
    }
}

/// The ids of a row in our vocabulary. An end within a sentence, which text that spells it has, becomes an unknown word.
fn translate(theirs: &[i64], remap: &[i32], ours: &mut Vec<i32>) -> Result<(), String> {
    ours.clear();
    for (place, &id) in theirs.iter().enumerate() {
        let known = usize::try_from(id).ok().and_then(|id| remap.get(id));
        let id = known.ok_or_else(|| {
            format!("token {}: there is no id {id} among the {} of", place + 1, remap.len())
        })?;
        ours.push(*id);
    }
    match ours.split_last_mut() {
        Some((0, words)) => {
            words.iter_mut().filter(|id| **id == 0).for_each(|id| *id = 1);
            Ok(())
        }
        _ => Err("it does not end with the </s> of".into()),
    }
}

/// fairseq names the pair of languages in either order, and splits a part into `train`, `train1` and so on.
fn part_files(options: &FairseqOptions, name: &'static str) -> PartFiles {
    let FairseqOptions { folder, source, target, .. } = options;
    let mut prefixes = Vec::new();
    loop {
        let number = if prefixes.is_empty() { String::new() } else { prefixes.len().to_string() };
        let pairs = [format!("{source}-{target}"), format!("{target}-{source}")];
        let found = pairs.iter().map(|pair| {
            [source, target].map(|language| folder.join(format!("{name}{number}.{pair}.{language}")))
        });
        match found.into_iter().find(|[source, _]| with_extension(source, "idx").exists()) {
            Some(pair) => prefixes.push(pair),
            None => return PartFiles { name, prefixes },
        }
    }
}

fn no_training_part(options: &FairseqOptions) -> DataError {
    let (source, target) = (&options.source, &options.target);
    DataError::Corpus {
        path: options.folder.clone(),
        line: None,
        reason: format!("it has no train.{source}-{target}.{source}.idx"),
        remedy: "name the folder that fairseq-preprocess --dataset-impl mmap has filled, and its languages"
            .into(),
    }
}

/// SHA-256 of the options that matter and of every file.
fn fingerprint(options: &FairseqOptions, dictionaries: &[PathBuf; 2], parts: &[PartFiles]) -> Result<String> {
    let mut digest = Sha256::new();
    digest.update(json!(["fairseq", 1, options.source, options.target, options.max_length]).to_string());
    let prefixes = parts.iter().flat_map(|part| part.prefixes.iter().flatten());
    let rows = prefixes.flat_map(|prefix| ["idx", "bin"].map(|extension| with_extension(prefix, extension)));
    for path in dictionaries.iter().cloned().chain(rows) {
        digest.update(checksum(&path)?);
    }
    Ok(hex(digest.finalize()))
}

fn checksum(path: &Path) -> Result<impl AsRef<[u8]>> {
    let mut file = File::open(path).map_err(DataError::io("open", path))?;
    let (mut digest, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).map_err(DataError::io("read", path))? {
            0 => return Ok(digest.finalize()),
            count => digest.update(&piece[..count]),
        }
    }
}

/// Opens an imported folder and checks its datasets.
fn open(folder: &Path, fingerprint: &str, reused: bool) -> Result<Imported> {
    let path = folder.join(MANIFEST);
    let bytes = std::fs::read(&path).map_err(DataError::io("read", &path))?;
    let imported: Imported = serde_json::from_slice(&bytes)
        .map_err(|error| DataError::dataset(&path, format!("it is not understood: {error}")))?;
    if imported.fingerprint != fingerprint {
        return Err(DataError::dataset(&path, "it was made from other files"));
    }
    for part in imported.parts.values() {
        let path = folder.join(&part.file);
        if Dataset::open(&path)?.fingerprint() != part.fingerprint {
            return Err(DataError::dataset(&path, "it is not the dataset that was imported here"));
        }
    }
    Ok(Imported { folder: folder.to_owned(), reused, ..imported })
}
