//! Replacing `<unk>` in a translation by what the model looked at in the source, as fairseq's `--replace-unk` does.

use super::{END, PAD, Tokenizer, UNKNOWN, unusable};
use crate::Result;

/// The id of [`UNKNOWN`].
const UNKNOWN_ID: i32 = 1;

impl Tokenizer {
    /// The text of `ids`, each `<unk>` replaced by the part of `source` whose token `alignment` names for it; an alignment to the closing
    /// `</s>`, or none, leaves `<unk>`.
    ///
    /// # Errors
    /// As [`Tokenizer::decode`] and [`Tokenizer::encode`].
    pub fn decode_replacing(&self, ids: &[i32], alignment: &[u32], source: &str) -> Result<String> {
        if !ids.contains(&UNKNOWN_ID) {
            return self.decode(ids);
        }
        let spans = self.spans(source)?;
        let aligned = alignment.iter().map(|&at| spans.get(at as usize).copied().unwrap_or_default());
        let aligned = aligned.chain(std::iter::repeat_n((0, 0), ids.len())).zip(ids);
        let replacements: Vec<&str> = aligned
            .filter(|(_, id)| **id == UNKNOWN_ID)
            .map(|((start, end), _)| source.get(start..end).map_or(UNKNOWN, str::trim))
            .map(|part| if part.is_empty() { UNKNOWN } else { part })
            .collect();
        self.interleaved(ids, &replacements)
    }

    /// The bytes of `text` that each of its tokens stands for.
    fn spans(&self, text: &str) -> Result<Vec<(usize, usize)>> {
        Ok(self.inner.encode(text, true).map_err(unusable)?.get_offsets().to_vec())
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
