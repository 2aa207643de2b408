//! The global norm on the device: what its two kernels are told, and what they leave.

use crate::cuda::Program;
use crate::{BLOCK, Stored};

/// One block of one gradient, and where its sum goes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub(crate) gradient: u64,
    pub(crate) count: u32,
    pub(crate) slot: u32,
}

/// The blocks of gradients of `bytes` bytes an element, each an address and a number of elements. Sums go to the slots from `slot` on, in this
/// order: that of the CPU, when all gradients of an optimizer are listed as it lists them.
pub fn parts(gradients: &[(u64, u64)], bytes: u64, slot: u32) -> Vec<Part> {
    let block = BLOCK as u64;
    let blocks = gradients.iter().flat_map(|&(address, length)| {
        let starts = (0..length.div_ceil(block)).map(move |index| index * block);
        starts.map(move |start| (address + start * bytes, (length - start).min(block) as u32))
    });
    let part = |(index, (gradient, count)): (usize, _)| Part { gradient, count, slot: slot + index as u32 };
    blocks.enumerate().map(part).collect()
}

/// The parameters of [`Kernels::squares`](crate::cuda::Kernels::squares): device addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Squares {
    /// A table of [`Part`]s.
    pub parts: u64,
    /// float64, one a slot.
    pub sums: u64,
    /// How many parts.
    pub count: u64,
}

/// The parameters of [`Kernels::judge`](crate::cuda::Kernels::judge).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    /// Device address of the sums.
    pub sums: u64,
    /// Device address of the [`Verdict`].
    pub verdict: u64,
    /// How many sums.
    pub count: u64,
    /// 1 / (divisor × loss scale).
    pub unscale: f64,
    /// The norm to clip to, ∞ for none.
    pub max_norm: f64,
    /// The largest number of the type computed in.
    pub largest: f64,
    /// 1: a norm beyond `largest` skips the step.
    pub checks: u32,
    /// Not 0: a verdict that skips stays as it is from then on, with this in `skip`: the step's number, for a host that reads
    /// only now and then. The verdict must have been zeros at first.
    pub sticky: u32,
}

/// What came of reading all gradients, on the device.
///
/// norm = √Σ g² × unscale, factor = unscale × min(1, max / (norm + 1e-6)), as torch's `clip_grad_norm_` has it. One difference to the CPU:
/// there a norm beyond the largest number makes it look for the element that is not finite; here it counts as not finite.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// After un-scaling, before clipping.
    pub norm: f64,
    /// Un-scaling, division and clipping in one.
    pub factor: f64,
    /// 1 where the norm is finite.
    pub finite: u32,
    /// Not 0 where nothing is to be written: 1, or [`Judge::sticky`] of the step that was the first.
    pub skip: u32,
}

/// The kernel of Σ g² of gradients stored as `S`.
pub(crate) fn squares_program<S: Stored>() -> Program {
    let stored = match S::DTYPE {
        "float64" => "double",
        "bfloat16" => "Bfloat16",
        "float16" => "Float16",
        _ => "float",
    };
    let name = format!("squares_{}", S::DTYPE);
    let text = format!("SAGETRAIN_SQUARES({name}, {stored})");
    Program::new(name, &["norm.cuh"], &text)
}

pub(crate) fn judge_program() -> Program {
    Program::new("judge".to_owned(), &["norm.cuh"], "SAGETRAIN_JUDGE(judge)")
}

impl Program {
    /// The kernels of the norm: Σ g² of each type, and what follows from it.
    pub fn norms() -> Vec<Self> {
        vec![
            squares_program::<f32>(),
            squares_program::<f64>(),
            squares_program::<crate::bf16>(),
            squares_program::<crate::f16>(),
            judge_program(),
        ]
    }
}
