//! Numbers of a state, in the type it is kept in.

use sagetrain_kernels::bf16;

/// The elements of one state or parameter, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values<'a> {
    /// float32: states of everything but float64 parameters.
    Float32(&'a [f32]),
    /// float64: states of float64 parameters.
    Float64(&'a [f64]),
    /// bfloat16: Kahan's compensation, and E where that was asked for.
    BFloat16(&'a [bf16]),
}

impl Values<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Float32(values) => values.len(),
            Self::Float64(values) => values.len(),
            Self::BFloat16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `float32`, `float64` or `bfloat16`.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::Float32(_) => "float32",
            Self::Float64(_) => "float64",
            Self::BFloat16(_) => "bfloat16",
        }
    }
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::Float32(values)
    }
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::Float64(values)
    }
}

impl<'a> From<&'a [bf16]> for Values<'a> {
    fn from(values: &'a [bf16]) -> Self {
        Self::BFloat16(values)
    }
}
