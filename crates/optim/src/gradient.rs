//! The gradients of one step: their norm, whether they are finite, and the one factor they are all multiplied with.

use crate::error::{OptimError, Result};
use crate::executor::Executor;
use crate::parameter::ParameterInfo;
use crate::share::share;
use sagetrain_kernels::{BLOCK, Float, Isa, Stored, first_non_finite, scaled_norm, sum_of_squares};

/// torch's `clip_grad_norm_` has it in the denominator, so that a norm of 0 divides.
const CLIP_EPSILON: f64 = 1e-6;

/// What the gradients must be divided by before anything looks at them.
#[derive(Clone, Copy)]
pub(crate) struct Unscale(f64);

impl Unscale {
    /// Makes any gradient one that is not finite.
    pub const OVERFLOW: Self = Self(f64::INFINITY);

    /// 1 / (divisor × loss scale).
    pub fn new<F: Float>(divisor: f64, loss_scale: f64) -> Result<Self> {
        for (argument, value) in [("divisor", divisor), ("lossScale", loss_scale)] {
            if !(value > 0.0 && value.is_finite()) {
                let problem = format!("is {value}, must be a finite number above 0");
                return Err(OptimError::Argument { argument, problem });
            }
        }
        let factor = 1.0 / (divisor * loss_scale);
        let rounded = F::from_f64(factor).to_f64();
        if rounded.is_finite() && (rounded / factor - 1.0).abs() <= F::UNIT_ROUNDOFF * 2.0 {
            return Ok(Self(factor));
        }
        let problem = format!("{divisor} times lossScale {loss_scale} is out of the range of {}", F::DTYPE);
        Err(OptimError::Argument { argument: "divisor", problem })
    }

    /// The factor itself.
    #[cfg(unix)]
    pub fn factor(self) -> f64 {
        self.0
    }
}

/// What came of reading the gradients once.
pub(crate) struct Gradients {
    /// L2 norm after un-scaling and division, before clipping; `None` where nothing was read.
    pub norm: Option<f64>,
    /// Un-scaling, division and clipping in one.
    pub factor: f64,
}

impl Gradients {
    /// Without a look at them.
    pub fn unread(unscale: Unscale) -> Self {
        Self { norm: None, factor: unscale.0 }
    }

    /// Reads all gradients once, for their norm and the clipping factor.
    pub fn read<S: Stored>(
        isa: Isa,
        gradients: &[Option<&[S]>],
        unscale: Unscale,
        max_norm: Option<f64>,
        executor: &dyn Executor,
    ) -> Self {
        let norm = global_norm(isa, gradients, executor) * unscale.0;
        let clip = max_norm.map_or(1.0, |max| (max / (norm + CLIP_EPSILON)).min(1.0));
        Self { norm: Some(norm), factor: unscale.0 * clip }
    }

    /// The first gradient that is not finite or would not stay so, if any.
    pub fn first_bad<S: Stored>(
        &self,
        parameters: &[ParameterInfo],
        gradients: &[Option<&[S]>],
        step: u64,
    ) -> Option<OptimError> {
        // No element exceeds the norm, so a norm that fits proves every product finite.
        if self.norm.is_some_and(|norm| norm <= S::Compute::MAX.to_f64()) {
            return None;
        }
        let factor = S::Compute::from_f64(self.factor);
        let finite = |value: &S| (value.widen() * factor).is_finite();
        let scaled = |gradient: &[S]| gradient.iter().position(|value| !finite(value));
        let bad = |(gradient, parameter): (&Option<&[S]>, &ParameterInfo)| {
            let gradient = (*gradient)?;
            let index = first_non_finite(gradient).or_else(|| scaled(gradient))?;
            let value = gradient[index].widen().to_f64();
            Some(OptimError::NonFinite { step, name: parameter.name.clone(), index, value })
        };
        gradients.iter().zip(parameters).find_map(bad)
    }
}

/// √Σ g² over all gradients as they come: blocks in parallel, their sums added in order.
fn global_norm<S: Stored>(isa: Isa, gradients: &[Option<&[S]>], executor: &dyn Executor) -> f64 {
    let blocks = gradients.iter().flatten().flat_map(|gradient| gradient.chunks(BLOCK));
    let mut sums: Vec<(&[S], f64)> = blocks.map(|block| (block, 0.0)).collect();
    share(executor, &mut sums, |(block, _)| block.len(), &|(block, sum)| *sum = sum_of_squares(isa, block));
    let sum: f64 = sums.iter().map(|(_, sum)| sum).sum();
    let finite = |(block, _): &(&[S], f64)| first_non_finite(block).is_none();
    // Finite float64 gradients may have squares that are not.
    if sum == f64::INFINITY && sums.iter().all(finite) {
        return scaled_norm(&sums.iter().map(|(block, _)| *block).collect::<Vec<_>>());
    }
    sum.sqrt()
}
