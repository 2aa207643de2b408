//! The update rules of sagetrain's optimizers: one pass over flat memory, no libtorch and no JavaScript.
//!
//! Sensitivity-guided adaptive learning rates (Liang et al., ICLR 2022), element-wise, with `θ` the parameter, `g` the
//! gradient and `t` the step from 1:
//!
//! ```text
//! I   = |θ g|                      sensitivity
//! E   ← β0 E + (1 − β0) I          its moving average
//! Î   = E / (1 − β0^t)
//! U   = |I − Î|                    local temporal variation
//! r   = (U + ε) / (Î + ε)          multiplies the learning rate
//! ```
//!
//! | | without `r`, it is |
//! |---|---|
//! | [`Sgd`] | b ← μ b + g, θ ← θ − η r b (Nesterov: θ − η r (g + μ b)); Î = E |
//! | [`Adam`] | m ← β1 m + (1 − β1) g, v ← β2 v + (1 − β2) g², θ ← θ − η r m̂ / (√v̂ + ε) |
//! | [`Adamax`] | u ← max(β2 u, \|g\| + ε), θ ← θ − η r m̂ / u |
//! | [`ReleasedAdamW`], [`ReleasedAdamax`] | those of the authors' code, with r = U / (Î + ε²) |
//!
//! [`Modulation`] has the ablations of r, [`Decay`] the places where weight decay enters: into g for all but I, before the step, or before it
//! and times r. Parameters may be [`bf16`] or [`f16`](struct@f16) ([`Stored`]): they are opened to float32 and closed again, from a master weight,
//! by chance ([`narrow_stochastically`]) or with Kahan's compensation. [`Average`] follows parameters, [`look`] sees what a step is
//! about to do, [`sum_of_squares`] is the norm's.
//!
//! Each rule is one scalar definition, generic over [`Float`]. The loop around it is compiled for AVX-512, AVX2 with FMA
//! and the baseline of the target, and picked at run time ([`Isa`]); every path gives the same bits, because a
//! product is fused with a sum exactly where the definition says `mul_add`, and nowhere else. The module `cuda` (feature `cuda`, on by
//! default) has the same rules as text for GPUs.
//!
//! ```
//! use sagetrain_kernels::{Adam, AdamStep, Block, Common, Decay, Isa, Sage, Sensing};
//!
//! let common = Common { rate: 1e-3, decay: Decay::Decoupled, weight_decay: 0.0, gradient_factor: 1.0 };
//! let adam = Adam::<f32>::new(&AdamStep { common, betas: [0.9, 0.999], epsilon: 1e-8, step: 1 });
//! let (mut theta, gradient) = ([0.5f32, -0.25], [0.1f32, 0.2]);
//! let (mut first, mut second, mut sensitivity) = ([0.0; 2], [0.0; 2], [0.0; 2]);
//! adam.apply(
//!     Isa::best(),
//!     Sensing::Modulate(&Sage::new(0.75, 1e-12, 1), Default::default()),
//!     Block {
//!         parameter: &mut theta,
//!         gradient: &gradient,
//!         first: &mut first,
//!         second: &mut second,
//!         sensitivity: &mut sensitivity,
//!     },
//! );
//! // The first step of Adam-SAGE has Î = I, hence U = 0: all but a null step.
//! assert!((theta[0] - 0.5).abs() < 1e-9);
//! ```
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod adam;
mod adamax;
mod average;
mod compiled;
#[cfg(all(feature = "cuda", unix))]
pub mod cuda;
mod decay;
mod divisor;
mod float;
mod isa;
mod moment;
mod noise;
mod norm;
mod pass;
mod precision;
mod probe;
mod released;
mod sage;
mod sgd;
mod statistics;
mod stored;

pub use adam::{Adam, AdamStep};
pub use adamax::{Adamax, AdamaxStep};
pub use average::Average;
pub use decay::{Common, Decay};
pub use float::Float;
pub use half::{bf16, f16};
pub use isa::Isa;
pub use noise::Noise;
pub use norm::{first_non_finite, scaled_norm, sum_of_squares};
pub use pass::Block;
pub use precision::{close_kahan, narrow, narrow_stochastically, open_kahan, open_master, widen};
pub use probe::{Probe, Sight, look};
pub use released::{ReleasedAdamW, ReleasedAdamax, ReleasedStep};
pub use sage::{Modulation, Sage, Sensing};
pub use sgd::{Sgd, SgdStep};
pub use statistics::{Histogram, Statistics};
pub use stored::Stored;

/// Elements a block: the unit in which sums are taken and work is handed to threads. Fixed, so that no result depends on
/// how many threads there are.
pub const BLOCK: usize = 16_384;
