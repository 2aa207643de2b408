//! Which characters are letters, digits and so on, as sacremoses has it.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One line a class, in the order of the bits; written by `tests/golden/moses/tables.py`.
const TABLE: &str = include_str!("classes.tsv");
const CODES: usize = 0x11_0000;
const BLOCK: usize = 256;

/// A set of classes, one a bit.
#[derive(Clone, Copy)]
pub(super) struct Class(u8);

impl Class {
    /// Letters and numbers, combining marks that go with letters too.
    pub(super) const ALNUM: Self = Self(1);
    /// Letters, those marks too.
    pub(super) const ALPHA: Self = Self(1 << 1);
    /// Letters alone.
    pub(super) const LETTER: Self = Self(1 << 2);
    pub(super) const LOWER: Self = Self(1 << 3);
    /// Numbers, fractions and the like too.
    pub(super) const NUMBER: Self = Self(1 << 4);
    pub(super) const CURRENCY: Self = Self(1 << 5);
    /// Decimal digits.
    pub(super) const DIGIT: Self = Self(1 << 6);
    /// Unicode's "other": control, format, private, unassigned.
    pub(super) const OTHER: Self = Self(1 << 7);

    #[inline]
    pub(super) fn has(self, character: char) -> bool {
        CLASSES.of(character) & self.0 != 0
    }
}

/// Python's `str.isspace`.
#[inline]
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

static CLASSES: LazyLock<Classes> = LazyLock::new(|| Classes::read(TABLE));

/// The bits of every code point, equal blocks held once.
struct Classes {
    blocks: Vec<[u8; BLOCK]>,
    index: Vec<u16>,
}

impl Classes {
    #[inline]
    fn of(&self, character: char) -> u8 {
        let code = character as usize;
        self.blocks[usize::from(self.index[code / BLOCK])][code % BLOCK]
    }

    fn read(table: &str) -> Self {
        let mut bits = vec![0_u8; CODES];
        for (class, line) in table.lines().enumerate() {
            let (_, ranges) = line.split_once('\t').unwrap_or_default();
            for (first, last) in ranges.split(' ').filter_map(range) {
                bits[first..=last].iter_mut().for_each(|bits| *bits |= 1 << class);
            }
        }
        let (mut blocks, mut known) = (Vec::new(), HashMap::new());
        let index = bits.as_chunks::<BLOCK>().0.iter().map(|block| {
            *known.entry(*block).or_insert_with(|| {
                blocks.push(*block);
                (blocks.len() - 1) as u16
            })
        });
        let index = index.collect();
        Self { blocks, index }
    }
}

fn range(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let code = |text| usize::from_str_radix(text, 16).ok();
    Some((code(first)?, code(last)?.min(CODES - 1)))
}
