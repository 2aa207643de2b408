//! SMART's smoothness (Jiang et al., ACL 2020, arXiv 1911.03437): what a model says should hardly change where its embeddings do.
//!
//! The perturbation is that of the code that came with SAGE (MT-DNN's): noise, moved up a gradient and divided by its own norm, token by
//! token. It is added to the embeddings as they enter the layers; that code sends them through the embeddings' sums and norm a second time,
//! which MT-DNN's issue 230 calls a bug. SMART's other half, the proximal point, is not in that code and not here.

use sagetrain_torch::{Philox, normal_like};
use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use crate::error::{ModelError, Result};
use crate::head_spec::HeadKind;
use crate::model::Forward;

/// How a token's perturbation is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PerturbationNorm {
    /// By its largest magnitude.
    #[default]
    Infinity,
    /// By its length.
    Euclidean,
}

/// The regularisation's settings; the defaults are those of the code that came with SAGE.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Smoothness {
    /// What the term is multiplied with beside the loss.
    pub weight: f64,
    /// Standard deviation of the noise that a perturbation begins as.
    pub noise: f64,
    /// What the gradient is multiplied with in an ascent step.
    pub step_size: f64,
    /// Ascent steps, each with a forward and a backward pass.
    pub steps: u32,
    /// What a token's perturbation measures in the end.
    pub radius: f64,
    /// How it is measured.
    pub norm: PerturbationNorm,
}

impl Default for Smoothness {
    fn default() -> Self {
        let norm = PerturbationNorm::default();
        Self { weight: 1.0, noise: 1e-5, step_size: 1e-5, steps: 1, radius: 1.0, norm }
    }
}

/// How far apart what a model says of its embeddings and of perturbed ones is.
#[derive(Debug)]
pub struct SmoothnessTerm {
    /// Summed over samples: a differentiable float32 scalar.
    pub sum: Tensor,
    /// What it is multiplied with beside the loss.
    pub weight: f64,
    /// Whether a perturbation holds NaN though all that is said of the embeddings is finite: a bool scalar.
    pub lost: Tensor,
}

/// As many steps have random numbers of their own.
const MOST_STEPS: u32 = 1000;
/// Keeps divisions by a norm, and logarithms of odds, finite.
const GUARD: f64 = 1e-6;
/// The noise's stream of random numbers, which no site of dropout has.
const STREAM: u32 = u32::MAX;

impl Smoothness {
    /// Refuses, by `ERR_CONFIG` and the setting's path, a value that cannot be.
    pub fn check(&self, path: &str) -> Result<()> {
        let refuse = |key: &str, problem: String| Err(ModelError::spec(format!("{path}.{key}"), problem));
        let Self { weight, noise, step_size, radius, steps, .. } = *self;
        for (key, value) in
            [("weight", weight), ("noise", noise), ("stepSize", step_size), ("radius", radius)]
        {
            if !(value.is_finite() && value > 0.0) {
                return refuse(key, format!("{value} is out of range; give a finite number above 0"));
            }
        }
        if !(1..=MOST_STEPS).contains(&steps) {
            return refuse(
                "steps",
                format!("{steps} is out of range; give a whole number from 1 to {MOST_STEPS}"),
            );
        }
        Ok(())
    }

    /// The term around `embeddings` `[tokens, width]`, beside what is said of the sequences without it (`clean`). `say` gives the outputs of
    /// embeddings, the n-th time with the n-th dropout.
    pub(crate) fn term(
        &self,
        kind: HeadKind,
        embeddings: &Tensor,
        clean: &Tensor,
        forward: &Forward,
        mut say: impl FnMut(Tensor, u32) -> Result<Tensor>,
    ) -> Result<SmoothnessTerm> {
        let (fixed, target) = (embeddings.f_detach()?, clean.f_detach()?);
        let mut perturbation = self.noise(&fixed, forward)?;
        for step in 0..self.steps {
            let free = perturbation.f_detach()?.f_set_requires_grad(true)?;
            let apart = ascended(kind, &say(perturbed(&fixed, &free)?, step)?, &target)?;
            // Scaled as the loss is, so that 16-bit gradients do not vanish.
            let apart = apart.f_mul_scalar(forward.loss_scale)?;
            let stride = gradient(&apart, &free)?.f_mul_scalar(self.step_size / forward.loss_scale)?;
            perturbation = self.scaled(&perturbation.f_add(&stride)?)?;
        }
        let said = say(perturbed(embeddings, &perturbation)?, self.steps)?;
        let lost = is_finite(&target)?.f_logical_and(&is_finite(&perturbation)?.f_logical_not()?)?;
        Ok(SmoothnessTerm { sum: divergence(kind, clean, &said)?, weight: self.weight, lost })
    }

    fn noise(&self, embeddings: &Tensor, forward: &Forward) -> Result<Tensor> {
        let philox = Philox { seed: forward.seed, step: forward.step, stream: STREAM };
        Ok(normal_like(embeddings, &philox)?.f_mul_scalar(self.noise)?)
    }

    /// With every token's perturbation of the size `radius`.
    fn scaled(&self, perturbation: &Tensor) -> Result<Tensor> {
        let size = match self.norm {
            PerturbationNorm::Infinity => perturbation.f_abs()?.f_amax([-1].as_slice(), true)?,
            PerturbationNorm::Euclidean => perturbation.f_norm_scalaropt_dim(2.0, [-1].as_slice(), true)?,
        }; // [tokens, 1]
        Ok(perturbation.f_div(&size.f_add_scalar(GUARD)?)?.f_mul_scalar(self.radius)?)
    }
}

/// Of `apart` by `free`; the graph between them is freed.
fn gradient(apart: &Tensor, free: &Tensor) -> Result<Tensor> {
    // libtorch's own check dereferences the graph that is missing.
    if !apart.requires_grad() {
        return Err(ModelError::spec(
            "smoothness",
            "ascends a gradient, and gradients are off on this thread",
        ));
    }
    Ok(Tensor::f_run_backward(&[apart], &[free], false, false)?.remove(0))
}

/// In the format of the embeddings; the perturbation is float32.
fn perturbed(embeddings: &Tensor, perturbation: &Tensor) -> Result<Tensor> {
    Ok(embeddings.f_add(perturbation)?.f_to_kind(embeddings.f_kind()?)?)
}

/// Whether every number is: a bool scalar.
fn is_finite(numbers: &Tensor) -> Result<Tensor> {
    Ok(numbers.f_sum(Kind::Double)?.f_isfinite()?)
}

/// What a perturbation ascends, summed over samples: Kullback and Leibler's divergence from the `target`, its logarithms constant and kept
/// finite, as in that code; the squared error of numbers.
fn ascended(kind: HeadKind, said: &Tensor, target: &Tensor) -> Result<Tensor> {
    if kind == HeadKind::Regression {
        return Ok(said.f_mse_loss(target, Reduction::Sum)?);
    }
    let (p, q) = (said.f_softmax(-1, Kind::Float)?, target.f_softmax(-1, Kind::Float)?);
    let log_odds = |p: &Tensor| -> Result<Tensor> {
        let odds_against = p.f_detach()?.f_add_scalar(GUARD)?.f_reciprocal()?.f_add_scalar(GUARD - 1.0)?;
        // Its value at p = 1, below which rounding alone can bring it.
        Ok(odds_against.f_clamp_min(GUARD * GUARD)?.f_log()?.f_neg()?)
    };
    let apart = log_odds(&p)?.f_sub(&log_odds(&q)?)?;
    Ok(p.f_mul(&apart)?.f_sum(Kind::Float)?.f_mul_scalar(2.0)?)
}

/// The term, summed over samples: Kullback and Leibler's divergence both ways, a distribution constant where it is the target; the squared
/// error of numbers.
fn divergence(kind: HeadKind, clean: &Tensor, said: &Tensor) -> Result<Tensor> {
    if kind == HeadKind::Regression {
        return Ok(said.f_mse_loss(clean, Reduction::Sum)?);
    }
    let one_way = |input: &Tensor, target: &Tensor| -> Result<Tensor> {
        let target = target.f_detach()?.f_log_softmax(-1, Kind::Float)?;
        Ok(input.f_log_softmax(-1, Kind::Float)?.f_kl_div(&target, Reduction::Sum, true)?)
    };
    Ok(one_way(said, clean)?.f_add(&one_way(clean, said)?)?)
}
