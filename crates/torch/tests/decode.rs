//! Decoding's operations against the plain compositions.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod plain;

use plain::{assert_close, normal, tolerance};
use sagetrain_torch::{
    Activation, MemoryLayout, PackedLinear, Precision, attend_history, attend_memory, best_log_probabilities,
    linear, set_threads,
};
use tch::{Kind, Tensor};

const PRECISIONS: [Precision; 3] = [Precision::Float32, Precision::Bfloat16, Precision::Float16];

#[test]
fn packed_layers_have_the_bits_of_linear() {
    set_threads(2).unwrap();
    for precision in PRECISIONS {
        for (rows, inputs, outs) in [(5, 64, &[96, 32][..]), (1, 19, &[7, 33, 2]), (37, 1200, &[31])] {
            let x = normal(&[rows, inputs], 1).to_kind(precision.kind());
            let weights: Vec<Tensor> = outs.iter().map(|&out| normal(&[out, inputs], out as u64)).collect();
            let bias = normal(&[outs[0]], 9);
            let layers: Vec<_> =
                weights.iter().enumerate().map(|(i, w)| (w, (i == 0).then_some(&bias))).collect();
            let packed = PackedLinear::new(&layers, precision).unwrap();
            for activation in [Activation::None, Activation::Relu, Activation::Gelu] {
                let found = packed.apply(&x, activation).unwrap();
                let expected = linear(&x, &layers, activation, precision).unwrap();
                assert_eq!(found.kind(), precision.kind());
                assert!(found.equal(&expected), "{rows} {inputs} {outs:?} {activation:?} {precision:?}");
            }
        }
    }
}

#[test]
fn a_packed_layer_keeps_what_it_was_made_from() {
    let weight = normal(&[32, 16], 1);
    let (x, copy) = (normal(&[3, 16], 2), weight.copy());
    let packed = PackedLinear::new(&[(&weight, None)], Precision::Float32).unwrap();
    let _ = weight.shallow_clone().fill_(0.0);
    let expected = linear(&x, &[(&copy, None)], Activation::None, Precision::Float32).unwrap();
    assert!(packed.apply(&x, Activation::None).unwrap().equal(&expected));
    let error = packed.apply(&normal(&[3, 15], 2), Activation::None).unwrap_err();
    assert_eq!(error.code(), "ERR_SHAPE");
}

/// softmax(q kᵀ / √dim) v of one row, head by head, and the mean weights.
fn attend(q: &Tensor, keys: &Tensor, values: &Tensor, heads: i64) -> (Tensor, Tensor) {
    let dim = q.size()[0] / heads;
    let split = |x: &Tensor| x.to_kind(Kind::Double).reshape([-1, heads, dim]).transpose(0, 1); // [heads, n, dim]
    let scores = split(q).matmul(&split(keys).transpose(1, 2)) / (dim as f64).sqrt();
    let weights = scores.softmax(-1, Kind::Double); // [heads, 1, n]
    let out = weights.matmul(&split(values)).transpose(0, 1).reshape([-1]);
    (out, weights.mean_dim([0i64].as_slice(), false, Kind::Double).reshape([-1]))
}

#[test]
fn history_is_found_through_ancestors() {
    set_threads(2).unwrap();
    for precision in PRECISIONS {
        for (heads, width) in [(4, 64), (2, 38), (1, 130)] {
            let blocks: Vec<Tensor> = [3, 11, 7]
                .iter()
                .map(|&rows| normal(&[rows, 2 * width], rows as u64).to_kind(precision.kind()))
                .collect();
            let rows = 9;
            let q = normal(&[rows, width], 5).to_kind(precision.kind());
            let ancestors: Vec<i32> =
                (0..rows as i32).flat_map(|row| [row % 3, row % 11, (row * 5) % 7]).collect();
            let found = attend_history(&q, &blocks, &ancestors, heads).unwrap();
            for row in 0..rows {
                let own = &ancestors[row as usize * 3..row as usize * 3 + 3];
                let past: Vec<Tensor> =
                    blocks.iter().zip(own).map(|(block, &at)| block.get(i64::from(at))).collect();
                let past = Tensor::stack(&past, 0);
                let (keys, values) = (past.narrow(1, 0, width), past.narrow(1, width, width));
                let (expected, _) = attend(&q.get(row), &keys, &values, heads);
                assert_close(
                    &format!("{precision:?} row {row}"),
                    &found.get(row),
                    &expected,
                    tolerance(precision),
                );
            }
        }
    }
}

#[test]
fn rows_see_their_own_source_only() {
    set_threads(2).unwrap();
    for precision in PRECISIONS {
        let (heads, width) = (4, 72);
        let memory = normal(&[20, 2 * width], 3).to_kind(precision.kind());
        let q = normal(&[6, width], 4).to_kind(precision.kind());
        let layout = MemoryLayout { row_sources: &[0, 0, 2, 2, 2, 1], key_offsets: &[0, 5, 6, 20], heads };
        let (found, weights) = attend_memory(&q, &memory, &layout, true).unwrap();
        let weights = weights.unwrap();
        for (row, &source) in layout.row_sources.iter().enumerate() {
            let ends = &layout.key_offsets[source as usize..source as usize + 2];
            let part = memory.narrow(0, ends[0], ends[1] - ends[0]);
            let (keys, values) = (part.narrow(1, 0, width), part.narrow(1, width, width));
            let (expected, mean) = attend(&q.get(row as i64), &keys, &values, heads);
            assert_close("out", &found.get(row as i64), &expected, tolerance(precision));
            assert_close("weights", &Tensor::from_slice(weights.row(row)), &mean, 1e-5);
        }
        let (without, none) = attend_memory(&q, &memory, &layout, false).unwrap();
        assert!(none.is_none() && without.equal(&found));
    }
}

#[test]
fn the_best_are_those_of_topk() {
    set_threads(2).unwrap();
    for (vocabulary, count) in [(1000, 8), (37, 37), (16, 40), (10_007, 300)] {
        let logits = normal(&[13, vocabulary], 8) * 3.0;
        let excluded = [0, vocabulary - 1];
        let found = best_log_probabilities(&logits, count, &excluded).unwrap();
        let scores = logits.log_softmax(-1, Kind::Double);
        let masked = scores.index_fill(1, &Tensor::from_slice(&excluded), f64::NEG_INFINITY);
        let wanted = (count as i64).min(vocabulary - 2);
        let (values, tokens) = masked.topk(wanted, 1, true, true);
        for row in 0..13 {
            let best = found.row(row as usize);
            assert_eq!(best.len() as i64, wanted);
            for (i, entry) in best.iter().enumerate() {
                assert_eq!(i64::from(entry.token), tokens.int64_value(&[row, i as i64]));
                let expected = values.double_value(&[row, i as i64]);
                assert!((f64::from(entry.log_probability) - expected).abs() < 2e-6 * expected.abs().max(1.0));
            }
            let mass = logits.get(row).to_kind(Kind::Double).logsumexp([0i64].as_slice(), false);
            assert!((found.log_masses[row as usize] - mass.double_value(&[])).abs() < 1e-5);
        }
    }
}

#[test]
fn equal_entries_come_in_the_order_of_tokens_and_bad_rows_are_seen() {
    let logits = Tensor::zeros([3, 50], (Kind::Float, tch::Device::Cpu));
    let _ = logits.get(1).get(7).fill_(f64::NAN);
    let _ = logits.get(2).fill_(f64::NEG_INFINITY);
    let found = best_log_probabilities(&logits, 4, &[1]).unwrap();
    let tokens: Vec<i32> = found.row(0).iter().map(|entry| entry.token).collect();
    assert_eq!(tokens, [0, 2, 3, 4]);
    assert!(found.log_masses[0].is_finite() && !found.log_masses[1].is_finite());
    assert!(!found.log_masses[2].is_finite() && found.row(2).is_empty());
}

#[test]
fn what_does_not_fit_is_refused() {
    let (q, block) = (normal(&[2, 8], 1), normal(&[3, 16], 2));
    let code = |result: Result<Tensor, sagetrain_torch::TorchError>| result.unwrap_err().code();
    assert_eq!(code(attend_history(&q, &[], &[], 2)), "ERR_ARGUMENT");
    assert_eq!(code(attend_history(&q, &[block.shallow_clone()], &[0, 3], 2)), "ERR_ARGUMENT");
    assert_eq!(code(attend_history(&q, &[block.shallow_clone()], &[0, -1], 2)), "ERR_ARGUMENT");
    assert_eq!(code(attend_history(&q, &[block.shallow_clone()], &[0], 2)), "ERR_ARGUMENT");
    assert_eq!(code(attend_history(&q, &[block.shallow_clone()], &[0, 0], 3)), "ERR_ARGUMENT");
    assert_eq!(code(attend_history(&q, &[normal(&[3, 15], 2)], &[0, 0], 2)), "ERR_SHAPE");
    assert_eq!(code(attend_history(&q, &[normal(&[16, 3], 2).tr()], &[0, 0], 2)), "ERR_ARGUMENT");
    let memory = |sources: &[i64], offsets: &[i64]| {
        let layout = MemoryLayout { row_sources: sources, key_offsets: offsets, heads: 2 };
        attend_memory(&q, &block, &layout, true).map(|(out, _)| out)
    };
    assert!(memory(&[0, 1], &[0, 2, 3]).is_ok());
    assert_eq!(code(memory(&[0, 2], &[0, 2, 3])), "ERR_ARGUMENT");
    assert_eq!(code(memory(&[0, -1], &[0, 2, 3])), "ERR_ARGUMENT");
    assert_eq!(code(memory(&[0], &[0, 2, 3])), "ERR_ARGUMENT");
    assert_eq!(code(memory(&[0, 0], &[0, 3, 3])), "ERR_ARGUMENT");
    assert_eq!(code(memory(&[0, 0], &[0, 4])), "ERR_ARGUMENT");
    assert_eq!(best_log_probabilities(&q, 0, &[]).unwrap_err().code(), "ERR_ARGUMENT");
}
