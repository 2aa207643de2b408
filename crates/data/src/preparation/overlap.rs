//! Texts of other parts that are training texts too, known by their hashes.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::held_out::Part;

/// What a text, or two, are known by.
pub(crate) fn text_hash(text: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// How many texts of each part but training are in training too, by the part's name. Takes memory for the texts of the
/// other parts and not for those of training.
pub(crate) fn overlaps(texts: &BTreeMap<Part, &[u64]>) -> BTreeMap<String, u64> {
    let train = texts.get(&Part::Train).copied().unwrap_or_default();
    let others = || texts.iter().filter(|(part, _)| **part != Part::Train);
    let asked: HashSet<u64> = others().flat_map(|(_, texts)| texts.iter().copied()).collect();
    let found: HashSet<u64> = train.iter().copied().filter(|text| asked.contains(text)).collect();
    let shared = |texts: &[u64]| texts.iter().filter(|text| found.contains(*text)).count() as u64;
    others().map(|(part, texts)| (part.name().to_owned(), shared(texts))).collect()
}
