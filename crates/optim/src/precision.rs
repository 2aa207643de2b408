//! Parameters of 16 bits, and states of them: what is kept beside so that small updates are not lost.

use crate::error::{OptimError, Result};
use sagetrain_kernels::{Noise, Stored, bf16};
use serde::Serialize;

/// How an updated parameter becomes one of 16 bits. A step of less than half a unit in the last place would be lost by rounding alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    /// To nearest, from a float32 master weight that is kept as state `master`.
    #[default]
    Nearest,
    /// Up or down at the odds of the distances, nothing kept beside: bfloat16 only.
    Stochastic,
    /// To nearest, and what that leaves is kept in bfloat16 as state `compensation` (Kahan 1965): bfloat16 only.
    Kahan,
}

/// Type of E, the moving average of sensitivity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SensitivityDtype {
    /// That of the arithmetic.
    #[default]
    Float32,
    /// bfloat16, rounded to nearest.
    BFloat16,
}

/// What an optimizer keeps of parameters of one type from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// They are of the type computed in.
    Whole,
    /// A master weight.
    Master,
    /// Nothing; the seed is that of the rounding.
    Stochastic(u64),
    /// What rounding left.
    Kahan,
}

impl Keeping {
    /// What `rounding` makes of parameters of type `S`.
    pub fn of<S: Stored>(rounding: Rounding, seed: u64) -> Result<Self> {
        let only = |rounding| match S::DTYPE == bf16::DTYPE {
            true => Ok(()),
            false => Err(OptimError::config(
                "rounding",
                format!("'{rounding}' is of bfloat16 parameters alone, these are {}", S::DTYPE),
            )),
        };
        match rounding {
            Rounding::Nearest if S::NARROW => Ok(Self::Master),
            Rounding::Nearest => Ok(Self::Whole),
            Rounding::Stochastic => only("stochastic").map(|()| Self::Stochastic(seed)),
            Rounding::Kahan => only("kahan").map(|()| Self::Kahan),
        }
    }

    /// The noise that rounds a parameter in a step, where noise does.
    pub fn noise(self, step: u64, parameter: u32) -> Option<Noise> {
        match self {
            Self::Stochastic(seed) => Some(Noise { seed, step, parameter }),
            _ => None,
        }
    }
}

/// A parameter's number in the noise: FNV-1a of its name, so that it does not depend on which others there are.
pub(crate) fn noise_number(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
