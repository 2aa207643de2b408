//! Learnt and normalised embeddings against the plain composition in float64.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod plain;

use plain::{assert_close, normal, tolerance, with_gradients};
use sagetrain_torch::{
    Dropout, LearntTables, Lookups, Precision, Table, embed_norm, set_composed, set_threads,
};
use tch::{Kind, Tensor};

const DROPOUT: Dropout = Dropout { p: 0.2, seed: 3, step: 4, stream: 5 };
const EPS: f64 = 1e-12;

fn ids(tokens: i64, rows: i64) -> Tensor {
    Tensor::from_slice(&(0..tokens).map(|i| (i * i + 3) % rows).collect::<Vec<_>>())
}

/// Tokens, positions, gain, shift and, where wanted, types.
fn tables(rows: i64, width: i64, types: i64) -> Vec<Tensor> {
    let gain = normal(&[width], 3) * 0.3 + 1.0;
    let mut all = vec![
        normal(&[rows, width], 1),
        normal(&[40, width], 2),
        gain.to_kind(Kind::Float),
        normal(&[width], 4),
    ];
    all.extend((types > 0).then(|| normal(&[types, width], 5)));
    all
}

fn run(
    tables: &[Tensor],
    [ids, positions, types]: [&Tensor; 3],
    precision: Precision,
    mask: Option<Dropout>,
) -> Tensor {
    let tables = LearntTables {
        tokens: Table { rows: &tables[0], fixed_row: None },
        positions: &tables[1],
        types: tables.get(4),
        norm: (&tables[2], &tables[3], EPS),
    };
    embed_norm(Lookups { ids, positions, types }, tables, precision, mask).unwrap()
}

fn plain(t: &[Tensor], [ids, positions, types]: [&Tensor; 3], mask: Option<Dropout>) -> Tensor {
    let mut sum = t[0].index_select(0, ids) + t[1].index_select(0, positions);
    if let Some(table) = t.get(4) {
        sum += table.index_select(0, types);
    }
    let normal = plain::layer_norm(&sum, &t[2], &t[3], EPS);
    let factors = plain::factors(mask, &normal.size());
    normal * factors
}

#[test]
fn equals_the_plain_composition() {
    set_threads(2).unwrap();
    for (tokens, rows, width, types) in [(1, 1, 8, 2), (50, 7, 33, 1), (200, 90, 64, 2), (70, 90, 64, 0)] {
        let tables = tables(rows, width, types);
        let inputs: Vec<&Tensor> = tables.iter().collect();
        let lookups = [&ids(tokens, rows), &ids(tokens, 40), &ids(tokens, types.max(1))];
        for precision in [Precision::Float32, Precision::Bfloat16, Precision::Float16] {
            for mask in [None, Some(DROPOUT)] {
                let expected = with_gradients(&inputs, true, |t| plain(t, lookups, mask));
                for composed in [false, true] {
                    let before = set_composed(composed);
                    let found = with_gradients(&inputs, false, |t| run(t, lookups, precision, mask));
                    set_composed(before);
                    assert_eq!(found[0].kind(), precision.kind());
                    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                        let label = format!("{tokens} {types} {precision:?} composed {composed} {i}");
                        assert_close(&label, found, expected, 2.0 * tolerance(precision));
                    }
                }
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let tables = tables(30, 100, 2);
    let inputs: Vec<&Tensor> = tables.iter().collect();
    let lookups = [&ids(500, 30), &ids(500, 40), &ids(500, 2)];
    let bits = |threads| {
        set_threads(threads).unwrap();
        with_gradients(&inputs, false, |t| run(t, lookups, Precision::Bfloat16, Some(DROPOUT)))
    };
    for (one, other) in bits(1).iter().zip(&bits(2)) {
        assert_eq!(one, other);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let tables = tables(30, 8, 2);
    let code = |types: &Tensor, type_table: &Tensor| {
        let (ids, positions) = (&ids(5, 30), &ids(5, 40));
        let tables = LearntTables {
            tokens: Table { rows: &tables[0], fixed_row: None },
            positions: &tables[1],
            types: Some(type_table),
            norm: (&tables[2], &tables[3], EPS),
        };
        let found = embed_norm(Lookups { ids, positions, types }, tables, Precision::Float32, None);
        found.unwrap_err().code()
    };
    assert_eq!(code(&ids(4, 2), &tables[4]), "ERR_SHAPE");
    assert_eq!(code(&ids(5, 2), &normal(&[2, 7], 1)), "ERR_SHAPE");
    assert_eq!(code(&ids(5, 2).to_kind(Kind::Int), &tables[4]), "ERR_DTYPE");
    assert_eq!(code(&Tensor::from_slice(&[0i64, 1, 2, 0, 0]), &tables[4]), "ERR_TORCH");
}
