//! The one loop all rules share: read θ, g and the states of a block, apply the rule element by element, write back.

use crate::float::Float;
use crate::isa::{self, Isa, Loop};
use crate::probe::{Probe, Unwatched, Watch};
use crate::sage::{
    AverageRate, Blind, InverseRate, Modulation, ProductRate, Rate, ReciprocalRate, SageRate, Seeing, Sense,
    Sensing, VariationRate,
};

/// The arrays of one block of one parameter, equally long. A state that the rule does not keep is empty.
#[derive(Debug)]
pub struct Block<'a, F> {
    /// θ, updated in place.
    pub parameter: &'a mut [F],
    /// The gradient as it comes, before un-scaling, division and clipping.
    pub gradient: &'a [F],
    /// The rule's first state: Adam's m.
    pub first: &'a mut [F],
    /// The rule's second state: Adam's v.
    pub second: &'a mut [F],
    /// E, the moving average of sensitivity.
    pub sensitivity: &'a mut [F],
}

/// A base optimizer's update of one element.
pub(crate) trait Rule<F: Float>: Copy {
    /// How many of `first` and `second` the rule keeps.
    const STATES: usize;
    /// What every raw gradient is multiplied with: un-scaling, division and clipping in one.
    fn factor(&self) -> F;
    /// The new θ, first and second state. `rate` is r, 1 where nothing modulates.
    fn update(&self, theta: F, gradient: F, rate: F, first: F, second: F) -> (F, F, F);
}

/// Runs `rule` over a block, with sensitivity and probe as asked.
pub(crate) fn run<F: Float, R: Rule<F>>(
    isa: Isa,
    rule: R,
    sensing: Sensing<'_, F>,
    block: Block<'_, F>,
    probe: Option<Probe<'_, F>>,
) {
    use Modulation::{Average, Inverse, Product, Reciprocal, Variation};
    match sensing {
        Sensing::Off => dispatch(isa, rule, Blind, block, None),
        Sensing::Watch(sage) => dispatch(isa, rule, Seeing::<_, _, false>(sage, SageRate), block, probe),
        Sensing::Modulate(sage, Modulation::Sage) => steer(isa, rule, Seeing(sage, SageRate), block, probe),
        Sensing::Modulate(sage, Product) => steer(isa, rule, Seeing(sage, ProductRate), block, probe),
        Sensing::Modulate(sage, Inverse) => steer(isa, rule, Seeing(sage, InverseRate), block, probe),
        Sensing::Modulate(sage, Average) => steer(isa, rule, Seeing(sage, AverageRate), block, probe),
        Sensing::Modulate(sage, Reciprocal) => steer(isa, rule, Seeing(sage, ReciprocalRate), block, probe),
        Sensing::Modulate(sage, Variation) => steer(isa, rule, Seeing(sage, VariationRate), block, probe),
    }
}

/// [`dispatch`] for what multiplies the rate.
fn steer<F: Float, R: Rule<F>, M: Rate<F>>(
    isa: Isa,
    rule: R,
    sense: Seeing<'_, F, M, true>,
    block: Block<'_, F>,
    probe: Option<Probe<'_, F>>,
) {
    dispatch(isa, rule, sense, block, probe);
}

fn dispatch<F: Float, R: Rule<F>, S: Sense<F>>(
    isa: Isa,
    rule: R,
    sense: S,
    block: Block<'_, F>,
    probe: Option<Probe<'_, F>>,
) {
    match probe {
        Some(watch) => isa::run(isa, Pass { rule, sense, watch, block }),
        None => isa::run(isa, Pass { rule, sense, watch: Unwatched, block }),
    }
}

struct Pass<'a, F, R, S, W> {
    rule: R,
    sense: S,
    watch: W,
    block: Block<'a, F>,
}

impl<F: Float, R: Rule<F>, S: Sense<F>, W: Watch<F>> Loop for Pass<'_, F, R, S, W> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Block { parameter, gradient, first, second, sensitivity } = self.block;
        elements(self.rule, self.sense, self.watch, parameter, gradient, first, second, sensitivity);
    }
}

/// The slices are arguments of their own because that is how the compiler learns that they do not overlap.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a struct of slices would be vectorised behind overlap checks")]
fn elements<F: Float, R: Rule<F>, S: Sense<F>, W: Watch<F>>(
    rule: R,
    sense: S,
    watch: W,
    parameter: &mut [F],
    gradient: &[F],
    first: &mut [F],
    second: &mut [F],
    sensitivity: &mut [F],
) {
    let length = parameter.len();
    let gradient = &gradient[..length];
    let first = &mut first[..if R::STATES > 0 { length } else { 0 }];
    let second = &mut second[..if R::STATES > 1 { length } else { 0 }];
    let sensitivity = &mut sensitivity[..if S::KEEPS { length } else { 0 }];
    let mut watch = watch.cut(length);
    let factor = rule.factor();
    for i in 0..length {
        let (theta, gradient) = (parameter[i], gradient[i] * factor);
        let seen = sense.sense(theta, gradient, if S::KEEPS { sensitivity[i] } else { F::ZERO });
        let m = if R::STATES > 0 { first[i] } else { F::ZERO };
        let v = if R::STATES > 1 { second[i] } else { F::ZERO };
        let (theta_next, m, v) = rule.update(theta, gradient, seen.applied, m, v);
        parameter[i] = theta_next;
        if R::STATES > 0 {
            first[i] = m;
        }
        if R::STATES > 1 {
            second[i] = v;
        }
        if S::KEEPS {
            sensitivity[i] = seen.average;
        }
        watch.record(i, sense.sage(), theta * gradient, &seen);
    }
}
