//! The one loop all rules share: read θ, g and the states of a block, apply the rule element by element, write back.

use crate::float::Float;
use crate::isa::{self, Isa, Loop};
use crate::sage::{
    AblationRate, Blind, Modulation, ReleasedRate, SageRate, Sense, Sensing, Steering, Watching,
};

/// The arrays of one block of one parameter, equally long. A state that the rule does not keep is empty.
#[derive(Debug)]
pub struct Block<'a, F> {
    /// θ, updated in place.
    pub parameter: &'a mut [F],
    /// The gradient as it comes, before un-scaling, division and clipping.
    pub gradient: &'a [F],
    /// The rule's first state: m, or SGD's buffer.
    pub first: &'a mut [F],
    /// The rule's second state: v, or Adamax's u.
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

/// Runs a rule of the paper's form over a block.
pub(crate) fn run<F: Float, R: Rule<F>>(isa: Isa, rule: R, sensing: Sensing<'_, F>, block: Block<'_, F>) {
    match sensing {
        Sensing::Off => isa::run(isa, Pass { rule, sense: Blind, block }),
        Sensing::Watch(sage) => isa::run(isa, Pass { rule, sense: Watching(sage), block }),
        Sensing::Modulate(sage, Modulation::Sage) => {
            isa::run(isa, Pass { rule, sense: Steering(sage, SageRate), block });
        }
        Sensing::Modulate(sage, modulation) => {
            isa::run(isa, Pass { rule, sense: Steering(sage, AblationRate::new(modulation)), block });
        }
    }
}

/// Runs a rule of the released form, whose one modulation is its own.
pub(crate) fn run_released<F: Float, R: Rule<F>>(
    isa: Isa,
    rule: R,
    sensing: Sensing<'_, F>,
    block: Block<'_, F>,
) {
    match sensing {
        Sensing::Off => isa::run(isa, Pass { rule, sense: Blind, block }),
        Sensing::Watch(sage) => isa::run(isa, Pass { rule, sense: Watching(sage), block }),
        Sensing::Modulate(sage, _) => {
            isa::run(isa, Pass { rule, sense: Steering(sage, ReleasedRate), block })
        }
    }
}

struct Pass<'a, F, R, S> {
    rule: R,
    sense: S,
    block: Block<'a, F>,
}

impl<F: Float, R: Rule<F>, S: Sense<F>> Loop for Pass<'_, F, R, S> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Block { parameter, gradient, first, second, sensitivity } = self.block;
        elements(self.rule, self.sense, parameter, gradient, first, second, sensitivity);
    }
}

/// The slices are arguments of their own because that is how the compiler learns that they do not overlap.
#[inline(always)]
fn elements<F: Float, R: Rule<F>, S: Sense<F>>(
    rule: R,
    sense: S,
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
    let factor = rule.factor();
    for i in 0..length {
        let (theta, gradient) = (parameter[i], gradient[i] * factor);
        let (average, rate) = sense.sense(theta, gradient, if S::KEEPS { sensitivity[i] } else { F::ZERO });
        let m = if R::STATES > 0 { first[i] } else { F::ZERO };
        let v = if R::STATES > 1 { second[i] } else { F::ZERO };
        let (theta, m, v) = rule.update(theta, gradient, rate, m, v);
        parameter[i] = theta;
        if R::STATES > 0 {
            first[i] = m;
        }
        if R::STATES > 1 {
            second[i] = v;
        }
        if S::KEEPS {
            sensitivity[i] = average;
        }
    }
}
