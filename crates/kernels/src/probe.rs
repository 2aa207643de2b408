//! Where a pass writes what it saw, element by element, when someone watches.

use crate::Float;
use crate::sage::{Sage, Sensed};

/// Buffers for what one run of a pass sees, each as long as the block it runs over.
#[derive(Debug)]
pub struct Probe<'a, F> {
    /// θ g with its sign.
    pub product: &'a mut [F],
    /// I
    pub sensitivity: &'a mut [F],
    /// Î
    pub average: &'a mut [F],
    /// U
    pub variation: &'a mut [F],
    /// r, as the modulation of the step has it (as `sage` has it where the step is only watched).
    pub modulation: &'a mut [F],
}

/// A probe as a type: [`Unwatched`] costs nothing.
pub(crate) trait Watch<F: Float> {
    /// This probe, cut to `length` elements so that indexing below it needs no checks.
    fn cut(self, length: usize) -> Self;
    fn record(&mut self, index: usize, sage: Option<&Sage<F>>, product: F, seen: &Sensed<F>);
}

pub(crate) struct Unwatched;

impl<F: Float> Watch<F> for Unwatched {
    #[inline(always)]
    fn cut(self, _: usize) -> Self {
        self
    }
    #[inline(always)]
    fn record(&mut self, _: usize, _: Option<&Sage<F>>, _: F, _: &Sensed<F>) {}
}

impl<F: Float> Watch<F> for Probe<'_, F> {
    #[inline(always)]
    fn cut(self, length: usize) -> Self {
        Self {
            product: &mut self.product[..length],
            sensitivity: &mut self.sensitivity[..length],
            average: &mut self.average[..length],
            variation: &mut self.variation[..length],
            modulation: &mut self.modulation[..length],
        }
    }
    #[inline(always)]
    fn record(&mut self, index: usize, sage: Option<&Sage<F>>, product: F, seen: &Sensed<F>) {
        let Some(sage) = sage else { return };
        self.product[index] = product;
        self.sensitivity[index] = seen.sensitivity;
        self.average[index] = sage.corrected(seen.average);
        self.variation[index] = sage.corrected_variation(seen.sensitivity, seen.average);
        self.modulation[index] = seen.reported;
    }
}
