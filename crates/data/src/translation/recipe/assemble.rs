//! From published files to plain parallel text.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::RecipeCorpora;
use super::archive::{Extract, Extracts, extract};
use super::input::{Input, locate, without_member};
use super::plan::{Choice, Piece, Plan};
use crate::dataset::header::hex;
use crate::preparation::held_out::Part;
use crate::preparation::inputs::{InputFile, inputs};
use crate::preparation::{Watch, cache};
use crate::text::{CorpusFiles, corpus};
use crate::{DataError, Result};

/// Goes up when the same files give other text.
const VERSION: u32 = 1;
const SIDES: [&str; 2] = ["src", "tgt"];

pub(super) fn assemble(
    name: &str,
    plan: &'static Plan,
    data: &Path,
    output: &Path,
    threads: usize,
    watch: &dyn Watch,
) -> Result<RecipeCorpora> {
    let located = locate(plan, data)?;
    let paths: Vec<_> = located.iter().flatten().flat_map(Input::paths).collect();
    std::fs::create_dir_all(output).map_err(DataError::io("make the folder", output))?;
    let files = inputs(&paths, output, threads, watch)?;
    let name = format!("{name}-{}", &fingerprint(name, &files)[..16]);
    let build = |folder: &Path| {
        build(folder, plan, &located, watch)?;
        files.iter().try_for_each(InputFile::refuse_changed)
    };
    let reused = cache::publish(output, &name, &name, watch, build)?;
    let of =
        |part: Part| plan.parts.iter().any(|(known, _)| *known == part).then(|| found(output, &name, part));
    Ok(RecipeCorpora {
        train: found(output, &name, Part::Train),
        valid: of(Part::Valid),
        test: of(Part::Test),
        reused,
    })
}

fn fingerprint(name: &str, files: &[InputFile]) -> String {
    let sums: Vec<&str> = files.iter().map(|file| file.sha256.as_str()).collect();
    hex(Sha256::digest(json!({ "recipe": name, "version": VERSION, "inputs": sums }).to_string()))
}

fn found(output: &Path, name: &str, part: Part) -> CorpusFiles {
    let [source, target] = SIDES.map(|side| Some(part_file(&output.join(name), part, side)));
    CorpusFiles { source, target, tsv: None }
}

fn part_file(folder: &Path, part: Part, side: &str) -> PathBuf {
    folder.join(format!("{}.{side}", part.name()))
}

fn build(folder: &Path, plan: &'static Plan, inputs: &[Option<Input>], watch: &dyn Watch) -> Result<()> {
    // The cache makes this folder and clears it away; what an ended process left there is written anew.
    let pieces = folder.join("blocks");
    let mut extracts = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let choices = plan.choices().filter(|choice| choice.archive == index);
        let wanted = choices.flat_map(|choice| choice.members.map(|member| (member, choice.format)));
        let wanted: BTreeMap<_, _> = wanted.collect();
        extracts.push(match input {
            Some(input) => extract(input, &wanted, &pieces, watch)?,
            None => Extracts::new(),
        });
    }
    for (part, corpora) in plan.parts {
        let chosen = corpora.iter().map(|piece| choose(plan, piece, inputs, &extracts));
        let chosen = chosen.collect::<Result<Vec<_>>>()?;
        for (side, name) in SIDES.into_iter().enumerate() {
            let texts = chosen.iter().map(|sides| sides[side].path.as_path());
            concatenate(&part_file(folder, *part, name), texts)?;
        }
    }
    Ok(())
}

/// Both sides of the first choice that is there, with as many lines each.
fn choose<'a>(
    plan: &Plan,
    piece: Piece,
    inputs: &[Option<Input>],
    extracts: &'a [Extracts],
) -> Result<[&'a Extract; 2]> {
    let sides = |choice: &Choice| {
        let [source, target] = choice.members.map(|member| extracts.get(choice.archive)?.get(member));
        Some([source?, target?])
    };
    let path = |choice: &Choice| inputs.get(choice.archive).and_then(Option::as_ref).map(Input::paths);
    match piece.iter().find_map(|choice| Some((choice, sides(choice)?))) {
        Some((_, [source, target])) if source.lines == target.lines && source.lines > 0 => {
            Ok([source, target])
        }
        Some((choice, [source, target])) => {
            let [source_name, target_name] = choice.members;
            let (source, target) = (source.lines, target.lines);
            let reason = format!("{source_name} has {source} sentences and {target_name} {target}");
            let path = path(choice).and_then(|paths| paths.first().map(|path| path.to_path_buf()));
            let remedy = "both sides need as many, at least one; fetch both again";
            Err(corpus(&path.unwrap_or_default(), None, &reason, remedy))
        }
        None => {
            let there = piece.iter().find_map(|choice| Some((choice, *path(choice)?.first()?)));
            let (choice, path) = there.ok_or_else(|| DataError::Internal("a recipe without files".into()))?;
            Err(without_member(&plan.archives[choice.archive], path, choice.members))
        }
    }
}

fn concatenate<'a>(whole: &Path, texts: impl Iterator<Item = &'a Path>) -> Result<()> {
    let mut output = File::create(whole).map_err(DataError::io("create", whole))?;
    for text in texts {
        let mut input = File::open(text).map_err(DataError::io("open", text))?;
        io::copy(&mut input, &mut output).map_err(DataError::io("write", whole))?;
        drop(input);
        fs::remove_file(text).map_err(DataError::io("remove", text))?;
    }
    output.sync_all().map_err(DataError::io("write", whole))
}
