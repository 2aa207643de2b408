//! The exponential moving average of parameters, taken while a block that has just been updated is still in the cache.

use crate::float::Float;
use crate::isa::{self, Isa, Loop};
use crate::moment::Lerp;

/// a ← a + (1 − d)(θ − a), element-wise, with the decay d rounded as torch's `AveragedModel` with `get_ema_multi_avg_fn(d)` does.
///
/// ```
/// use sagetrain_kernels::{Average, Isa};
///
/// let mut average = [1.0f32, 2.0];
/// Average::new(0.75).apply(Isa::best(), &[2.0, 2.0], &mut average);
/// assert_eq!(average, [1.25, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Average<F>(pub(crate) Lerp<F>);

impl<F: Float> Average<F> {
    /// `decay` is d, from 0 to below 1.
    pub fn new(decay: f64) -> Self {
        Self(Lerp::new(1.0 - decay))
    }

    /// One pass: 12 bytes an element in float32, 8 of them beyond what the cache holds.
    ///
    /// # Panics
    /// When `average` is shorter than `parameter`.
    pub fn apply(&self, isa: Isa, parameter: &[F], average: &mut [F]) {
        F::average(self, isa, parameter, average);
    }

    pub(crate) fn run(&self, isa: Isa, parameter: &[F], average: &mut [F]) {
        isa::run(isa, Pass { lerp: self.0, parameter, average });
    }
}

struct Pass<'a, F> {
    lerp: Lerp<F>,
    parameter: &'a [F],
    average: &'a mut [F],
}

impl<F: Float> Loop for Pass<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let average = &mut self.average[..self.parameter.len()];
        for (average, parameter) in average.iter_mut().zip(self.parameter) {
            *average = self.lerp.toward(*average, *parameter);
        }
    }
}
