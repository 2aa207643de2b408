//! The fused attention against the same written with libtorch's plain operations, values and gradients.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use sagetrain_torch::{
    AttentionLayout, Dropout, TorchError, attention, cross_attention, self_attention, set_threads,
};
use tch::{Kind, Tensor};

/// The definition, composed of libtorch's operations.
fn plain(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    layout: &AttentionLayout,
    dropout: Option<Dropout>,
) -> Result<Tensor, TorchError> {
    let dim = q.size()[1] / layout.heads;
    let elements: i64 = spans(layout).map(|(_, n, _, m)| layout.heads * tile(n, m)).sum();
    let factors = dropout.map(|d| Tensor::f_from_slice(&d.factors(elements as usize))).transpose()?;
    let (mut base, mut rows) = (0, Vec::new());
    for (first, queries, start, keys) in spans(layout) {
        let mut heads = Vec::new();
        for head in 0..layout.heads {
            let part = |x: &Tensor, from, len| -> Result<Tensor, TorchError> {
                Ok(x.f_narrow(0, from, len)?.f_narrow(1, head * dim, dim)?.f_to_kind(Kind::Float)?)
            };
            let scores = part(q, first, queries)?
                .f_matmul(&part(k, start, keys)?.f_tr()?)?
                .f_div_scalar((dim as f64).sqrt())?;
            let mut weights = probabilities(&scores, queries, keys, layout.causal)?;
            if let Some(factors) = &factors {
                let factor =
                    factors.f_narrow(0, base, queries * pad16(keys))?.f_reshape([queries, pad16(keys)])?;
                weights = weights.f_mul(&factor.f_narrow(1, 0, keys)?)?;
            }
            base += tile(queries, keys);
            heads.push(weights.f_matmul(&part(v, start, keys)?)?);
        }
        rows.push(Tensor::f_cat(&heads, 1)?);
    }
    if rows.is_empty() {
        return Ok(q.f_zeros_like()?);
    }
    Ok(Tensor::f_cat(&rows, 0)?.f_to_kind(q.kind())?)
}

fn probabilities(scores: &Tensor, queries: i64, keys: i64, causal: bool) -> Result<Tensor, TorchError> {
    if !causal {
        return Ok(scores.f_softmax(-1, Kind::Float)?);
    }
    let hidden =
        Tensor::f_ones([queries, keys], (Kind::Bool, scores.device()))?.f_triu(keys - queries + 1)?;
    Ok(scores.f_masked_fill(&hidden, f64::NEG_INFINITY)?.f_softmax(-1, Kind::Float)?)
}

fn pad16(keys: i64) -> i64 {
    (keys + 15) / 16 * 16
}

fn tile(queries: i64, keys: i64) -> i64 {
    (queries * pad16(keys) + 127) / 128 * 128
}

/// (first query, queries, first key, keys) of each sequence.
fn spans<'a>(layout: &'a AttentionLayout) -> impl Iterator<Item = (i64, i64, i64, i64)> + 'a {
    let pairs = layout.query_offsets.windows(2).zip(layout.key_offsets.windows(2));
    pairs.map(|(q, k)| (q[0], q[1] - q[0], k[0], k[1] - k[0]))
}

/// A number for each element, between -1 and 1, the same on every machine.
fn values(shape: [i64; 2], seed: i64) -> Tensor {
    let count = shape[0] * shape[1];
    let numbers: Vec<f32> =
        (0..count).map(|i| ((i * 37 + seed * 101 + i * i % 91) % 199) as f32 / 99.5 - 1.0).collect();
    Tensor::from_slice(&numbers).reshape(shape)
}

fn leaf(tensor: &Tensor, kind: Kind) -> Tensor {
    tensor.to_kind(kind).set_requires_grad(true)
}

/// The output and the gradients of `inputs` when the output is weighted by fixed numbers.
fn with_gradients(inputs: &[Tensor], run: impl Fn(&[Tensor]) -> Tensor) -> Vec<Tensor> {
    let out = run(inputs);
    let weights = values([out.size()[0], out.size()[1]], 7);
    let loss = (out.to_kind(Kind::Float) * weights).sum(Kind::Float);
    let mut results = Tensor::run_backward(&[loss], inputs, false, false);
    results.push(out.detach());
    results
}

fn assert_close(found: &[Tensor], expected: &[Tensor], tolerance: f64, case: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found.to_kind(Kind::Double) - expected.to_kind(Kind::Double)).abs().max();
        let scale = 1.0 + expected.abs().max().double_value(&[]);
        let difference = difference.double_value(&[]) / scale;
        assert!(difference <= tolerance, "{case}, result {index}: {difference:e}");
    }
}

struct Case {
    queries: Vec<i64>,
    keys: Vec<i64>,
    heads: i64,
    dim: i64,
    causal: bool,
    p: f64,
}

fn offsets(lengths: &[i64]) -> Vec<i64> {
    let sums = lengths.iter().scan(0, |sum, length| {
        *sum += length;
        Some(*sum)
    });
    std::iter::once(0).chain(sums).collect()
}

fn cases() -> Vec<Case> {
    let case = |queries: &[i64], keys: &[i64], heads, dim, causal, p| Case {
        queries: queries.to_vec(),
        keys: keys.to_vec(),
        heads,
        dim,
        causal,
        p,
    };
    vec![
        case(&[1], &[1], 1, 8, false, 0.0),
        case(&[5, 17, 1], &[5, 17, 1], 4, 64, true, 0.0),
        case(&[5, 17, 1], &[9, 33, 2], 4, 64, false, 0.3),
        case(&[20, 31], &[20, 31], 2, 20, true, 0.1),
        case(&[150, 64, 65], &[150, 64, 65], 2, 16, true, 0.2),
        case(&[3, 70], &[140, 129], 3, 24, false, 0.1),
        case(&[2, 0, 3], &[4, 5, 0], 2, 16, false, 0.2),
    ]
}

fn check(case: &Case, kind: Kind, tolerance: f64) {
    let (query_offsets, key_offsets) = (offsets(&case.queries), offsets(&case.keys));
    let layout = AttentionLayout {
        query_offsets: &query_offsets,
        key_offsets: &key_offsets,
        heads: case.heads,
        causal: case.causal,
    };
    let dropout = (case.p > 0.0).then_some(Dropout { p: case.p, seed: 1 << 40, step: 3, stream: 9 });
    let width = case.heads * case.dim;
    let (queries, keys) = (query_offsets[case.queries.len()], key_offsets[case.keys.len()]);
    let tensors = [values([queries, width], 1), values([keys, width], 2), values([keys, width], 3)];
    let tensors = tensors.map(|tensor| leaf(&tensor, kind));
    let name = format!("{:?}/{:?} causal {} {kind:?}", case.queries, case.keys, case.causal);
    let expected = with_gradients(&tensors, |t| plain(&t[0], &t[1], &t[2], &layout, dropout).unwrap());
    let found = with_gradients(&tensors, |t| attention(&t[0], &t[1], &t[2], &layout, dropout).unwrap());
    assert_close(&found, &expected, tolerance, &name);
    let packed = with_gradients(&tensors, |t| {
        cross_attention(&t[0], &Tensor::cat(&[&t[1], &t[2]], 1), &layout, dropout).unwrap()
    });
    assert_close(&packed, &expected, tolerance, &format!("packed {name}"));
    if case.queries == case.keys {
        let packed =
            with_gradients(&tensors, |t| self_attention(&Tensor::cat(t, 1), &layout, dropout).unwrap());
        assert_close(&packed, &expected, tolerance, &format!("self {name}"));
    }
}

#[test]
fn values_and_gradients_equal_the_definition() {
    set_threads(2).unwrap();
    for case in cases() {
        // A query without keys is NaN in the composition.
        if case.keys.iter().zip(&case.queries).all(|(&keys, &queries)| keys > 0 || queries == 0) {
            check(&case, Kind::Float, 2e-5);
            check(&case, Kind::BFloat16, 2e-2);
        }
    }
}

#[test]
fn a_query_without_keys_gives_zeros() {
    let layout =
        AttentionLayout { query_offsets: &[0, 2, 5], key_offsets: &[0, 4, 4], heads: 2, causal: false };
    let tensors = [values([5, 32], 1), values([4, 32], 2), values([4, 32], 3)].map(|t| leaf(&t, Kind::Float));
    let results = with_gradients(&tensors, |t| attention(&t[0], &t[1], &t[2], &layout, None).unwrap());
    assert!(results.iter().all(|tensor| tensor.isfinite().all().int64_value(&[]) == 1));
    assert_eq!(results[3].slice(0, 2, 5, 1).abs().max().double_value(&[]), 0.0);
    assert_eq!(results[0].slice(0, 2, 5, 1).abs().max().double_value(&[]), 0.0);
}

#[test]
fn what_is_not_a_number_stays_none() {
    let layout = AttentionLayout { query_offsets: &[0, 2], key_offsets: &[0, 20], heads: 1, causal: false };
    let (q, k) = (values([2, 8], 1), values([20, 8], 2));
    let damaged = q.copy();
    let _ = damaged.get(1).fill_(f64::NAN);
    let out = attention(&damaged, &k, &k, &layout, None).unwrap();
    assert!(bool::try_from(out.get(1).isnan().all()).unwrap());
    assert!(bool::try_from(out.get(0).isfinite().all()).unwrap());
    let damaged = k.copy();
    let _ = damaged.get(7).fill_(f64::NAN);
    let out = attention(&q, &damaged, &k, &layout, None).unwrap();
    assert!(bool::try_from(out.isnan().all()).unwrap());
}

#[test]
fn threads_do_not_change_the_bits() {
    let lengths = [40, 3, 77, 12];
    let ends = offsets(&lengths);
    let layout = AttentionLayout { query_offsets: &ends, key_offsets: &ends, heads: 4, causal: true };
    let dropout = Some(Dropout { p: 0.1, seed: 5, step: 1, stream: 2 });
    let projection = leaf(&values([132, 3 * 64], 4), Kind::BFloat16);
    let run = |threads| {
        set_threads(threads).unwrap();
        with_gradients(std::slice::from_ref(&projection), |t| {
            self_attention(&t[0], &layout, dropout).unwrap()
        })
    };
    for (one, two) in run(1).iter().zip(run(2)) {
        assert!(one.equal(&two));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let layout = AttentionLayout { query_offsets: &[0, 2], key_offsets: &[0, 4], heads: 2, causal: false };
    let (q, k) = (values([2, 32], 1), values([4, 32], 2));
    let half = k.to_kind(Kind::Half);
    assert!(matches!(attention(&q, &half, &half, &layout, None), Err(TorchError::Dtype { .. })));
    let [q64, k64] = [&q, &k].map(|tensor| tensor.to_kind(Kind::Double));
    assert!(matches!(attention(&q64, &k64, &k64, &layout, None), Err(TorchError::Dtype { .. })));
    assert!(matches!(attention(&q, &values([4, 16], 1), &k, &layout, None), Err(TorchError::Shape { .. })));
    let short = AttentionLayout { key_offsets: &[0, 3], ..layout };
    assert!(matches!(attention(&q, &k, &k, &short, None), Err(TorchError::Argument { .. })));
    let odd = AttentionLayout { heads: 3, ..layout };
    assert!(matches!(attention(&q, &k, &k, &odd, None), Err(TorchError::Shape { .. })));
}
