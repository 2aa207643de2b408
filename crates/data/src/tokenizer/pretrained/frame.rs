//! What a model wants around its texts.

use tokenizers::{Encoding, Token, Tokenizer as Inner};

use crate::Result;
use crate::tokenizer::unusable;

/// Stands for the texts while it is found out what is put around them; no vocabulary is so large.
const STAND_INS: [u32; 2] = [u32::MAX, u32::MAX - 1];

/// Special tokens before, between and behind one text or two, with their types.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    around: Vec<Vec<(i32, i32)>>,
    /// The types of the texts' own tokens.
    types: Vec<i32>,
}

impl Frame {
    /// The frame of one text, or of two. None: the post-processor does something else with them.
    pub(super) fn of(inner: &Inner, texts: usize) -> Result<Option<Self>> {
        let stand_in = |id: u32| Encoding::from_tokens(vec![Token::new(id, "a".into(), (0, 1))], 0);
        let second = (texts == 2).then(|| stand_in(STAND_INS[1]));
        let whole = inner.post_process(stand_in(STAND_INS[0]), second, true).map_err(unusable)?;
        let (mut around, mut types, mut found) = (vec![Vec::new()], Vec::new(), Vec::new());
        for (id, kind) in whole.get_ids().iter().zip(whole.get_type_ids()) {
            if STAND_INS.contains(id) {
                found.push(*id);
                types.push(*kind as i32);
                around.push(Vec::new());
            } else if let Some(special) = around.last_mut() {
                special.push((*id as i32, *kind as i32));
            }
        }
        Ok((found == STAND_INS[..texts]).then_some(Self { around, types }))
    }

    /// Special tokens.
    pub(super) fn len(&self) -> usize {
        self.around.iter().map(Vec::len).sum()
    }

    /// Whether there are types but 0.
    pub(super) fn has_types(&self) -> bool {
        let special = self.around.iter().flatten().map(|(_, kind)| kind);
        special.chain(&self.types).any(|kind| *kind != 0)
    }

    /// The texts with what is around them: ids and types.
    pub(super) fn fill(&self, texts: &[&[i32]]) -> (Vec<i32>, Vec<i32>) {
        let length = self.len() + texts.iter().map(|text| text.len()).sum::<usize>();
        let (mut ids, mut types) = (Vec::with_capacity(length), Vec::with_capacity(length));
        for (place, special) in self.around.iter().enumerate() {
            for (id, kind) in special {
                ids.push(*id);
                types.push(*kind);
            }
            if let (Some(text), Some(kind)) = (texts.get(place), self.types.get(place)) {
                ids.extend_from_slice(text);
                types.extend(std::iter::repeat_n(*kind, text.len()));
            }
        }
        (ids, types)
    }
}
