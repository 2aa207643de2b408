//! The losses of heads that say one thing about a sample: a class or a number.

use tch::{Kind, Reduction, Tensor};

use crate::error::Result;
use crate::model::Loss;

/// Cross-entropy of logits `[samples, classes]` and labels int64 `[samples]`, summed. `smoothing` is spread over the other classes.
pub fn classification_loss(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Result<Loss> {
    let classes = logits.size()[1] as f64;
    let nll = cross_entropy(logits, labels, 0.0)?;
    let sum = match smoothing {
        0.0 => nll.shallow_clone(),
        // PyTorch spreads ε over all classes, here it is spread over the others.
        _ => cross_entropy(logits, labels, smoothing * classes / (classes - 1.0))?,
    };
    let correct = logits.f_argmax(1, false)?.f_eq_tensor(labels)?.f_sum(Kind::Int64)?;
    Ok(Loss { sum, nll: nll.f_detach()?, count: logits.size()[0], correct: Some(correct), smoothness: None })
}

/// The squared error of numbers `[samples, 1]`, summed; its `nll` is the same.
pub fn regression_loss(found: &Tensor, target: &Tensor) -> Result<Loss> {
    let sum = found.f_mse_loss(target, Reduction::Sum)?;
    Ok(Loss { nll: sum.f_detach()?, sum, count: found.size()[0], correct: None, smoothness: None })
}

fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Result<Tensor> {
    Ok(logits.f_cross_entropy_loss(labels, None::<&Tensor>, Reduction::Sum, -100, smoothing)?)
}
