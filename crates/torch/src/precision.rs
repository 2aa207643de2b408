//! The number format of the matrix products.

use tch::Kind;

/// Format of the products' inputs and of the activations between them; weights, sums and state stay float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    Float32,
    Bfloat16,
    Float16,
}

impl Precision {
    /// The tensor kind of activations under this precision.
    pub fn kind(self) -> Kind {
        match self {
            Self::Float32 => Kind::Float,
            Self::Bfloat16 => Kind::BFloat16,
            Self::Float16 => Kind::Half,
        }
    }
}
