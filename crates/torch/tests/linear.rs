//! Fully connected layers against the plain composition in float64.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod plain;

use plain::{assert_close, backward, leaf, normal, tolerance};
use sagetrain_torch::{Activation, Precision, linear, set_threads};
use tch::{Kind, Tensor};

const PRECISIONS: [Precision; 3] = [Precision::Float32, Precision::Bfloat16, Precision::Float16];

/// Layers of these widths over `[tokens, width]`, the first with a bias; compares the output and every gradient.
fn compare(tokens: i64, width: i64, outs: &[i64], activation: Activation, precision: Precision) {
    let x = normal(&[tokens, width], 1).to_kind(precision.kind());
    // Rounded beforehand, or rounding would move values near zero to ReLU's other side.
    let weight = |out| {
        (normal(&[out, width], out as u64) / (width as f64).sqrt())
            .to_kind(Kind::BFloat16)
            .to_kind(Kind::Float)
    };
    let weights: Vec<Tensor> = outs.iter().map(|&out| weight(out)).collect();
    let biases: Vec<Option<Tensor>> =
        outs.iter().enumerate().map(|(i, &out)| (i != 1).then(|| normal(&[out], 50 + i as u64))).collect();
    let run = |kind: Option<Kind>| {
        let prepare = |t: &Tensor| leaf(&kind.map_or(t.shallow_clone(), |kind| t.to_kind(kind)));
        let x = prepare(&x);
        let weights: Vec<Tensor> = weights.iter().map(prepare).collect();
        let biases: Vec<Option<Tensor>> = biases.iter().map(|b| b.as_ref().map(prepare)).collect();
        let layers: Vec<_> = weights.iter().zip(&biases).map(|(w, b)| (w, b.as_ref())).collect();
        let y = match kind {
            Some(_) => plain::linear(&x, &layers, activation),
            None => linear(&x, &layers, activation, precision).unwrap(),
        };
        backward(&y);
        let gradients: Vec<Tensor> =
            std::iter::once(&x).chain(&weights).chain(biases.iter().flatten()).map(Tensor::grad).collect();
        (y, gradients)
    };
    let (found, expected) = (run(None), run(Some(Kind::Double)));
    let label = format!("{tokens} {width} {outs:?} {activation:?} {precision:?}");
    assert_eq!(found.0.kind(), precision.kind());
    assert_close(&label, &found.0, &expected.0, tolerance(precision));
    for (i, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        assert_close(&format!("{label} gradient {i}"), found, expected, 1.5 * tolerance(precision));
    }
}

#[test]
fn equals_the_plain_composition() {
    set_threads(2).unwrap();
    for precision in PRECISIONS {
        compare(200, 64, &[96], Activation::None, precision);
        compare(200, 64, &[96], Activation::Relu, precision);
        compare(200, 64, &[96], Activation::Gelu, precision);
        compare(200, 64, &[96], Activation::Swish, precision);
        compare(200, 64, &[96], Activation::GeluTanh, precision);
        compare(61, 48, &[64, 64, 64], Activation::None, precision);
        compare(1300, 32, &[16], Activation::Relu, precision);
    }
}

#[test]
fn sizes_that_fit_no_tile() {
    set_threads(2).unwrap();
    for precision in PRECISIONS {
        compare(1, 1, &[1], Activation::None, precision);
        compare(2, 3, &[5], Activation::Relu, precision);
        compare(37, 19, &[7, 33, 2], Activation::Gelu, precision);
        compare(37, 19, &[7, 33, 2], Activation::Swish, precision);
        compare(37, 19, &[7, 33, 2], Activation::GeluTanh, precision);
        compare(15, 1200, &[31], Activation::None, precision);
    }
}

#[test]
fn one_token_and_none() {
    compare(1, 64, &[64], Activation::Relu, Precision::Float32);
    let (x, w) = (leaf(&Tensor::zeros([0, 8], (Kind::Float, tch::Device::Cpu))), leaf(&normal(&[4, 8], 1)));
    let y = linear(&x, &[(&w, None)], Activation::None, Precision::Float32).unwrap();
    assert_eq!(y.size(), [0, 4]);
    y.sum(Kind::Float).backward();
    assert_eq!(w.grad().abs().sum(Kind::Float).double_value(&[]), 0.0);
}

#[test]
fn column_slices_need_no_copy() {
    let all = normal(&[50, 96], 3);
    let (slice, w) = (all.narrow(1, 32, 32), normal(&[16, 32], 4));
    let y = linear(&slice, &[(&w, None)], Activation::None, Precision::Float32).unwrap();
    assert_close("slice", &y, &slice.linear(&w, None::<&Tensor>), 1e-5);
}

#[test]
fn frozen_inputs_get_no_gradient() {
    let (x, w, b) = (normal(&[20, 8], 1), leaf(&normal(&[4, 8], 2)), normal(&[4], 3));
    linear(&x, &[(&w, Some(&b))], Activation::None, Precision::Float32).unwrap().sum(Kind::Float).backward();
    assert!(w.grad().defined() && !x.grad().defined() && !b.grad().defined());
}

#[test]
fn bits_do_not_depend_on_threads() {
    let run = |threads| {
        set_threads(threads).unwrap();
        let (x, w) = (leaf(&normal(&[333, 128], 1).to_kind(Kind::BFloat16)), leaf(&normal(&[300, 128], 2)));
        let y = linear(&x, &[(&w, None)], Activation::Relu, Precision::Bfloat16).unwrap();
        backward(&y);
        [y, x.grad(), w.grad()]
    };
    for (one, other) in run(1).iter().zip(&run(2)) {
        assert_eq!(one, other);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (x, w) = (normal(&[4, 8], 1), normal(&[3, 7], 2));
    let code = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
        linear(x, &[(w, b)], Activation::None, Precision::Float32).unwrap_err().code()
    };
    assert_eq!(code(&x, &w, None), "ERR_SHAPE");
    assert_eq!(code(&normal(&[8], 1), &w, None), "ERR_SHAPE");
    let w = normal(&[3, 8], 2);
    assert_eq!(code(&x, &w, Some(&normal(&[4], 3))), "ERR_SHAPE");
    assert_eq!(code(&x, &w.to_kind(Kind::BFloat16), None), "ERR_DTYPE");
    assert_eq!(code(&x.to_kind(Kind::Int64), &w, None), "ERR_DTYPE");
    assert_eq!(linear(&x, &[], Activation::None, Precision::Float32).unwrap_err().code(), "ERR_ARGUMENT");
}
