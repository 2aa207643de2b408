//! What a step is about to see, element by element, for those who watch. Nothing is changed by looking.

use crate::float::Float;
use crate::isa::{self, Isa, Loop};
use crate::sage::{AblationRate, Modulation, Rate, ReleasedRate, Sage, SageRate, Sensing};

/// Buffers for what is seen of a block, each as long as it.
#[derive(Debug)]
pub struct Probe<'a, F> {
    /// θ g with its sign.
    pub product: &'a mut [F],
    /// I
    pub sensitivity: &'a mut [F],
    /// Î, this step's I included.
    pub average: &'a mut [F],
    /// U
    pub variation: &'a mut [F],
    /// r, as the modulation of the step has it (as `sage` has it where the step is only watched).
    pub modulation: &'a mut [F],
}

/// The arrays looked at, before the step.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a, F> {
    /// θ
    pub parameter: &'a [F],
    /// The gradient as it comes.
    pub gradient: &'a [F],
    /// E before the step.
    pub sensitivity: &'a [F],
    /// What the gradient is multiplied with.
    pub gradient_factor: F,
}

/// Writes what the coming step will see: the same arithmetic as in the step itself, hence the same bits. Where nothing is
/// sensed, nothing is written.
///
/// # Panics
/// When an array is shorter than `sight.parameter`.
pub fn look<F: Float>(isa: Isa, sensing: Sensing<'_, F>, sight: Sight<'_, F>, probe: Probe<'_, F>) {
    F::look(isa, sensing, sight, probe);
}

pub(crate) fn run<F: Float>(isa: Isa, sensing: Sensing<'_, F>, sight: Sight<'_, F>, probe: Probe<'_, F>) {
    match sensing {
        Sensing::Off => {}
        Sensing::Watch(sage) | Sensing::Modulate(sage, Modulation::Sage) => {
            isa::run(isa, Look { sage, rate: SageRate, sight, probe });
        }
        Sensing::Modulate(sage, Modulation::Released) => {
            isa::run(isa, Look { sage, rate: ReleasedRate, sight, probe });
        }
        Sensing::Modulate(sage, modulation) => {
            isa::run(isa, Look { sage, rate: AblationRate::new(modulation), sight, probe });
        }
    }
}

struct Look<'a, F, R> {
    sage: &'a Sage<F>,
    rate: R,
    sight: Sight<'a, F>,
    probe: Probe<'a, F>,
}

impl<F: Float, R: Rate<F>> Loop for Look<'_, F, R> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { sage, rate, sight, probe } = self;
        let length = sight.parameter.len();
        let (gradient, average) = (&sight.gradient[..length], &sight.sensitivity[..length]);
        let factor = sight.gradient_factor;
        let seen = |i: usize| {
            let (theta, gradient) = (sight.parameter[i], gradient[i] * factor);
            let sensitivity = sage.sensitivity(theta, gradient);
            (theta * gradient, sensitivity, sage.average(sensitivity, average[i]))
        };
        // A loop an array: each has few enough streams to be vectorised, and all stay in the first-level cache.
        write(probe.product, length, |i| seen(i).0);
        write(probe.sensitivity, length, |i| seen(i).1);
        write(probe.average, length, |i| sage.corrected(seen(i).2));
        write(probe.variation, length, |i| sage.variation(seen(i).1, seen(i).2));
        write(probe.modulation, length, |i| rate.rate(sage, seen(i).1, seen(i).2));
    }
}

#[inline(always)]
fn write<F>(array: &mut [F], length: usize, value: impl Fn(usize) -> F) {
    array[..length].iter_mut().enumerate().for_each(|(i, place)| *place = value(i));
}
