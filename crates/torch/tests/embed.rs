//! Embeddings against the plain composition in float64.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod plain;

use plain::{assert_close, normal, tolerance, with_gradients};
use sagetrain_torch::{Dropout, Precision, Table, embed, set_threads};
use tch::{Kind, Tensor};

const DROPOUT: Dropout = Dropout { p: 0.2, seed: 3, step: 4, stream: 5 };

fn ids(tokens: i64, rows: i64) -> Tensor {
    Tensor::from_slice(&(0..tokens).map(|i| (i * i + 3) % rows).collect::<Vec<_>>())
}

#[test]
fn equals_the_plain_composition() {
    set_threads(2).unwrap();
    for (tokens, rows, width) in [(1, 1, 1), (50, 7, 33), (200, 90, 64)] {
        let (table, places) = (normal(&[rows, width], 1), normal(&[40, width], 2));
        let (id, position) = (ids(tokens, rows), ids(tokens, 40));
        for (precision, dropout) in [
            (Precision::Float32, Some(DROPOUT)),
            (Precision::Bfloat16, Some(DROPOUT)),
            (Precision::Float16, None),
        ] {
            let fused = |t: &[Tensor]| embed(&id, &position, &t[0], &t[1], 8.0, precision, dropout).unwrap();
            let plain = |t: &[Tensor]| {
                let sum = t[0].index_select(0, &id) * 8.0 + t[1].index_select(0, &position);
                sum * plain::factors(dropout, &[tokens, width])
            };
            let inputs = [&table, &places];
            let (found, expected) =
                (with_gradients(&inputs, false, fused), with_gradients(&inputs, true, plain));
            assert_eq!(found[0].kind(), precision.kind());
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_close(&format!("{tokens} {precision:?} {i}"), found, expected, tolerance(precision));
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (table, places, id) = (normal(&[30, 100], 1), normal(&[40, 100], 2), ids(500, 30));
    let run = |threads| {
        set_threads(threads).unwrap();
        with_gradients(&[&table], false, |t| {
            embed(&id, &id, &t[0], &places, 2.0, Precision::Bfloat16, Some(DROPOUT)).unwrap()
        })
    };
    for (one, other) in run(1).iter().zip(&run(2)) {
        assert_eq!(one, other);
    }
}

#[test]
fn a_fixed_row_is_looked_up_and_has_no_gradient() {
    let (table, places, id) = (normal(&[30, 8], 1), normal(&[40, 8], 2), ids(500, 30));
    let run = |fixed_row| {
        with_gradients(&[&table], false, |t| {
            let table = Table { rows: &t[0], fixed_row };
            embed(&id, &id, table, &places, 2.0, Precision::Float32, None).unwrap()
        })
    };
    let (expected, found) = (run(None), run(Some(3)));
    assert_eq!(found[0], expected[0]);
    assert_eq!(found[1].narrow(0, 4, 26), expected[1].narrow(0, 4, 26));
    assert_eq!(found[1].get(3).abs().sum(Kind::Float).double_value(&[]), 0.0);
    assert!(expected[1].get(3).abs().sum(Kind::Float).double_value(&[]) > 0.0);
}

#[test]
fn no_tokens_are_fine() {
    let (table, places, none) = (normal(&[30, 8], 1), normal(&[40, 8], 2), ids(0, 30));
    let run = with_gradients(&[&table], false, |t| {
        embed(&none, &none, &t[0], &places, 2.0, Precision::Float32, Some(DROPOUT)).unwrap()
    });
    assert_eq!(run[0].size(), [0, 8]);
    assert_eq!(run[1].abs().sum(Kind::Float).double_value(&[]), 0.0);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (table, places, id) = (normal(&[30, 8], 1), normal(&[40, 8], 2), ids(5, 30));
    let code = |id: &Tensor, position: &Tensor, places: &Tensor| {
        embed(id, position, &table, places, 1.0, Precision::Float32, None).unwrap_err().code()
    };
    assert_eq!(code(&id, &ids(4, 30), &places), "ERR_SHAPE");
    assert_eq!(code(&id, &id, &normal(&[40, 7], 2)), "ERR_SHAPE");
    assert_eq!(code(&id.to_kind(Kind::Int), &id, &places), "ERR_DTYPE");
    assert_eq!(code(&Tensor::from_slice(&[30i64]), &ids(1, 30), &places), "ERR_TORCH");
    assert_eq!(code(&Tensor::from_slice(&[-1i64]), &ids(1, 30), &places), "ERR_TORCH");
}
