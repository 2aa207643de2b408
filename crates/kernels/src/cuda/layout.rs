//! What is packed here and read by the kernels, byte for byte: the text's layout.cuh has the same structs.
#![allow(unsafe_code, reason = "Pod is an unsafe trait; the tables are plain numbers without gaps")]

use crate::cuda::Constants;
use bytemuck::{Pod, Zeroable};

/// Groups a launch can serve: as many as fit, in float64, into the 4 KB of a kernel's parameters.
pub const GROUPS: usize = 16;

/// The arrays of one parameter, as device addresses; 0 where there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tensor {
    /// θ
    pub parameter: u64,
    /// Its gradient as it comes, of the parameter's type.
    pub gradient: u64,
    /// The rule's first state: m, or SGD's buffer.
    pub first: u64,
    /// The rule's second state: v, or Adamax's u.
    pub second: u64,
    /// E
    pub sensitivity: u64,
    /// Master weights (zeros for one that has not begun) or Kahan's compensation.
    pub fine: u64,
    /// The parameters' average, of the type computed in; it follows θ before that is narrowed. 0 for none.
    pub average: u64,
    /// Elements of each array.
    pub length: u64,
    /// Which of the launch's [`Constants`].
    pub group: u32,
    /// The parameter's number in [`Noise`](crate::Noise).
    pub number: u32,
}

/// One [`BLOCK`](crate::BLOCK) of one parameter.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Position in the table of tensors.
    pub tensor: u32,
    /// Which block of it.
    pub block: u32,
}

/// The parameters of one launch of [`Kernels::step`](crate::cuda::Kernels::step).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Launch<F> {
    pub(crate) tensors: u64,
    pub(crate) chunks: u64,
    pub(crate) verdict: u64,
    pub(crate) count: u32,
    pub(crate) unused: u32,
    pub(crate) groups: [Constants<F>; GROUPS],
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        // SAFETY: zeros are a value of every field.
        unsafe impl Zeroable for $type {}
        // SAFETY: repr(C), fields of plain numbers, and no gaps: the test of the layout adds up their sizes.
        unsafe impl Pod for $type {}
    )*};
}

plain!(Tensor, Chunk, crate::cuda::Part, crate::cuda::Verdict);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::{Judge, Part, Squares, Verdict};
    use std::mem::{offset_of, size_of};

    /// The sizes that layout.cuh and norm.cuh assert, and no gap between fields.
    #[test]
    fn structs_are_laid_out_as_in_the_text() {
        assert_eq!((size_of::<Constants<f32>>(), size_of::<Constants<f64>>()), (24 * 4 + 40, 24 * 8 + 40));
        assert_eq!((size_of::<Launch<f32>>(), size_of::<Launch<f64>>()), (2208, 3744));
        assert_eq!((size_of::<Tensor>(), size_of::<Chunk>()), (8 * 8 + 2 * 4, 2 * 4));
        assert_eq!((size_of::<Part>(), size_of::<Verdict>()), (8 + 2 * 4, 2 * 8 + 2 * 4));
        assert_eq!((size_of::<Squares>(), size_of::<Judge>()), (24, 56));
        assert_eq!((offset_of!(Tensor, fine), offset_of!(Tensor, group)), (40, 64));
        assert_eq!((offset_of!(Launch<f64>, count), offset_of!(Launch<f64>, groups)), (24, 32));
    }
}
