//! Residual connections, layer norm and dropout against the plain composition in float64.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod plain;

use plain::{assert_close, normal, tolerance, with_gradients};
use sagetrain_torch::{Dropout, Precision, dropout, layer_norm, residual_add, residual_norm, set_threads};
use tch::{Kind, Tensor};

const PRECISIONS: [Precision; 3] = [Precision::Float32, Precision::Bfloat16, Precision::Float16];
/// Widths of whole vectors and of no whole one; the last row's mask ends inside a group.
const SHAPES: [[i64; 2]; 5] = [[1, 1], [3, 5], [33, 16], [70, 100], [129, 256]];
const DROPOUT: Dropout = Dropout { p: 0.3, seed: 11, step: 5, stream: 2 };

fn compare(
    label: &str,
    precision: Precision,
    inputs: &[&Tensor],
    fused: impl Fn(&[Tensor]) -> Tensor,
    plain: impl Fn(&[Tensor]) -> Tensor,
) {
    let (found, expected) = (with_gradients(inputs, false, fused), with_gradients(inputs, true, plain));
    assert_eq!(found[0].kind(), precision.kind());
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_close(&format!("{label} {i}"), found, expected, 2.0 * tolerance(precision));
    }
}

#[test]
fn residual_norm_equals_the_plain_composition() {
    set_threads(2).unwrap();
    for (precision, shape, dropout) in cases() {
        let kind = precision.kind();
        let (x, residual) = (normal(&shape, 1).to_kind(kind), normal(&shape, 2).to_kind(kind));
        let (gamma, beta) = (normal(&shape[1..], 3) + 1.0, normal(&shape[1..], 4));
        let label = format!("{precision:?} {shape:?} {dropout:?}");
        // A single column normalises to zero whatever it is: only eps keeps the division defined.
        let eps = if shape[1] == 1 { 0.1 } else { 1e-5 };
        compare(
            &label,
            precision,
            &[&x, &residual, &gamma, &beta],
            |t| residual_norm(&t[0], &t[1], &t[2], &t[3], eps, dropout).unwrap(),
            |t| plain::layer_norm(&plain::residual_add(&t[0], &t[1], dropout), &t[2], &t[3], eps),
        );
    }
}

#[test]
fn residual_add_equals_the_plain_composition() {
    set_threads(2).unwrap();
    for (precision, shape, dropout) in cases() {
        let (x, residual) =
            (normal(&shape, 1).to_kind(precision.kind()), normal(&shape, 2).to_kind(precision.kind()));
        compare(
            &format!("{precision:?} {shape:?} {dropout:?}"),
            precision,
            &[&x, &residual],
            |t| residual_add(&t[0], &t[1], dropout).unwrap(),
            |t| plain::residual_add(&t[0], &t[1], dropout),
        );
    }
}

#[test]
fn layer_norm_equals_the_plain_composition() {
    set_threads(2).unwrap();
    for (precision, shape, _) in cases() {
        let (x, gamma, beta) =
            (normal(&shape, 1).to_kind(precision.kind()), normal(&shape[1..], 3), normal(&shape[1..], 4));
        compare(
            &format!("{precision:?} {shape:?}"),
            precision,
            &[&x, &gamma, &beta],
            |t| layer_norm(&t[0], &t[1], &t[2], 0.1).unwrap(),
            |t| plain::layer_norm(&t[0], &t[1], &t[2], 0.1),
        );
    }
}

fn cases() -> impl Iterator<Item = (Precision, [i64; 2], Option<Dropout>)> {
    let shapes = || SHAPES.into_iter().flat_map(|shape| [(shape, None), (shape, Some(DROPOUT))]);
    PRECISIONS
        .into_iter()
        .flat_map(move |precision| shapes().map(move |(shape, dropout)| (precision, shape, dropout)))
}

#[test]
fn a_mask_is_its_definition_forward_and_backward() {
    for (shape, kind) in [([1000, 77], Kind::Float), ([64, 128], Kind::BFloat16)] {
        let ones = Tensor::ones(shape, (kind, tch::Device::Cpu));
        let expected = plain::factors(Some(DROPOUT), &shape).to_kind(kind);
        let run = with_gradients(&[&ones], false, |t| dropout(&t[0], Some(DROPOUT)).unwrap());
        assert_eq!(run[0], expected);
        let gradient = normal(&shape, 99).to_kind(kind);
        assert_close("gradient", &run[1], &(gradient * expected), 1e-2);
    }
}

#[test]
fn the_share_kept_is_the_one_asked_for() {
    let ones = Tensor::ones([1000, 1000], (Kind::Float, tch::Device::Cpu));
    for p in [0.1, 0.5, 0.9] {
        let kept = dropout(&ones, Some(Dropout { p, ..DROPOUT })).unwrap();
        let share = kept.not_equal(0.0).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
        let (mean, deviation) = (kept.mean(Kind::Double).double_value(&[]), (p * (1.0 - p) / 1e6).sqrt());
        assert!((share - (1.0 - p)).abs() < 5.0 * deviation, "p {p}: kept {share}");
        assert!((mean - 1.0).abs() < 5.0 * deviation / (1.0 - p) + 1e-5, "p {p}: mean {mean}");
    }
}

#[test]
fn seed_step_and_stream_each_change_the_mask() {
    let factors = |dropout: Dropout| dropout.factors(4096);
    let base = factors(DROPOUT);
    for other in [
        Dropout { seed: DROPOUT.seed + (1 << 40), ..DROPOUT },
        Dropout { step: DROPOUT.step + 1, ..DROPOUT },
        Dropout { stream: DROPOUT.stream + 1, ..DROPOUT },
    ] {
        assert_ne!(base, factors(other));
    }
    assert_eq!(base, factors(DROPOUT));
}

#[test]
fn nothing_dropped_is_the_tensor_itself() {
    let x = normal(&[4, 4], 1);
    for none in [None, Some(Dropout { p: 0.0, ..DROPOUT })] {
        assert_eq!(dropout(&x, none).unwrap().data_ptr(), x.data_ptr());
    }
}

#[test]
fn no_rows_are_fine() {
    let empty = Tensor::zeros([0, 16], (Kind::Float, tch::Device::Cpu));
    let (gamma, beta) = (normal(&[16], 1), normal(&[16], 2));
    let run = with_gradients(&[&empty, &gamma, &beta], false, |t| {
        residual_norm(&t[0], &t[0], &t[1], &t[2], 1e-5, Some(DROPOUT)).unwrap()
    });
    assert_eq!(run[0].size(), [0, 16]);
    assert_eq!(run[2].abs().sum(Kind::Float).double_value(&[]), 0.0);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (x, gamma, beta) = (normal(&[1001, 96], 1), normal(&[96], 3), normal(&[96], 4));
    let run = |threads| {
        set_threads(threads).unwrap();
        with_gradients(&[&x, &gamma, &beta], false, |t| {
            residual_norm(&t[0], &x, &t[1], &t[2], 1e-5, Some(DROPOUT)).unwrap()
        })
    };
    for (one, other) in run(1).iter().zip(&run(2)) {
        assert_eq!(one, other);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (x, gamma) = (normal(&[4, 8], 1), normal(&[8], 2));
    let wide = Dropout { p: 1.0, ..DROPOUT };
    assert_eq!(layer_norm(&x, &gamma, &normal(&[7], 1), 1e-5).unwrap_err().code(), "ERR_SHAPE");
    assert_eq!(layer_norm(&normal(&[8], 1), &gamma, &gamma, 1e-5).unwrap_err().code(), "ERR_SHAPE");
    assert_eq!(residual_add(&x, &normal(&[5, 8], 1), None).unwrap_err().code(), "ERR_SHAPE");
    assert_eq!(residual_add(&x, &x.to_kind(Kind::Half), None).unwrap_err().code(), "ERR_DTYPE");
    assert_eq!(dropout(&x, Some(wide)).unwrap_err().code(), "ERR_ARGUMENT");
    assert_eq!(residual_norm(&x, &x, &gamma, &gamma, 1e-5, Some(wide)).unwrap_err().code(), "ERR_ARGUMENT");
    assert_eq!(dropout(&x.to_kind(Kind::Int64), Some(DROPOUT)).unwrap_err().code(), "ERR_DTYPE");
}
