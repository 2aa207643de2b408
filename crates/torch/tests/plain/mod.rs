//! The fused operations as compositions of libtorch's own, and how to compare the two.
#![allow(dead_code, reason = "each test file uses its part")]

use sagetrain_torch::{Activation, Dropout, Precision};
use tch::{Kind, Reduction, Tensor};

/// Draws `shape` from the standard normal distribution; the same numbers for the same seed.
pub fn normal(shape: &[i64], seed: u64) -> Tensor {
    let mut values = vec![0f32; shape.iter().product::<i64>() as usize];
    sagetrain_torch::Philox { seed, step: 0, stream: 0 }.fill_normal(&mut values);
    Tensor::from_slice(&values).reshape(shape)
}

/// A leaf with the same values, for gradients.
pub fn leaf(tensor: &Tensor) -> Tensor {
    tensor.detach().copy().set_requires_grad(true)
}

pub fn linear(x: &Tensor, layers: &[(&Tensor, Option<&Tensor>)], activation: Activation) -> Tensor {
    let outputs: Vec<Tensor> = layers.iter().map(|(weight, bias)| x.linear(weight, *bias)).collect();
    let all = Tensor::cat(&outputs, 1);
    match activation {
        Activation::None => all,
        Activation::Relu => all.relu(),
        Activation::Gelu => all.gelu("none"),
        Activation::Swish => all.silu(),
        Activation::GeluTanh => all.gelu("tanh"),
    }
}

/// (loss, nll) as sums over tokens.
pub fn cross_entropy(
    hidden: &Tensor,
    table: &Tensor,
    bias: Option<&Tensor>,
    targets: &Tensor,
    smoothing: f64,
) -> (Tensor, Tensor) {
    let log_probabilities = hidden.linear(table, bias).log_softmax(-1, hidden.kind());
    let nll = log_probabilities.nll_loss_nd(targets, None::<&Tensor>, Reduction::Sum, -100);
    let spread = smoothing / (table.size()[0] - 1) as f64;
    let all = -log_probabilities.sum(hidden.kind());
    (&nll * (1.0 - smoothing - spread) + all * spread, nll)
}

/// The largest difference, relative to the largest element of what is expected.
pub fn error(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    if expected.numel() == 0 {
        return 0.0;
    }
    let difference = (found.to_kind(Kind::Double) - expected.to_kind(Kind::Double)).abs().max();
    let scale = expected.to_kind(Kind::Double).abs().max().double_value(&[]).max(1e-12);
    difference.double_value(&[]) / scale
}

/// What rounding may cost in each precision.
pub fn tolerance(precision: Precision) -> f64 {
    match precision {
        Precision::Float32 => 2e-5,
        Precision::Bfloat16 => 2e-2,
        Precision::Float16 => 4e-3,
    }
}

#[track_caller]
pub fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    let error = error(found, expected);
    assert!(error <= tolerance, "{what}: off by {error:.3e}, allowed {tolerance:.0e}");
}

/// Runs the backward pass of `output` with a fixed gradient, the same for the same shape.
pub fn backward(output: &Tensor) {
    let gradient = normal(&output.size(), 99).to_kind(output.kind());
    (output * gradient).sum(output.kind()).backward();
}

/// The factor of each element of `shape` by the definition.
pub fn factors(dropout: Option<Dropout>, shape: &[i64]) -> Tensor {
    let elements = shape.iter().product::<i64>() as usize;
    let factors = dropout.map_or(vec![1.0; elements], |dropout| dropout.factors(elements));
    Tensor::from_slice(&factors).reshape(shape)
}

pub fn residual_add(x: &Tensor, residual: &Tensor, dropout: Option<Dropout>) -> Tensor {
    x * factors(dropout, &x.size()) + residual
}

pub fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, eps: f64) -> Tensor {
    x.layer_norm(gamma.size(), Some(gamma), Some(beta), eps, false)
}

/// Leaves of these values, in double precision if asked for, the output of `run` on them and their gradients, output first.
pub fn with_gradients(inputs: &[&Tensor], double: bool, run: impl Fn(&[Tensor]) -> Tensor) -> Vec<Tensor> {
    let prepare = |input: &&Tensor| if double { leaf(&input.to_kind(Kind::Double)) } else { leaf(input) };
    let leaves: Vec<Tensor> = inputs.iter().map(prepare).collect();
    let output = run(&leaves);
    backward(&output);
    std::iter::once(output).chain(leaves.iter().map(Tensor::grad)).collect()
}
