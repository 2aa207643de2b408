//! Numbers of a state, in the type it is kept in.

use sagetrain_kernels::{Stored, bf16, f16};

/// The elements of one state or parameter, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values<'a> {
    /// float32: states of everything but float64 parameters.
    Float32(&'a [f32]),
    /// float64: states of float64 parameters.
    Float64(&'a [f64]),
    /// bfloat16: Kahan's compensation, and E where that was asked for.
    BFloat16(&'a [bf16]),
    /// float16: parameters alone.
    Float16(&'a [f16]),
}

impl<'a> Values<'a> {
    /// `values` in their own type.
    pub fn of<T: Stored>(values: &'a [T]) -> Self {
        // The type's name decides, so no cast can fail.
        match T::DTYPE {
            "float32" => Self::Float32(bytemuck::cast_slice(values)),
            "float64" => Self::Float64(bytemuck::cast_slice(values)),
            "float16" => Self::Float16(bytemuck::cast_slice(values)),
            _ => Self::BFloat16(bytemuck::cast_slice(values)),
        }
    }

    /// The elements, where they are of type `T`.
    pub fn as_slice<T: Stored>(&self) -> Option<&'a [T]> {
        (self.dtype() == T::DTYPE).then(|| bytemuck::cast_slice(self.bytes()))
    }

    /// The elements' bytes, little-endian on a little-endian machine.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Float32(values) => bytemuck::cast_slice(values),
            Self::Float64(values) => bytemuck::cast_slice(values),
            Self::BFloat16(values) => bytemuck::cast_slice(values),
            Self::Float16(values) => bytemuck::cast_slice(values),
        }
    }

    /// The same numbers in float64, exactly.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::Float32(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Self::Float64(values) => values.to_vec(),
            Self::BFloat16(values) => values.iter().map(|value| value.to_f64()).collect(),
            Self::Float16(values) => values.iter().map(|value| value.to_f64()).collect(),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Float32(values) => values.len(),
            Self::Float64(values) => values.len(),
            Self::BFloat16(values) => values.len(),
            Self::Float16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `float32`, `float64`, `bfloat16` or `float16`.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::Float32(_) => f32::DTYPE,
            Self::Float64(_) => f64::DTYPE,
            Self::BFloat16(_) => bf16::DTYPE,
            Self::Float16(_) => f16::DTYPE,
        }
    }
}

impl<'a, T: Stored> From<&'a [T]> for Values<'a> {
    fn from(values: &'a [T]) -> Self {
        Self::of(values)
    }
}
