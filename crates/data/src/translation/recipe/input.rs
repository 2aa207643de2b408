//! What of a recipe's files lies in the user's folder.

use std::path::{Path, PathBuf};

use super::plan::{Archive, Plan};
use crate::text::corpus;
use crate::{DataError, Result};

/// One published archive, as it is or unpacked.
#[derive(Debug)]
pub(super) enum Input {
    Packed(PathBuf),
    /// The members that are there: name, path.
    Unpacked(Vec<(&'static str, PathBuf)>),
}

impl Input {
    /// Everything that is read.
    pub(super) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Packed(path) => vec![path],
            Self::Unpacked(members) => members.iter().map(|(_, path)| path.as_path()).collect(),
        }
    }

    fn may_hold(&self, member: &str) -> bool {
        match self {
            Self::Packed(_) => true,
            Self::Unpacked(members) => members.iter().any(|(name, _)| *name == member),
        }
    }
}

/// What is there of each archive; all that every corpus needs in at least one way.
///
/// # Errors
/// `ERR_DATA`: something is missing; the message names all of it and where it is published.
pub(super) fn locate(plan: &'static Plan, data: &Path) -> Result<Vec<Option<Input>>> {
    if !data.is_dir() {
        return Err(corpus(data, None, "it is not a folder", "name the folder with the published files"));
    }
    let find = |(index, archive): (usize, &Archive)| {
        let choices = plan.choices().filter(|choice| choice.archive == index);
        input(data, archive, choices.flat_map(|choice| choice.members))
    };
    let inputs: Vec<_> = plan.archives.iter().enumerate().map(find).collect();
    let mut missing: Vec<String> = Vec::new();
    for piece in plan.parts.iter().flat_map(|(_, pieces)| pieces.iter()) {
        let there = piece.iter().any(|choice| {
            let input = inputs.get(choice.archive).and_then(Option::as_ref);
            input.is_some_and(|input| choice.members.iter().all(|member| input.may_hold(member)))
        });
        if let (false, Some(choice)) = (there, piece.first()) {
            let message =
                wanted(&plan.archives[choice.archive], inputs[choice.archive].is_some(), choice.members);
            if !missing.contains(&message) {
                missing.push(message);
            }
        }
    }
    if missing.is_empty() {
        return Ok(inputs);
    }
    let reason = format!("these files of the recipe are not in it: {}", missing.join("; "));
    Err(corpus(data, None, &reason, "put them there, packed or unpacked"))
}

fn wanted(archive: &Archive, in_part: bool, [source, target]: [&str; 2]) -> String {
    let published = archive.published.join(" or ");
    match in_part {
        false => format!("{} ({published})", archive.name()),
        true => format!("{source} and {target} of {} ({published})", archive.name()),
    }
}

/// Whether the archive or the member of it is there.
pub(super) fn lies_in(data: &Path, archive: &Archive, member: &'static str) -> bool {
    input(data, archive, [member].into_iter()).is_some()
}

fn input(data: &Path, archive: &Archive, members: impl Iterator<Item = &'static str>) -> Option<Input> {
    let packed = archive.names.iter().map(|name| data.join(name)).find(|path| path.is_file());
    if let Some(packed) = packed {
        return Some(Input::Packed(packed));
    }
    let folders = || [""].iter().chain(archive.folders);
    let place = |member| folders().map(|folder| data.join(folder).join(member)).find(|path| path.is_file());
    let found: Vec<_> = members.filter_map(|member| Some((member, place(member)?))).collect();
    (!found.is_empty()).then_some(Input::Unpacked(found))
}

/// Refuses what is not there after all.
pub(super) fn without_member(archive: &Archive, path: &Path, members: [&str; 2]) -> DataError {
    let reason = format!("it has no {} with {} beside it", members[0], members[1]);
    corpus(path, None, &reason, &format!("fetch it again: {}", archive.published.join(" or ")))
}
