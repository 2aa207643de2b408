//! Dropout whose mask is a function of (seed, step, stream, element).

use tch::Tensor;

use crate::check;
use crate::composed::{self, is_composed};
use crate::error::TorchError;
use crate::ffi;
use crate::philox::Philox;

/// Elements that share 16 Philox counters: 4 words × 2 halves each.
pub(crate) const GROUP: usize = 128;

/// Mask elements of one query over that many keys.
pub(crate) fn padded_keys(keys: i64) -> i64 {
    (keys + 15) / 16 * 16
}

/// Dropout of one place in one forward pass (Srivastava et al., JMLR 15, 2014; inverted scaling).
///
/// Element `e` (row-major, of the whole tensor) is dropped when its 16-bit draw is below `round(p · 65536)`; what stays is scaled by
/// the reciprocal of the exact share kept, `1 / (1 − round(p · 65536) / 65536)`. The draw is half `e % 2` of word `(e % 128) / 32` of
/// Philox counter `(e / 128) · 16 + (e % 32) / 2`, so that vectors of counters give vectors of neighbouring elements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Probability of dropping, in [0, 1).
    pub p: f64,
    /// The run's seed.
    pub seed: u64,
    /// Counts forward passes (micro-batches).
    pub step: u64,
    /// Tells places in the model apart.
    pub stream: u32,
}

impl Dropout {
    pub(crate) fn check(&self, op: &'static str) -> Result<(), TorchError> {
        if (0.0..1.0).contains(&self.p) {
            return Ok(());
        }
        let expected = "a probability in [0, 1)".to_string();
        Err(TorchError::Argument { op, name: "dropout.p", found: self.p.to_string(), expected })
    }

    /// The draws below this are dropped.
    pub fn threshold(&self) -> u32 {
        ((self.p * 65536.0).round() as u32).min(65535)
    }

    /// What kept elements are multiplied by.
    pub fn scale(&self) -> f32 {
        (65536.0 / f64::from(65536 - self.threshold())) as f32
    }

    /// The factor, 0 or [`Dropout::scale`], of each of the first `elements` elements: the definition, for tests and other back ends.
    pub fn factors(&self, elements: usize) -> Vec<f32> {
        let philox = Philox { seed: self.seed, step: self.step, stream: self.stream };
        let mut factors = vec![0.0; elements];
        for (group, chunk) in factors.chunks_mut(GROUP).enumerate() {
            let words: [[u32; 4]; 16] = std::array::from_fn(|lane| philox.words((group * 16 + lane) as u32));
            for (r, factor) in chunk.iter_mut().enumerate() {
                let draw = (words[(r % 32) / 2][r / 32] >> (16 * (r % 2))) & 0xffff;
                *factor = if draw < self.threshold() { 0.0 } else { self.scale() };
            }
        }
        factors
    }
}

/// `x` with elements dropped; `x` itself without dropout or with p = 0. Any shape, float32 or a 16-bit float.
///
/// Errors: `ERR_ARGUMENT` for p outside [0, 1), `ERR_TORCH`; on a GPU `ERR_CUDA` where the mask's kernel cannot be had.
pub fn dropout(x: &Tensor, dropout: Option<Dropout>) -> Result<Tensor, TorchError> {
    check::float("dropout", "x", x)?;
    check::same_device("dropout", x, &[])?;
    match effective("dropout", dropout)? {
        dropout if is_composed(x) => composed::rows::drop_add(x, None, dropout),
        Some(dropout) => ffi::drop_add("dropout", x, None, Some(dropout)),
        None => Ok(x.shallow_clone()),
    }
}

/// The dropout that drops anything, checked.
pub(crate) fn effective(op: &'static str, dropout: Option<Dropout>) -> Result<Option<Dropout>, TorchError> {
    if let Some(dropout) = &dropout {
        dropout.check(op)?;
    }
    Ok(dropout.filter(|dropout| dropout.threshold() > 0))
}
