//! Norms and statistics against their definitions.

use sagetrain_kernels::{Histogram, Isa, Statistics, first_non_finite, scaled_norm, sum_of_squares};

#[test]
fn the_sum_of_squares_is_taken_in_float64() {
    let gradient = vec![1e-4f32; 1_000_000];
    let expected = 1e6 * f64::from(1e-4f32).powi(2);
    assert!((sum_of_squares(Isa::best(), &gradient) / expected - 1.0).abs() < 1e-12);
    assert!(sum_of_squares(Isa::best(), &[f32::MAX; 100]).is_finite());
    assert_eq!(sum_of_squares::<f32>(Isa::best(), &[]), 0.0);
}

#[test]
fn one_element_that_is_not_finite_shows_in_the_sum() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, 127, 128, 700] {
            let mut gradient = vec![1.0f32; 701];
            gradient[at] = bad;
            assert!(!sum_of_squares(Isa::best(), &gradient).is_finite());
            assert_eq!(first_non_finite(&gradient), Some(at));
        }
    }
    assert_eq!(first_non_finite(&[1.0f64, -0.0]), None);
}

#[test]
fn a_norm_whose_squares_overflow_is_found_by_scaling() {
    let norm = scaled_norm(&[&[3e200f64][..], &[4e200, 1e-300]]);
    assert!((norm / 5e200 - 1.0).abs() < 1e-15);
    assert!((scaled_norm(&[&[f64::MAX][..]]) / f64::MAX - 1.0).abs() < 1e-15);
}

#[test]
fn statistics_of_parts_merge_to_those_of_the_whole() {
    let values: Vec<f64> = (0..1000).map(|n| (f64::from(n) * 0.7).sin() * 1e-6 + 1e-3).collect();
    let whole = Statistics::of(&values);
    let mut merged = Statistics::default();
    for part in values.chunks(77) {
        merged.merge(&Statistics::of(part));
    }
    merged.merge(&Statistics::of::<f64>(&[]));
    assert_eq!((whole.count, whole.min, whole.max), (1000, merged.min, merged.max));
    assert_eq!(whole.histogram, merged.histogram);
    assert!((whole.mean - merged.mean).abs() < 1e-15);
    assert!(
        (whole.variance() / merged.variance() - 1.0).abs() < 1e-9,
        "{} {}",
        whole.variance(),
        merged.variance()
    );
    assert_eq!((Statistics::default().variance(), Statistics::of::<f32>(&[]).count), (0.0, 0));
}

#[test]
fn histograms_count_binades_and_keep_what_lies_beyond() {
    let statistics = Statistics::of(&[0.0, 1.0, 1.99, 2.0, 0.5, 1e-300, 1e300, 5e-324]);
    let histogram = &statistics.histogram;
    let bin = |exponent: i32| histogram.counts[(exponent - Histogram::LOWEST) as usize];
    assert_eq!((histogram.zeros, bin(0), bin(1), bin(-1)), (1, 2, 1, 1));
    assert_eq!((histogram.counts[0], histogram.counts[Histogram::BINS - 1]), (2, 1));
}
