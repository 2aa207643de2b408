//! What a parameter costs in memory traffic, by the types it is kept in.

use sagetrain_optim::{OptimizerOptions, Rounding, SensitivityDtype};

/// Sizes in bytes of what is kept of one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Precision {
    pub name: &'static str,
    /// θ and its gradient.
    pub parameter: usize,
    /// Each state of the rule, and the average.
    pub state: usize,
    /// E.
    pub sensitivity: usize,
    /// What makes up for a narrow θ: a master weight, or Kahan's compensation.
    pub more: usize,
    /// The options that ask for it.
    pub rounding: Rounding,
    pub sensitivity_dtype: SensitivityDtype,
}

const fn full(name: &'static str, size: usize) -> Precision {
    let (rounding, sensitivity_dtype) = (Rounding::Nearest, SensitivityDtype::Float32);
    Precision { name, parameter: size, state: size, sensitivity: size, more: 0, rounding, sensitivity_dtype }
}

const fn narrow(name: &'static str, more: usize, rounding: Rounding) -> Precision {
    Precision { parameter: 2, more, rounding, ..full(name, 4) }
}

const fn brief(name: &'static str, of: Precision) -> Precision {
    Precision { name, sensitivity: 2, sensitivity_dtype: SensitivityDtype::BFloat16, ..of }
}

pub const FLOAT32: Precision = full("float32", 4);
pub const FLOAT64: Precision = full("float64", 8);
pub const FLOAT32_SENSITIVITY16: Precision = brief("float32, E bfloat16", FLOAT32);
pub const BFLOAT16_MASTER: Precision = narrow("bfloat16, master", 4, Rounding::Nearest);
pub const BFLOAT16_STOCHASTIC: Precision = narrow("bfloat16, stochastic", 0, Rounding::Stochastic);
pub const BFLOAT16_KAHAN: Precision = narrow("bfloat16, Kahan", 2, Rounding::Kahan);
pub const BFLOAT16_MASTER_SENSITIVITY16: Precision = brief("bfloat16, master, E bfloat16", BFLOAT16_MASTER);
pub const FLOAT16_MASTER: Precision = narrow("float16, master", 4, Rounding::Nearest);

/// What one step of an optimizer reads and writes of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// States of the rule.
    pub states: usize,
    /// Whether E is kept.
    pub sensitivity: bool,
    /// Whether g is read a time of its own, for its norm or to see whether it is finite.
    pub norm: bool,
    /// Whether an average is kept.
    pub average: bool,
}

impl Precision {
    /// `options` with what this asks for; E's type only where E is kept.
    pub fn options(&self, options: &OptimizerOptions, traffic: Traffic) -> OptimizerOptions {
        let sensitivity_dtype =
            if traffic.sensitivity { self.sensitivity_dtype } else { SensitivityDtype::Float32 };
        OptimizerOptions { rounding: self.rounding, sensitivity_dtype, ..options.clone() }
    }

    /// Bytes a parameter and step: one read and one write of each live array, one read of the gradient, or two.
    pub fn bytes(&self, traffic: Traffic) -> usize {
        let averages = usize::from(traffic.average);
        let kept = self.parameter
            + self.more
            + (traffic.states + averages) * self.state
            + usize::from(traffic.sensitivity) * self.sensitivity;
        2 * kept + (1 + usize::from(traffic.norm)) * self.parameter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adam, then Adam-SAGE.
    #[test]
    fn bytes_a_parameter_are_those_of_the_specification() {
        let adam = Traffic { states: 2, ..Traffic::default() };
        let both = |precision: Precision| {
            [precision.bytes(adam), precision.bytes(Traffic { sensitivity: true, ..adam })]
        };
        assert_eq!(both(FLOAT32), [28, 36]);
        assert_eq!(both(FLOAT64), [56, 72]);
        assert_eq!(both(FLOAT32_SENSITIVITY16), [28, 32]);
        assert_eq!(both(BFLOAT16_MASTER), [30, 38]);
        assert_eq!(both(BFLOAT16_STOCHASTIC), [22, 30]);
        assert_eq!(both(BFLOAT16_KAHAN), [26, 34]);
        assert_eq!(both(BFLOAT16_MASTER_SENSITIVITY16), [30, 34]);
        assert_eq!(both(FLOAT16_MASTER), [30, 38]);
    }
}
