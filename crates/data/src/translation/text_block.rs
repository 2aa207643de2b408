//! Some lines of a corpus, processed: `line TAB source TAB target`, which hold no tabs of their own.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::preparation::block::{self, Block};
use crate::preparation::tally::Tally;
use crate::{DataError, Result};

/// What is said of a block of text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AboutText {
    /// Lines that were read, those left out too.
    pub(crate) lines: u64,
    /// Pairs that are in it.
    pub(crate) pairs: u64,
    /// Lines that were left out.
    pub(crate) tally: Tally,
}

/// One pair of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextPair<'a> {
    /// From 1, in the corpus.
    pub(crate) line: u64,
    /// Source and target.
    pub(crate) sides: [&'a str; 2],
}

/// The body of a block under way.
#[derive(Debug, Default)]
pub(crate) struct TextBody {
    text: String,
    pairs: u64,
}

impl TextBody {
    pub(crate) fn push(&mut self, line: u64, (source, target): &(String, String)) {
        let number = line.to_string();
        for piece in [&number, "\t", source, "\t", target, "\n"] {
            self.text.push_str(piece);
        }
        self.pairs += 1;
    }

    pub(crate) fn write(self, path: &Path, lines: u64, tally: Tally) -> Result<AboutText> {
        let about = AboutText { lines, pairs: self.pairs, tally };
        block::write(path, &about, self.text.as_bytes())?;
        Ok(about)
    }
}

impl Block<AboutText> {
    /// The pairs, in order.
    pub(crate) fn pairs(&self, path: &Path) -> Result<impl Iterator<Item = TextPair<'_>>> {
        let text = std::str::from_utf8(self.body())
            .map_err(|error| DataError::Internal(format!("{}: {error}", path.display())))?;
        Ok(text.lines().filter_map(|line| {
            let mut fields = line.split('\t');
            let line = fields.next()?.parse().ok()?;
            Some(TextPair { line, sides: [fields.next()?, fields.next()?] })
        }))
    }
}
