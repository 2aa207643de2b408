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
/// Pairs of Microsoft's training file, and those of them that are GLUE's development set.
const PUBLISHED: (usize, usize) = (4_076, 408);

/// The plan where the folder has these files and not the others.
pub(super) fn plan(task: &'static Task, folder: &Path) -> Result<Option<Plan>> {
    let has = |name: &str| folder.join(name).is_file();
    if task.name != "mrpc" || has("train.tsv") || !has(TRAIN.name) {
        return Ok(None);
    }
    let Some(ids) = DEV_IDS.iter().find(|name| has(name)).map(|name| folder.join(name)) else {
        return Err(task.missing(folder, DEV_IDS.into_iter().take(1)));
    };
    let named = read_ids(&ids)?;
    refuse_incomplete(&ids, &named, &folder.join(TRAIN.name))?;
    let named = Arc::new(named);
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
        if !ids.insert([first.to_owned(), second.to_owned()]) {
            return Err(corpus(path, Some(number), "its two ids have come before", "fetch it again"));
        }
    }
    Ok(ids)
}

/// Fails where the ids in `path` are not those of a development set of `train`: pairs that they lack would be trained on.
fn refuse_incomplete(path: &Path, ids: &HashSet<[String; 2]>, train: &Path) -> Result<()> {
    let refused = |reason: String| Err(corpus(path, None, &reason, "fetch it and the training file again"));
    let Some(Met { rows, met, unread }) = met(ids, train)? else { return Ok(()) };
    let (unmet, named, train) = (ids.len() - met, ids.len(), train.display());
    // A row that cannot be read may be one of them; it is left out and told.
    if unmet > unread {
        return refused(format!("{unmet} of its {named} pairs of ids name no row of {train}"));
    }
    let (published, development) = PUBLISHED;
    if rows == published && named != development {
        return refused(format!(
            "it names {named} of the {rows} pairs of {train}, and GLUE's names {development}"
        ));
    }
    Ok(())
}

/// What the rows of the training file have to do with the ids.
struct Met {
    rows: usize,
    /// Ids that name a row.
    met: usize,
    /// Rows that cannot be read, or lack columns.
    unread: usize,
}

/// None where the header does not name the columns, which is told when the file is read for its texts.
fn met(ids: &HashSet<[String; 2]>, train: &Path) -> Result<Option<Met>> {
    let mut lines = Lines::open(train)?;
    let Some(Ok(header)) = lines.next()? else { return Ok(None) };
    let columns = header.split('\t').count();
    let place = |name: &str| header.split('\t').position(|column| column == name);
    let [Some(first), Some(second)] = IDS.map(place) else { return Ok(None) };
    let (mut rows, mut unread, mut met) = (0, 0, HashSet::new());
    while let Some(line) = lines.next()? {
        rows += 1;
        let fields: Vec<_> = line.iter().flat_map(|line| line.split('\t')).collect();
        unread += usize::from(fields.len() < columns);
        if let (Some(first), Some(second)) = (fields.get(first), fields.get(second)) {
            met.extend(ids.get(&[(*first).to_owned(), (*second).to_owned()]));
        }
    }
    Ok(Some(Met { rows, met: met.len(), unread }))
}
