//! The first moment's moving average, as torch's `lerp` takes it.

use crate::float::Float;

/// Moves an average toward a value by a weight in (0, 1]: from the nearer end, so that a weight of 1 gives the value itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lerp<F> {
    pub(crate) weight: F,
    pub(crate) from_value: bool,
}

impl<F: Float> Lerp<F> {
    pub fn new(weight: f64) -> Self {
        let weight = F::from_f64(weight);
        let from_value = weight.to_f64() >= 0.5;
        Self { weight: if from_value { weight - F::ONE } else { weight }, from_value }
    }

    #[inline(always)]
    pub fn toward(&self, average: F, value: F) -> F {
        let nearer = if self.from_value { value } else { average };
        self.weight.mul_add(value - average, nearer)
    }
}
