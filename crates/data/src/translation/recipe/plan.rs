//! What a recipe is made of.

use serde_json::Value;

use super::format::Format;
use crate::preparation::held_out::Part;

/// A file as it is published.
#[derive(Debug)]
pub(super) struct Archive {
    /// Its usual name first.
    pub(super) names: &'static [&'static str],
    /// Folders that it unpacks into, where its members may lie instead.
    pub(super) folders: &'static [&'static str],
    /// Where it is to be had.
    pub(super) published: &'static [&'static str],
}

impl Archive {
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

/// One corpus in an archive.
#[derive(Debug)]
pub(super) struct Choice {
    /// Its place in [`Plan::archives`].
    pub(super) archive: usize,
    /// Names of its members without folders: source, target.
    pub(super) members: [&'static str; 2],
    pub(super) format: Format,
}

/// A corpus that may be had in several ways; the first that is there is taken.
pub(super) type Piece = &'static [Choice];

/// All of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) archives: &'static [Archive],
    /// Each part's corpora, one behind the other.
    pub(super) parts: &'static [(Part, &'static [Piece])],
    pub(super) options: fn() -> Value,
}

impl Plan {
    /// Every way to every corpus.
    pub(super) fn choices(&self) -> impl Iterator<Item = &'static Choice> {
        self.parts.iter().flat_map(|(_, pieces)| pieces.iter()).flat_map(|piece| piece.iter())
    }
}
