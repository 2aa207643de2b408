//! States that are not in an optimizer: read from a file, or made for one.

use crate::values::Values;
use sagetrain_kernels::{bf16, f16};

/// A state where it lies: its name `<parameter>/<state>`, its shape and its numbers.
pub type NamedState<'a> = (String, &'a [usize], Values<'a>);

/// A state of its own memory.
#[derive(Clone, Debug, PartialEq)]
pub struct StateArray {
    /// `<parameter>/<state>`, such as `encoder.weight/exp_avg`; in a [`TorchEntry`](crate::TorchEntry) torch's name alone.
    pub name: String,
    /// Extents of the parameter.
    pub shape: Vec<usize>,
    /// The numbers, in C order.
    pub values: StateValues,
}

/// [`Values`] that are owned.
#[derive(Clone, Debug, PartialEq)]
pub enum StateValues {
    /// float32.
    Float32(Vec<f32>),
    /// float64.
    Float64(Vec<f64>),
    /// bfloat16.
    BFloat16(Vec<bf16>),
    /// float16.
    Float16(Vec<f16>),
}

impl StateArray {
    /// As [`write_state`](crate::write_state) and an export take it.
    pub fn named(&self) -> NamedState<'_> {
        (self.name.clone(), &self.shape, self.values.as_values())
    }
}

impl StateValues {
    /// The numbers, borrowed.
    pub fn as_values(&self) -> Values<'_> {
        match self {
            Self::Float32(values) => Values::Float32(values),
            Self::Float64(values) => Values::Float64(values),
            Self::BFloat16(values) => Values::BFloat16(values),
            Self::Float16(values) => Values::Float16(values),
        }
    }

    /// Those of 16 bits as float32, exactly; the others as they are.
    pub(crate) fn widened(self) -> Self {
        match self {
            Self::BFloat16(values) => Self::Float32(values.into_iter().map(bf16::to_f32).collect()),
            Self::Float16(values) => Self::Float32(values.into_iter().map(f16::to_f32).collect()),
            other => other,
        }
    }
}

impl From<Values<'_>> for StateValues {
    fn from(values: Values<'_>) -> Self {
        match values {
            Values::Float32(values) => Self::Float32(values.to_vec()),
            Values::Float64(values) => Self::Float64(values.to_vec()),
            Values::BFloat16(values) => Self::BFloat16(values.to_vec()),
            Values::Float16(values) => Self::Float16(values.to_vec()),
        }
    }
}
