//! Classes: those that samples have, and their ids.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::plan::PlannedPart;
use super::survey::Surveyed;
use super::text_block::{NONE, SeenLabel};
use crate::text::corpus;
use crate::{DataError, Result};

/// Classes, at most; more are no classes.
const MOST_CLASSES: usize = 1 << 16;

/// The classes of a part in the order in which they come first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<SeenLabel>", into = "Vec<SeenLabel>")]
pub(crate) struct LabelsSeen {
    seen: Vec<SeenLabel>,
    places: HashMap<String, usize>,
}

impl From<Vec<SeenLabel>> for LabelsSeen {
    fn from(seen: Vec<SeenLabel>) -> Self {
        let places = seen.iter().enumerate().map(|(place, seen)| (seen.label.clone(), place)).collect();
        Self { seen, places }
    }
}

impl From<LabelsSeen> for Vec<SeenLabel> {
    fn from(labels: LabelsSeen) -> Self {
        labels.seen
    }
}

impl LabelsSeen {
    /// Adds what was seen in rows that come after these.
    pub(crate) fn append(&mut self, later: Vec<SeenLabel>, part: &PlannedPart) -> Result<()> {
        for seen in later {
            if let Some(place) = self.places.get(&seen.label) {
                self.seen[*place].samples += seen.samples;
                continue;
            }
            if self.seen.len() == MOST_CLASSES {
                let reason = format!("its label column has more than {MOST_CLASSES} different values");
                let remedy = "see that columns.label is the right one; numbers are for kind `regression`";
                return Err(corpus(part.first(), None, &reason, remedy));
            }
            self.places.insert(seen.label.clone(), self.seen.len());
            self.seen.push(seen);
        }
        Ok(())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &SeenLabel> {
        self.seen.iter()
    }
}

/// The classes with their ids.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    pub(crate) names: Vec<String>,
    ids: HashMap<String, u32>,
}

impl Labels {
    /// Those that are said, or those of the training part, sorted.
    pub(crate) fn of(said: Option<&Vec<String>>, train: &Surveyed) -> Result<Self> {
        let names = match said {
            Some(said) => said.clone(),
            None => sorted(train.labels.iter().map(|seen| seen.label.clone()).collect()),
        };
        if let [only] = &names[..] {
            let path = train.files.first().map(|file| file.facts.path.clone()).unwrap_or_default();
            let reason = format!("every sample has the label `{only}`, so there is nothing to tell apart");
            return Err(corpus(&path, None, &reason, "give samples of two classes or more"));
        }
        let ids = names.iter().cloned().zip(0..).collect();
        Ok(Self { names, ids })
    }

    /// Fails for the first label of a part that is no class.
    pub(crate) fn check(&self, surveyed: &Surveyed) -> Result<()> {
        let unknown = surveyed.labels.iter().find(|seen| !self.ids.contains_key(&seen.label));
        let Some(SeenLabel { label, samples, first: (file, line) }) = unknown else { return Ok(()) };
        let path = surveyed.files.get(*file).map(|file| file.facts.path.clone()).unwrap_or_default();
        let known: Vec<_> = self.names.iter().take(20).map(|name| format!("`{name}`")).collect();
        let reason = format!(
            "the label `{label}` ({samples} samples) is none of the {} classes {}",
            self.names.len(),
            known.join(", ")
        );
        let remedy = "correct it, or name all classes in labels";
        Err(corpus(&path, Some(*line), &reason, remedy))
    }

    /// The ids of a block's labels; of numbers there are none.
    pub(crate) fn ids(&self, seen: &[SeenLabel]) -> Result<Vec<u32>> {
        let id = |seen: &SeenLabel| self.ids.get(&seen.label).copied();
        let ids: Option<Vec<_>> = seen.iter().map(id).collect();
        ids.ok_or_else(|| DataError::Internal("a label has no id".into()))
    }

    /// The label of a record in terms of `ids`: a class becomes its id, all else stays.
    pub(crate) fn renamed(label: u32, ids: &[u32]) -> u32 {
        if label == NONE { NONE } else { ids.get(label as usize).copied().unwrap_or(label) }
    }
}

/// As numbers where all are integers, else as text.
fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    let numbers: Option<Vec<i64>> = names.iter().map(|name| name.parse().ok()).collect();
    if let Some(numbers) = numbers {
        let mut numbered: Vec<_> = numbers.into_iter().zip(names).collect();
        numbered.sort();
        return numbered.into_iter().map(|(_, name)| name).collect();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::sorted;

    #[test]
    fn integers_are_sorted_as_numbers_and_all_else_as_text() {
        let of = |names: &[&str]| sorted(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(of(&["10", "9", "-1"]), ["-1", "9", "10"]);
        assert_eq!(of(&["10", "9", "x"]), ["10", "9", "x"]);
    }
}
