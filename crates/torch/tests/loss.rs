//! Projected cross-entropy against the plain composition in float64.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod plain;

use plain::{assert_close, leaf, normal, tolerance};
use sagetrain_torch::{LossSums, Precision, Table, projected_cross_entropy, set_threads};
use tch::{Kind, Tensor};

fn targets(tokens: i64, classes: i64) -> Tensor {
    Tensor::from_slice(&(0..tokens).map(|i| (i * 7 + 3) % classes).collect::<Vec<_>>())
}

fn compare(tokens: i64, width: i64, classes: i64, smoothing: f64, biased: bool, precision: Precision) {
    let hidden = normal(&[tokens, width], 1).to_kind(precision.kind());
    let (table, bias) = (normal(&[classes, width], 2) / (width as f64).sqrt(), normal(&[classes], 3));
    let targets = targets(tokens, classes);
    let run = |kind: Option<Kind>| {
        let prepare = |t: &Tensor| leaf(&kind.map_or(t.shallow_clone(), |kind| t.to_kind(kind)));
        let (hidden, table, bias) = (prepare(&hidden), prepare(&table), biased.then(|| prepare(&bias)));
        let (loss, nll) = match kind {
            Some(_) => plain::cross_entropy(&hidden, &table, bias.as_ref(), &targets, smoothing),
            None => {
                let sums = projected_cross_entropy(
                    &hidden,
                    &table,
                    bias.as_ref(),
                    &targets,
                    smoothing,
                    precision,
                    1.0,
                );
                let LossSums { loss, nll } = sums.unwrap();
                (loss, nll)
            }
        };
        (&loss * 0.5).backward();
        let bias = bias.map_or(Tensor::zeros([0], (Kind::Float, tch::Device::Cpu)), |bias| bias.grad());
        [loss, nll, hidden.grad(), table.grad(), bias]
    };
    for (i, (found, expected)) in run(None).iter().zip(&run(Some(Kind::Double))).enumerate() {
        let label = format!("{tokens} {width} {classes} {smoothing} {biased} {precision:?}: {i}");
        assert_close(&label, found, expected, tolerance(precision));
    }
}

#[test]
fn equals_the_plain_composition() {
    set_threads(2).unwrap();
    for precision in [Precision::Float32, Precision::Bfloat16, Precision::Float16] {
        compare(150, 64, 320, 0.1, true, precision);
        compare(150, 64, 320, 0.0, false, precision);
        compare(7, 5, 13, 0.2, true, precision);
        compare(1, 1, 2, 0.1, false, precision);
    }
}

#[test]
fn several_chunks_of_rows() {
    set_threads(2).unwrap();
    compare(2500, 16, 48, 0.1, true, Precision::Float32);
    compare(300, 8, 40_001, 0.1, true, Precision::Bfloat16);
}

#[test]
fn extreme_logits_stay_finite() {
    let (hidden, table) = (leaf(&(normal(&[20, 16], 1) * 100.0)), leaf(&(normal(&[30, 16], 2) * 100.0)));
    let sums = projected_cross_entropy(&hidden, &table, None, &targets(20, 30), 0.1, Precision::Float32, 1.0)
        .unwrap();
    sums.loss.backward();
    let total = sums.loss.double_value(&[]) + hidden.grad().abs().sum(Kind::Double).double_value(&[]);
    assert!(total.is_finite(), "{total}");
}

#[test]
fn a_row_that_is_not_a_number_is_no_loss() {
    let hidden = normal(&[3, 8], 1);
    let _ = hidden.get(1).fill_(f64::NAN);
    let sums = projected_cross_entropy(
        &hidden,
        &normal(&[40, 8], 2),
        None,
        &targets(3, 40),
        0.1,
        Precision::Float32,
        1.0,
    );
    let LossSums { loss, nll } = sums.unwrap();
    assert!(loss.double_value(&[]).is_nan() && nll.double_value(&[]).is_nan());
}

#[test]
fn evaluation_needs_no_gradients() {
    let (hidden, table) = (normal(&[20, 16], 1), leaf(&normal(&[30, 16], 2)));
    let _guard = tch::no_grad_guard();
    let sums = projected_cross_entropy(&hidden, &table, None, &targets(20, 30), 0.1, Precision::Float32, 1.0)
        .unwrap();
    assert!(!sums.loss.requires_grad() && !sums.nll.requires_grad());
    let (loss, nll) = plain::cross_entropy(&hidden, &table, None, &targets(20, 30), 0.1);
    assert_close("loss", &sums.loss, &loss, 1e-5);
    assert_close("nll", &sums.nll, &nll, 1e-5);
}

#[test]
fn no_tokens_cost_nothing() {
    let (hidden, table) =
        (leaf(&Tensor::zeros([0, 4], (Kind::Float, tch::Device::Cpu))), leaf(&normal(&[6, 4], 2)));
    let sums =
        projected_cross_entropy(&hidden, &table, None, &targets(0, 6), 0.1, Precision::Float32, 1.0).unwrap();
    sums.loss.backward();
    assert_eq!(sums.loss.double_value(&[]), 0.0);
    assert_eq!(table.grad().abs().sum(Kind::Float).double_value(&[]), 0.0);
}

/// The gradients of table and hidden with and without a row that is never learnt.
#[test]
fn a_fixed_row_has_no_gradient_and_changes_no_other() {
    let run = |fixed_row| {
        let (hidden, rows) = (leaf(&normal(&[20, 16], 1)), leaf(&normal(&[30, 16], 2)));
        let table = Table { rows: &rows, fixed_row };
        let sums =
            projected_cross_entropy(&hidden, table, None, &targets(20, 30), 0.1, Precision::Float32, 1.0)
                .unwrap();
        sums.loss.backward();
        (hidden.grad(), rows.grad())
    };
    let ((hidden, expected), (same, found)) = (run(None), run(Some(29)));
    assert_eq!(hidden, same);
    assert_eq!(found.narrow(0, 0, 29), expected.narrow(0, 0, 29));
    assert_eq!(found.get(29).abs().sum(Kind::Float).double_value(&[]), 0.0);
    assert!(expected.get(29).abs().sum(Kind::Float).double_value(&[]) > 0.0);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (hidden, table) = (normal(&[4, 8], 1), normal(&[6, 8], 2));
    let code = |table: &Tensor, targets: &Tensor, smoothing| {
        projected_cross_entropy(&hidden, table, None, targets, smoothing, Precision::Float32, 1.0)
            .unwrap_err()
            .code()
    };
    assert_eq!(code(&normal(&[6, 7], 2), &targets(4, 6), 0.1), "ERR_SHAPE");
    assert_eq!(code(&table, &targets(3, 6), 0.1), "ERR_SHAPE");
    assert_eq!(code(&table, &targets(4, 6).to_kind(Kind::Int), 0.1), "ERR_DTYPE");
    assert_eq!(code(&table, &targets(4, 6), 1.0), "ERR_ARGUMENT");
    assert_eq!(code(&table, &Tensor::from_slice(&[0i64, 1, 2, 6]), 0.1), "ERR_TORCH");
    assert_eq!(code(&table, &Tensor::from_slice(&[0i64, 1, 2, -1]), 0.1), "ERR_TORCH");
    let fixed = Table { rows: &table, fixed_row: Some(6) };
    let error = projected_cross_entropy(&hidden, fixed, None, &targets(4, 6), 0.1, Precision::Float32, 1.0);
    assert_eq!(error.unwrap_err().code(), "ERR_ARGUMENT");
}
