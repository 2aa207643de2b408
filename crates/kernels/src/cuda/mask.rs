//! Dropout's mask on the device.

use crate::cuda::Program;

/// The parameters of [`Kernels::mask`](crate::cuda::Kernels::mask).
///
/// Element `e` is dropped when its 16-bit draw is below `threshold`: half `e % 2` of word `(e % 128) / 32` of Philox counter
/// `(e / 128) · 16 + (e % 32) / 2`, with `stream` and `step` in the counter's other words and `seed` as key.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Mask {
    /// Device address of a byte an element, an even number: 1 where it is dropped, else 0.
    pub dropped: u64,
    /// The key.
    pub seed: u64,
    /// Counts forward passes.
    pub step: u64,
    /// How many groups of [`Mask::GROUP`] elements are written.
    pub groups: u64,
    /// Tells places in the model apart.
    pub stream: u32,
    /// Draws below it are dropped: p · 65536.
    pub threshold: u32,
}

impl Mask {
    /// Elements that share 16 counters; a mask is whole groups long.
    pub const GROUP: u64 = 128;
    pub(crate) const COUNTERS: u64 = 16;
}

impl Program {
    /// The kernel of dropout's mask.
    pub fn mask() -> Self {
        Self::new("mask".to_owned(), &["mask.cuh"], "SAGETRAIN_MASK(mask)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_struct_is_laid_out_as_in_the_text() {
        assert_eq!((size_of::<Mask>(), std::mem::offset_of!(Mask, stream)), (40, 32));
    }
}
