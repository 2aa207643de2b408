//! Where the loops are compiled: here, once, for float32 and float64, and not again in every crate that takes a step.

use crate::adam::Adam;
use crate::adamax::Adamax;
use crate::average::Average;
use crate::isa::Isa;
use crate::pass::{self, Block};
use crate::probe::{self, Probe, Sight};
use crate::released::{ReleasedAdamW, ReleasedAdamax};
use crate::sage::Sensing;
use crate::sgd::{Kind, Sgd};

/// The loops of one type.
pub trait Compiled: Sized {
    #[doc(hidden)]
    fn sgd(rule: &Sgd<Self>, isa: Isa, sensing: Sensing<'_, Self>, block: Block<'_, Self>);
    #[doc(hidden)]
    fn adam(rule: &Adam<Self>, isa: Isa, sensing: Sensing<'_, Self>, block: Block<'_, Self>);
    #[doc(hidden)]
    fn adamax(rule: &Adamax<Self>, isa: Isa, sensing: Sensing<'_, Self>, block: Block<'_, Self>);
    #[doc(hidden)]
    fn released_adamw(
        rule: &ReleasedAdamW<Self>,
        isa: Isa,
        sensing: Sensing<'_, Self>,
        block: Block<'_, Self>,
    );
    #[doc(hidden)]
    fn released_adamax(
        rule: &ReleasedAdamax<Self>,
        isa: Isa,
        sensing: Sensing<'_, Self>,
        block: Block<'_, Self>,
    );
    #[doc(hidden)]
    fn look(isa: Isa, sensing: Sensing<'_, Self>, sight: Sight<'_, Self>, probe: Probe<'_, Self>);
    #[doc(hidden)]
    fn average(rule: &Average<Self>, isa: Isa, parameter: &[Self], average: &mut [Self]);
}

macro_rules! compiled {
    ($float:ident) => {
        impl Compiled for $float {
            fn sgd(rule: &Sgd<Self>, isa: Isa, sensing: Sensing<'_, Self>, block: Block<'_, Self>) {
                match &rule.0 {
                    Kind::Plain(rule) => rule.run(isa, sensing, block),
                    Kind::Momentum(rule) => rule.run(isa, sensing, block),
                    Kind::Nesterov(rule) => rule.run(isa, sensing, block),
                }
            }
            fn adam(rule: &Adam<Self>, isa: Isa, sensing: Sensing<'_, Self>, block: Block<'_, Self>) {
                rule.0.run(isa, sensing, block);
            }
            fn adamax(rule: &Adamax<Self>, isa: Isa, sensing: Sensing<'_, Self>, block: Block<'_, Self>) {
                rule.0.run(isa, sensing, block);
            }
            fn released_adamw(
                rule: &ReleasedAdamW<Self>,
                isa: Isa,
                sensing: Sensing<'_, Self>,
                block: Block<'_, Self>,
            ) {
                pass::run_released(isa, *rule, sensing, block);
            }
            fn released_adamax(
                rule: &ReleasedAdamax<Self>,
                isa: Isa,
                sensing: Sensing<'_, Self>,
                block: Block<'_, Self>,
            ) {
                pass::run_released(isa, *rule, sensing, block);
            }
            fn look(isa: Isa, sensing: Sensing<'_, Self>, sight: Sight<'_, Self>, probe: Probe<'_, Self>) {
                probe::run(isa, sensing, sight, probe);
            }
            fn average(rule: &Average<Self>, isa: Isa, parameter: &[Self], average: &mut [Self]) {
                rule.run(isa, parameter, average);
            }
        }
    };
}

compiled!(f32);
compiled!(f64);
