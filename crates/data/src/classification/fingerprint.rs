//! What a prepared folder depends on: the bytes of its inputs and the options, never names or times.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::plan::Plan;
use super::{PrepareOptions, Watch};
use crate::dataset::header::hex;
use crate::preparation::inputs::{InputFile, checksum, inputs};
use crate::{Result, Tokenizer, tokenizer};

/// Goes up when the same inputs and options give other files, a newer `tokenizers` included; the golden test notices.
const PREPARATION: u32 = 5;

/// The files of a preparation with their checksums.
#[derive(Debug)]
pub(super) struct Inputs {
    /// Those of each part.
    pub(super) parts: Vec<Vec<InputFile>>,
    others: Vec<InputFile>,
    /// SHA-256 over everything, in hexadecimal.
    pub(super) fingerprint: String,
}

impl Inputs {
    pub(super) fn read(
        options: &PrepareOptions,
        plan: &Plan,
        tokenizer: &Tokenizer,
        max_length: usize,
        watch: &dyn Watch,
    ) -> Result<Self> {
        let files = plan.parts.iter().flat_map(|part| part.files.iter().map(|file| file.path.as_path()));
        let paths: Vec<&Path> = files.chain(plan.others.iter().map(|path| path.as_path())).collect();
        let mut read = inputs(&paths, &options.output, options.threads(), watch)?.into_iter();
        let parts: Vec<Vec<_>> =
            plan.parts.iter().map(|part| read.by_ref().take(part.files.len()).collect()).collect();
        let others = read.collect();
        let mut inputs = Self { parts, others, fingerprint: String::new() };
        inputs.fingerprint = inputs.sum(options, plan, tokenizer, max_length)?;
        Ok(inputs)
    }

    /// Fails where a file is no longer the one whose checksum was taken: later readings may have seen another.
    pub(super) fn refuse_changed(&self) -> Result<()> {
        self.parts.iter().flatten().chain(&self.others).try_for_each(InputFile::refuse_changed)
    }

    fn sum(
        &self,
        options: &PrepareOptions,
        plan: &Plan,
        tokenizer: &Tokenizer,
        max_length: usize,
    ) -> Result<String> {
        let parts = plan.parts.iter().zip(&self.parts).map(|(part, inputs)| {
            let files = part.files.iter().zip(inputs);
            let files: Vec<_> = files.map(|(file, input)| json!([input.sha256, file.format])).collect();
            json!([part.part.name(), files])
        });
        let parts: Vec<Value> = parts.collect();
        let others: Vec<_> = self.others.iter().map(|input| &input.sha256).collect();
        let everything = json!({
            "preparation": PREPARATION,
            "dataset": crate::dataset::header::VERSION,
            "inputs": parts,
            "others": others,
            "recipe": options.recipe,
            "columns": options.columns,
            "header": options.header,
            "kind": plan.kind,
            "labels": options.labels,
            "heldOut": options.held_out,
            "limit": [json!(options.limit), json!(options.limit_seed.unwrap_or(0))],
            "tokenizer": [json!(tokenizer.fingerprint()?), json!(tokenizer.has_types())],
            "tokenizerFiles": tokenizer_files(&options.tokenizer)?,
            "maxLength": max_length,
        });
        Ok(hex(Sha256::digest(everything.to_string())))
    }
}

/// The names of the files that are copied into the prepared folder, with their checksums.
fn tokenizer_files(path: &Path) -> Result<Vec<Value>> {
    let one = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(json!([name, checksum(&path, |_| Ok(()))?]))
    };
    tokenizer::files(path).into_iter().map(one).collect()
}
