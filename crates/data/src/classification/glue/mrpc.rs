//! MRPC as Microsoft publishes it, of which GLUE names the lines of its development set: the files that the benchmark's
//! `train.tsv` and `dev.tsv` are written from. The test file has its labels there.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::Task;
use super::tasks::{MRPC, TaskFile, two};
use crate::Result;
use crate::classification::plan::{Plan, PlannedFile, PlannedPart, Share};
use crate::preparation::held_out::Part;
use crate::text::{Lines, corpus};

const TRAIN: TaskFile = two(Part::Train, "msr_paraphrase_train.txt", MRPC, "Quality");
const TEST: TaskFile = two(Part::Test, "msr_paraphrase_test.txt", MRPC, "Quality");
/// The name in GLUE's archive, and that by which it is to be had now.
const DEV_IDS: [&str; 2] = ["dev_ids.tsv", "mrpc_dev_ids.tsv"];
const IDS: [&str; 2] = ["#1 ID", "#2 ID"];

/// The plan where the folder has these files and not the others.
pub(super) fn plan(task: &'static Task, folder: &Path) -> Result<Option<Plan>> {
    let has = |name: &str| folder.join(name).is_file();
    if task.name != "mrpc" || has("train.tsv") || !has(TRAIN.name) {
        return Ok(None);
    }
    let Some(ids) = DEV_IDS.iter().find(|name| has(name)).map(|name| folder.join(name)) else {
        return Err(task.missing(folder, DEV_IDS.into_iter().take(1)));
    };
    let named = Arc::new(read_ids(&ids)?);
    let part = |part, file: PlannedFile| PlannedPart { part, files: vec![file] };
    let share = |takes| {
        let mut file = TRAIN.planned(folder);
        if let Some(official) = &mut file.official {
            official.share = Some(Share { columns: IDS, named: named.clone(), takes });
        }
        file
    };
    let mut parts = vec![part(Part::Train, share(false)), part(Part::Valid, share(true))];
    let mut warnings = Vec::new();
    if has(TEST.name) {
        parts.push(part(Part::Test, TEST.planned(folder)));
    } else {
        warnings.push(format!("{} is not there, so there is no test part", folder.join(TEST.name).display()));
    }
    Ok(Some(task.planned(parts, warnings, vec![ids])))
}

fn read_ids(path: &Path) -> Result<HashSet<[String; 2]>> {
    let (mut lines, mut ids) = (Lines::open(path)?, HashSet::new());
    while let Some(line) = lines.next()? {
        let number = lines.facts().lines;
        let refused = || corpus(path, Some(number), "it is not two ids with a tab between", "fetch it again");
        let line = line.map_err(|_| refused())?;
        let (first, second) = line.trim().split_once('\t').ok_or_else(refused)?;
        ids.insert([first.to_owned(), second.to_owned()]);
    }
    Ok(ids)
}
