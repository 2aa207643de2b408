//! The rules of a launch: every decay, momentum and modulation.

use sagetrain_kernels::cuda::{Constants, Family, Kept, Variant};
use sagetrain_kernels::*;

pub const FACTOR: f64 = 0.3;
const RATE: f64 = 0.02;
pub const STEP: u64 = 3;
pub const SEED: u64 = 0x0123_4567_89ab_cdef;

/// Any of the scalar rules.
pub type Apply<F> = Box<dyn Fn(Sensing<'_, F>, Block<'_, F>)>;

/// A rule of a family, with its constants: what a group has.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    family: Family,
    decay: Decay,
    beta1: f64,
    momentum: (f64, bool),
    sensing: Option<Modulation>,
    kept: bool,
    pub average: Option<f64>,
}

/// Groups of a variant, so that together they have every decay, momentum and modulation; as many as a launch takes at most.
pub fn groups(variant: Variant) -> Vec<Vec<Group>> {
    use Modulation::*;
    let kept = variant.kept != Kept::Off;
    let sensings: &[Option<Modulation>] = match kept {
        true => &[
            None,
            Some(Sage),
            Some(Product),
            Some(Inverse),
            Some(Average),
            Some(Reciprocal),
            Some(Variation),
            Some(Released),
        ],
        false => &[None],
    };
    let mut all = Vec::new();
    for (d, decay) in [Decay::Coupled, Decay::Decoupled, Decay::Modulated].into_iter().enumerate() {
        for (s, sensing) in sensings.iter().enumerate() {
            // SGD's three kinds meet each sensing in turn.
            let momentum = [(0.0, false), (0.9, false), (0.9, true)][(d + s) % 3];
            let beta1 = if s % 3 == 1 { 0.3 } else { 0.9 };
            let average = [Some(0.99), None, Some(0.25)][s % 3];
            let family = variant.family;
            all.push(Group { family, decay, beta1, momentum, sensing: *sensing, kept, average });
        }
    }
    all.chunks(12).map(<[Group]>::to_vec).collect()
}

impl Group {
    pub fn sage<F: Float>(&self) -> Sage<F> {
        match self.family {
            Family::Sgd | Family::ReleasedAdamax => Sage::uncorrected(0.75, 1e-12),
            _ => Sage::new(0.75, 1e-12, STEP),
        }
    }

    pub fn sensing<'a, F>(&self, sage: &'a Sage<F>) -> Sensing<'a, F> {
        match (self.kept, self.sensing) {
            (false, _) => Sensing::Off,
            (true, None) => Sensing::Watch(sage),
            (true, Some(modulation)) => Sensing::Modulate(sage, modulation),
        }
    }

    fn common(&self, factor: f64) -> Common {
        Common { rate: RATE, decay: self.decay, weight_decay: 0.1, gradient_factor: factor }
    }

    fn betas(&self) -> [f64; 2] {
        [self.beta1, 0.98]
    }

    fn released(&self, factor: f64) -> ReleasedStep {
        ReleasedStep {
            base_rate: RATE,
            multiplier: 0.5,
            weight_decay: 0.1,
            gradient_factor: factor,
            betas: self.betas(),
            epsilon: 1e-6,
            step: STEP,
        }
    }

    /// The constants and the scalar rule, made of the same step.
    pub fn rule<F: Float>(&self, factor: f64) -> (Constants<F>, Apply<F>) {
        let (common, isa) = (self.common(factor), Isa::baseline());
        let (betas, released) = (self.betas(), self.released(factor));
        match self.family {
            Family::Sgd => {
                let (momentum, nesterov) = self.momentum;
                let rule = Sgd::new(&SgdStep { common, momentum, nesterov });
                (Constants::sgd(&rule), Box::new(move |sensing, block| rule.apply(isa, sensing, block)))
            }
            Family::Adam => {
                let rule = Adam::new(&AdamStep { common, betas, epsilon: 1e-8, step: STEP });
                (Constants::adam(&rule), Box::new(move |sensing, block| rule.apply(isa, sensing, block)))
            }
            Family::Adamax => {
                let rule = Adamax::new(&AdamaxStep { common, betas, epsilon: 1e-8, step: STEP });
                (Constants::adamax(&rule), Box::new(move |sensing, block| rule.apply(isa, sensing, block)))
            }
            Family::ReleasedAdamW => {
                let rule = ReleasedAdamW::new(&released);
                (
                    Constants::released_adamw(&rule),
                    Box::new(move |sensing, block| rule.apply(isa, sensing, block)),
                )
            }
            Family::ReleasedAdamax => {
                let rule = ReleasedAdamax::new(&released);
                (
                    Constants::released_adamax(&rule),
                    Box::new(move |sensing, block| rule.apply(isa, sensing, block)),
                )
            }
        }
    }

    /// What a launch is told.
    pub fn constants<F: Float>(&self, factor: f64) -> Constants<F> {
        let sage = self.sage();
        let average = self.average.map(sagetrain_kernels::Average::new);
        self.rule(factor).0.sensing(self.sensing(&sage)).averaging(average.as_ref()).noise(SEED, STEP)
    }
}
