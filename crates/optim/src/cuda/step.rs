//! The numbers of one step.

use crate::cuda::batch::Class;
use crate::cuda::tables::Tables;
use crate::options::NonFinite;
use crate::precision::Keeping;
use crate::progress::Progress;
use crate::resolved::{Asked, Resolved};
use crate::rule::Now;
use sagetrain_kernels::cuda::{Constants, Judge};
use sagetrain_kernels::{Average, Float, Stored};

/// What a step's launches are told. It holds for the tables there were when it was made.
#[derive(Clone, Debug)]
pub struct DeviceStep<F> {
    /// t, from 1.
    pub step: u64,
    /// Learning rate × multiplier, for parameters whose group has no rate of its own.
    pub lr: f64,
    /// The constants of each of [`Tables::plans`], by group.
    pub constants: Vec<Vec<Constants<F>>>,
    /// What is to become of the sums of squares; `None` where nobody reads the gradients, and launches get no verdict.
    pub norm: Option<Norm>,
}

/// What makes a verdict of sums of squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// 1 / (divisor × loss scale).
    pub unscale: f64,
    /// The norm to clip to, ∞ for none.
    pub max_norm: f64,
    /// The largest number of the type computed in.
    pub largest: f64,
    /// Whether a gradient that is not finite keeps the step from being taken.
    pub checks: bool,
    /// Not 0 where that holds for every step after it too: what the verdict then has in `skip`.
    pub sticky: u32,
}

impl Norm {
    /// The task of [`Kernels::judge`](sagetrain_kernels::cuda::Kernels::judge), by addresses.
    pub fn judge(&self, sums: u64, count: u64, verdict: u64) -> Judge {
        let Self { unscale, max_norm, largest, checks, sticky } = *self;
        Judge { sums, verdict, count, unscale, max_norm, largest, checks: checks.into(), sticky }
    }
}

/// `since` is the step at which the verdict was last cleared.
pub(crate) fn numbers<S: Stored>(
    resolved: &Resolved<S>,
    progress: &Progress<S::Compute>,
    tables: &Tables,
    asked: Asked,
    since: u64,
) -> DeviceStep<S::Compute> {
    let (step, Asked { unscale, multiplier }) = (progress.step + 1, asked);
    let rules = resolved.rules(Now { step, multiplier, factor: unscale.factor() });
    let average = resolved.options.average.map(|average| Average::new(average.decay));
    let constants = |class: &Class| {
        let constants = rules[class.group].constants();
        let constants = constants.averaging(average.as_ref().filter(|_| !class.begins));
        match resolved.keeping {
            Keeping::Stochastic(seed) => constants.noise(seed, step),
            _ => constants,
        }
    };
    let checks = resolved.options.non_finite != NonFinite::Unchecked;
    let sticky = match resolved.options.non_finite {
        NonFinite::Error => u32::try_from(step - since).unwrap_or(u32::MAX),
        _ => 0,
    };
    let max_norm = resolved.options.max_gradient_norm.unwrap_or(f64::INFINITY);
    let largest = S::Compute::MAX.to_f64();
    let norm = Norm { unscale: unscale.factor(), max_norm, largest, checks, sticky };
    DeviceStep {
        step,
        lr: resolved.spec.lr() * multiplier,
        constants: tables.classes.iter().map(|classes| classes.iter().map(constants).collect()).collect(),
        norm: resolved.reads().then_some(norm),
    }
}
