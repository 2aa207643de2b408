//! What a parameter costs in memory traffic, by the types it is kept in.

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
}

const fn narrow(name: &'static str, more: usize, sensitivity: usize) -> Precision {
    Precision { name, parameter: 2, state: 4, sensitivity, more }
}

pub const FLOAT32: Precision = Precision { name: "float32", parameter: 4, state: 4, sensitivity: 4, more: 0 };
pub const FLOAT64: Precision = Precision { name: "float64", parameter: 8, state: 8, sensitivity: 8, more: 0 };
pub const FLOAT32_SENSITIVITY16: Precision =
    Precision { name: "float32, E bfloat16", sensitivity: 2, ..FLOAT32 };
pub const BFLOAT16_MASTER: Precision = narrow("bfloat16, master", 4, 4);
pub const BFLOAT16_STOCHASTIC: Precision = narrow("bfloat16, stochastic", 0, 4);
pub const BFLOAT16_KAHAN: Precision = narrow("bfloat16, Kahan", 2, 4);
pub const BFLOAT16_MASTER_SENSITIVITY16: Precision = narrow("bfloat16, master, E bfloat16", 4, 2);
pub const FLOAT16_MASTER: Precision = narrow("float16, master", 4, 4);

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
