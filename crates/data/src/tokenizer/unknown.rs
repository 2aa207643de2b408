//! Replacing `<unk>` in a translation by what the model looked at in the source, as fairseq's `--replace-unk` does.

use super::{END, PAD, Tokenizer, UNKNOWN, unusable};
use crate::Result;

/// The id of [`UNKNOWN`].
const UNKNOWN_ID: i32 = 1;

impl Tokenizer {
    /// The text of `ids`, each `<unk>` replaced by that one of a source's `parts` which `alignment` names for it; an empty part, or
    /// none, leaves `<unk>`. The parts are those that the source's tokenizer, which may be another, gives.
    ///
    /// # Errors
    /// As [`Tokenizer::decode`].
    pub fn decode_replacing(&self, ids: &[i32], alignment: &[u32], parts: &[String]) -> Result<String> {
        if self.is_encoder() || !ids.contains(&UNKNOWN_ID) {
            return self.decode(ids);
        }
        let aligned = alignment.iter().map(|&at| parts.get(at as usize).map_or("", String::as_str));
        let aligned = aligned.chain(std::iter::repeat_n("", ids.len())).zip(ids);
        let replacements: Vec<&str> = aligned
            .filter(|(_, id)| **id == UNKNOWN_ID)
            .map(|(part, _)| if part.is_empty() { UNKNOWN } else { part })
            .collect();
        self.interleaved(ids, &replacements)
    }

    /// What each token of `text` stands for, without white space around it; empty for the closing `</s>`.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn parts(&self, text: &str) -> Result<Vec<String>> {
        let encoding = self.inner.encode(text, true).map_err(unusable)?;
        let part = |&(start, end): &(usize, usize)| text.get(start..end).map_or("", str::trim).to_owned();
        Ok(encoding.get_offsets().iter().map(part).collect())
    }

    fn interleaved(&self, ids: &[i32], replacements: &[&str]) -> Result<String> {
        let kept = |id: &&i32| **id != self.end() && **id != self.pad();
        let kept: Vec<u32> = ids.iter().filter(kept).map(|&id| id as u32).collect();
        let text = self.inner.decode(&kept, false).map_err(unusable)?;
        let pieces: Vec<&str> = text.split(UNKNOWN).collect();
        // A text that spells one of the marks out cannot be told from them; it stays as it was decoded.
        let spelt = pieces.len() != replacements.len() + 1 || text.contains(END) || text.contains(PAD);
        if spelt {
            return self.decode(ids);
        }
        let replacements = replacements.iter().copied().chain(std::iter::once(""));
        Ok(pieces
            .into_iter()
            .zip(replacements)
            .flat_map(|(piece, replacement)| [piece, replacement])
            .collect())
    }
}
