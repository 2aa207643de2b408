//! Which kernels there are: rules × storages × ways to keep sensitivity.

use crate::cuda::text::Program;
use std::fmt;

/// A rule, its kinds of decay, momentum and modulation apart: those are told at the launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// [`Sgd`](crate::Sgd)
    Sgd,
    /// [`Adam`](crate::Adam)
    Adam,
    /// [`Adamax`](crate::Adamax)
    Adamax,
    /// [`ReleasedAdamW`](crate::ReleasedAdamW)
    ReleasedAdamW,
    /// [`ReleasedAdamax`](crate::ReleasedAdamax)
    ReleasedAdamax,
}

/// How parameters are stored; their gradients are of the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// float32, computed in float32.
    Float32,
    /// float64, computed in float64.
    Float64,
    /// bfloat16 with float32 master weights in `fine`.
    Bfloat16Master,
    /// float16 with float32 master weights in `fine`.
    Float16Master,
    /// bfloat16 rounded to either neighbour by chance.
    Bfloat16Stochastic,
    /// bfloat16 with Kahan's compensation, bfloat16 too, in `fine`.
    Bfloat16Kahan,
}

/// How E is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// Not at all: [`Sensing::Off`](crate::Sensing::Off).
    Off,
    /// In the type computed in.
    Compute,
    /// In bfloat16: not for float64.
    Bfloat16,
}

/// One kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// The rule.
    pub family: Family,
    /// How parameters are stored.
    pub storage: Storage,
    /// How E is kept.
    pub kept: Kept,
}

impl Family {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Sgd, Self::Adam, Self::Adamax, Self::ReleasedAdamW, Self::ReleasedAdamax];

    /// Name in a kernel's name, header, name in the text.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Sgd => ("sgd", "sgd.cuh", "Sgd"),
            Self::Adam => ("adam", "adam.cuh", "Adam"),
            Self::Adamax => ("adamax", "adamax.cuh", "Adamax"),
            Self::ReleasedAdamW => ("released_adamw", "released.cuh", "ReleasedAdamW"),
            Self::ReleasedAdamax => ("released_adamax", "released.cuh", "ReleasedAdamax"),
        }
    }
}

impl Storage {
    /// All.
    pub const ALL: [Self; 6] = [
        Self::Float32,
        Self::Float64,
        Self::Bfloat16Master,
        Self::Float16Master,
        Self::Bfloat16Stochastic,
        Self::Bfloat16Kahan,
    ];

    /// Name in a kernel's name, name in the text.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Float32 => ("float32", "Plain<float>"),
            Self::Float64 => ("float64", "Plain<double>"),
            Self::Bfloat16Master => ("bfloat16_master", "Master<Bfloat16>"),
            Self::Float16Master => ("float16_master", "Master<Float16>"),
            Self::Bfloat16Stochastic => ("bfloat16_stochastic", "Stochastic<Bfloat16>"),
            Self::Bfloat16Kahan => ("bfloat16_kahan", "Kahan<Bfloat16>"),
        }
    }

    /// `float` or `double`: what is computed in.
    pub(crate) fn compute(self) -> &'static str {
        if self == Self::Float64 { "double" } else { "float" }
    }

    /// Bytes of an element of parameter and gradient.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Float32 => 4,
            Self::Float64 => 8,
            _ => 2,
        }
    }

    /// Bytes of an element of `fine`, 0 where there is none.
    pub fn fine_bytes(self) -> u64 {
        match self {
            Self::Bfloat16Master | Self::Float16Master => 4,
            Self::Bfloat16Kahan => 2,
            _ => 0,
        }
    }

    /// Bytes of an element of a state.
    pub fn compute_bytes(self) -> u64 {
        if self == Self::Float64 { 8 } else { 4 }
    }
}

impl Variant {
    /// All there are.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for family in Family::ALL {
            for storage in Storage::ALL {
                let kept = [Kept::Off, Kept::Compute, Kept::Bfloat16].into_iter();
                let variants = kept.map(|kept| Self { family, storage, kept });
                all.extend(variants.filter(|variant| variant.exists()));
            }
        }
        all
    }

    /// Whether there is such a kernel.
    pub fn exists(self) -> bool {
        !(self.storage == Storage::Float64 && self.kept == Kept::Bfloat16)
    }

    /// Bytes of an element of E, 0 where none is kept.
    pub fn kept_bytes(self) -> u64 {
        match self.kept {
            Kept::Off => 0,
            Kept::Compute => self.storage.compute_bytes(),
            Kept::Bfloat16 => 2,
        }
    }

    /// The line that makes the kernel of the headers.
    pub fn program(self) -> Program {
        let (_, header, rule) = self.family.words();
        let (compute, storage) = (self.storage.compute(), self.storage.words().1);
        let sense = match self.kept {
            Kept::Off => format!("Blind<{compute}>"),
            Kept::Compute => format!("Keeping<{compute}>"),
            Kept::Bfloat16 => "Keeping<Bfloat16>".to_owned(),
        };
        let text = format!("SAGETRAIN_STEP({self}, {compute}, {rule}, {storage}, {sense})");
        Program::new(self.to_string(), &["pass.cuh", header], &text)
    }
}

/// The kernel's name, as `adam_bfloat16_kahan_compute`.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match self.kept {
            Kept::Off => "off",
            Kept::Compute => "compute",
            Kept::Bfloat16 => "bfloat16",
        };
        write!(f, "{}_{}_{kept}", self.family.words().0, self.storage.words().0)
    }
}
