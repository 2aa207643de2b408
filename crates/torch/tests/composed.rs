//! The composed operations, which a GPU runs, against the fused ones: values, gradients and masks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod plain;

use plain::{assert_close, normal, tolerance, with_gradients};
use sagetrain_torch::{
    Activation, AttentionLayout, Dropout, MemoryLayout, PackedLinear, Philox, Precision, Table,
    attend_history, attend_memory, best_log_probabilities, cross_attention, dropout, embed, layer_norm,
    linear, normal_like, projected_cross_entropy, residual_add, residual_norm, self_attention, set_composed,
};
use tch::{Kind, Tensor};

const PRECISIONS: [Precision; 3] = [Precision::Float32, Precision::Bfloat16, Precision::Float16];
const DROPOUT: Dropout = Dropout { p: 0.3, seed: 0x0123_4567_89ab_cdef, step: 0x1_0000_0005, stream: 77 };

fn composed<T>(run: impl FnOnce() -> T) -> T {
    let before = set_composed(true);
    let result = run();
    set_composed(before);
    result
}

/// Runs an operation both ways over leaves of `inputs` and compares output and gradients.
#[track_caller]
fn compare(what: &str, inputs: &[&Tensor], tolerance: f64, run: impl Fn(&[Tensor]) -> Tensor) {
    let fused = with_gradients(inputs, false, &run);
    let other = composed(|| with_gradients(inputs, false, &run));
    for (index, (other, fused)) in other.iter().zip(&fused).enumerate() {
        assert_eq!(other.kind(), fused.kind(), "{what}: {index}");
        assert_close(&format!("{what}: {index}"), other, fused, tolerance);
    }
}

#[test]
fn masks_are_the_definition_bit_for_bit() {
    for elements in [1, 127, 128, 129, 5000] {
        let x = Tensor::ones([elements], (Kind::Float, tch::Device::Cpu));
        let found = composed(|| dropout(&x, Some(DROPOUT)).unwrap());
        assert_eq!(Vec::<f32>::try_from(&found).unwrap(), DROPOUT.factors(elements as usize));
    }
}

#[test]
fn normal_draws_are_the_definition_on_any_number_of_threads() {
    let philox = Philox { seed: 0x0123_4567_89ab_cdef, step: 0x1_0000_0005, stream: u32::MAX };
    for elements in [1, 2, 7, 40_000] {
        let like = Tensor::zeros([elements, 3], (Kind::BFloat16, tch::Device::Cpu));
        let mut expected = vec![0.0; like.numel()];
        philox.fill_normal(&mut expected);
        let expected = Tensor::from_slice(&expected).view([elements, 3]);
        assert_eq!(normal_like(&like, &philox).unwrap(), expected);
        let other = composed(|| normal_like(&like, &philox).unwrap());
        assert_close("normal", &other, &expected, 1e-6);
    }
}

#[test]
fn layers() {
    let inputs = [normal(&[13, 24], 1), normal(&[40, 24], 2), normal(&[40], 3), normal(&[7, 24], 4)];
    // Quarters, whose sums of products are exact: a rounded one that falls on the other side of ReLU's corner has another gradient.
    let quarters = inputs.each_ref().map(|input| (input * 4.0).round() / 4.0);
    for precision in PRECISIONS {
        let smooth = [Activation::Gelu, Activation::GeluTanh, Activation::Swish];
        for activation in [Activation::None, Activation::Relu].into_iter().chain(smooth) {
            let what = format!("linear {activation:?} {precision:?}");
            let [x, w, b, v] = if matches!(activation, Activation::Relu) { &quarters } else { &inputs };
            compare(&what, &[x, w, b, v], 2.0 * tolerance(precision), |t| {
                let layers = [(&t[1], Some(&t[2])), (&t[3], None)];
                linear(&t[0], &layers, activation, precision).unwrap()
            });
            let packed = || PackedLinear::new(&[(w, Some(b)), (v, None)], precision).unwrap();
            let [fused, other] = [packed().apply(x, activation), composed(|| packed().apply(x, activation))];
            assert_close("packed", &other.unwrap(), &fused.unwrap(), 2.0 * tolerance(precision));
        }
    }
}

#[test]
fn rows() {
    let (x, y, gamma, beta) = (normal(&[9, 50], 1), normal(&[9, 50], 2), normal(&[50], 3), normal(&[50], 4));
    for precision in PRECISIONS {
        let (x, y) = (x.to_kind(precision.kind()), y.to_kind(precision.kind()));
        let tolerance = tolerance(precision);
        for mask in [None, Some(DROPOUT)] {
            compare("dropout", &[&x], tolerance, |t| dropout(&t[0], mask).unwrap());
            compare("residual_add", &[&x, &y], tolerance, |t| residual_add(&t[0], &t[1], mask).unwrap());
            compare("residual_norm", &[&x, &y, &gamma, &beta], 2.0 * tolerance, |t| {
                residual_norm(&t[0], &t[1], &t[2], &t[3], 1e-5, mask).unwrap()
            });
        }
        compare("layer_norm", &[&x, &gamma, &beta], 2.0 * tolerance, |t| {
            layer_norm(&t[0], &t[1], &t[2], 1e-5).unwrap()
        });
    }
}

#[test]
fn embeddings() {
    let (ids, places) = (Tensor::from_slice(&[1i64, 4, 4, 0, 7]), Tensor::from_slice(&[0i64, 1, 2, 0, 1]));
    let (table, positions) = (normal(&[8, 20], 1), normal(&[4, 20], 2));
    for precision in PRECISIONS {
        for fixed_row in [None, Some(4)] {
            compare("embed", &[&table], tolerance(precision), |t| {
                let table = Table { rows: &t[0], fixed_row };
                embed(&ids, &places, table, &positions, 4.5, precision, Some(DROPOUT)).unwrap()
            });
        }
    }
}

#[test]
fn attention_over_sequences_of_all_lengths() {
    let queries: &[i64] = &[0, 5, 6, 6, 40];
    let keys: &[i64] = &[0, 3, 20, 24, 24];
    let (all, q, memory) = (normal(&[40, 48], 1), normal(&[40, 16], 2), normal(&[24, 32], 3));
    for precision in PRECISIONS {
        let cast = |tensor: &Tensor| tensor.to_kind(precision.kind());
        let tolerance = 3.0 * tolerance(precision);
        for mask in [None, Some(DROPOUT)] {
            for causal in [false, true] {
                let own = AttentionLayout { query_offsets: queries, key_offsets: queries, heads: 2, causal };
                compare("self", &[&cast(&all)], tolerance, |t| self_attention(&t[0], &own, mask).unwrap());
                let other = AttentionLayout { key_offsets: keys, ..own };
                compare("cross", &[&cast(&q), &cast(&memory)], tolerance, |t| {
                    cross_attention(&t[0], &t[1], &other, mask).unwrap()
                });
            }
        }
    }
}

#[test]
fn the_loss() {
    let (hidden, table, bias) = (normal(&[300, 16], 1), normal(&[31, 16], 2), normal(&[31], 3));
    let targets = Tensor::arange(300, (Kind::Int64, tch::Device::Cpu)).remainder(31);
    for precision in PRECISIONS {
        let hidden = hidden.to_kind(precision.kind());
        for (smoothing, scale, fixed_row) in [(0.0, 1.0, None), (0.1, 128.0, Some(30))] {
            compare("loss", &[&hidden, &table, &bias], 3.0 * tolerance(precision), |t| {
                let table = Table { rows: &t[1], fixed_row };
                let sums =
                    projected_cross_entropy(&t[0], table, Some(&t[2]), &targets, smoothing, precision, scale);
                sums.unwrap().loss * scale
            });
        }
    }
}

/// Slopes of 4e-11 are no float16 numbers but by the scale.
#[test]
fn a_loss_scale_keeps_small_slopes() {
    let hidden = Tensor::from_slice(&[1f32, 0.0]).view([1, 2]).to_kind(Kind::Half);
    let table = Tensor::from_slice(&[24f32, 0.0, 0.0, 1.0, 0.0, 2.0]).view([3, 2]);
    let targets = Tensor::from_slice(&[0i64]);
    let largest = |scale: f64| {
        let results = with_gradients(&[&hidden], false, |t| {
            let sums = projected_cross_entropy(&t[0], &table, None, &targets, 0.0, Precision::Float16, scale);
            sums.unwrap().loss * scale
        });
        results[1].abs().max().double_value(&[])
    };
    assert_eq!((largest(1.0), composed(|| largest(1.0))), (0.0, 0.0));
    assert!(largest(65536.0) > 1e-6 && composed(|| largest(65536.0)) > 1e-6);
}

#[test]
fn decoding() {
    let (q, blocks) = (normal(&[3, 16], 1), [normal(&[2, 32], 2), normal(&[4, 32], 3), normal(&[3, 32], 4)]);
    let ancestors = [0, 3, 0, 1, 0, 1, 1, 2, 2];
    let history = || attend_history(&q, &blocks, &ancestors, 2).unwrap();
    assert_close("history", &composed(history), &history(), 2e-5);

    let (memory, layout) =
        (normal(&[9, 32], 5), MemoryLayout { row_sources: &[0, 1, 1], key_offsets: &[0, 2, 9], heads: 2 });
    let source = || attend_memory(&q, &memory, &layout, true).unwrap();
    let ((found, weights), (expected, fused)) = (composed(source), source());
    assert_close("memory", &found, &expected, 2e-5);
    let (weights, fused) = (weights.unwrap(), fused.unwrap());
    assert_eq!(weights.offsets, fused.offsets);
    assert!(weights.values.iter().zip(&fused.values).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn the_best_continuations() {
    let logits = normal(&[4, 33], 6) * 3.0;
    let _ = logits.get(1).narrow(0, 3, 30).fill_(f64::NEG_INFINITY);
    let _ = logits.get(2).get(5).fill_(f64::NAN);
    let best = || best_log_probabilities(&logits, 6, &[32, 0]).unwrap();
    let (found, expected) = (composed(best), best());
    for row in [0, 1, 3] {
        let tokens = |best: &sagetrain_torch::Best| best.row(row).iter().map(|e| e.token).collect::<Vec<_>>();
        assert_eq!(tokens(&found), tokens(&expected));
        let pairs = found.row(row).iter().zip(expected.row(row));
        assert!(pairs.into_iter().all(|(a, b)| (a.log_probability - b.log_probability).abs() < 1e-5));
        assert!((found.log_masses[row] - expected.log_masses[row]).abs() < 1e-5);
    }
    assert!(found.log_masses[2].is_nan());
}
