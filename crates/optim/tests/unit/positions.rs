//! Which elements a report samples: a module of `report`, whose positions are beyond what a test can hold in memory.

use super::*;

fn of(shape: &[usize]) -> Vec<usize> {
    sample_positions(&[ParameterInfo::new("w", shape)]).remove(0)
}

#[test]
fn positions_ascend_and_are_spread_over_all_elements_however_many() {
    for shape in [&[33][..], &[1000], &[1 << 16, 1 << 17], &[1 << 20, 1 << 20], &[usize::MAX]] {
        let (positions, elements) = (of(shape), shape.iter().product::<usize>());
        assert!(positions.len() > SAMPLES / 2 && positions.len() <= SAMPLES);
        assert!(
            positions.is_sorted_by(|a, b| a < b) && positions.iter().all(|position| *position < elements)
        );
        let lower = positions.iter().filter(|position| **position < elements / 2).count();
        assert!(
            (SAMPLES / 6..=SAMPLES - SAMPLES / 6).contains(&lower),
            "{shape:?}: {lower} in the lower half"
        );
    }
    assert!(of(&[1 << 20, 1 << 20]).iter().any(|position| *position > 1 << 32));
}

#[test]
fn a_small_tensor_is_sampled_whole() {
    for elements in 0..=SAMPLES {
        assert_eq!(of(&[elements]), (0..elements).collect::<Vec<_>>());
    }
    assert_eq!(of(&[]), [0]);
}

/// A function of place and size alone: the same in every run, others for the next parameter.
#[test]
fn positions_are_fixed() {
    let two = [ParameterInfo::new("a", [5000]), ParameterInfo::new("b", [5000])];
    let renamed = [ParameterInfo::new("c", [50, 100]), ParameterInfo::new("d", [5000])];
    let positions = sample_positions(&two);
    assert_eq!(positions, sample_positions(&renamed));
    assert_ne!(positions[0], positions[1]);
}

#[test]
fn a_part_beyond_2_to_the_32_samples_its_own_elements() {
    let start = (1usize << 35) + 512;
    let mut buffers = ProbeBuffers::<f64>::new();
    buffers.0[1] = std::array::from_fn(|index| index as f64);
    let positions = [3, 512, start - 1, start, start + 7, start + 99, start + 100, usize::MAX];
    let seen = buffers.seen(start, 100, &positions);
    let found: Vec<_> = seen.samples.iter().map(|sample| (sample.index, sample.sensitivity)).collect();
    assert_eq!(found, [(start, 0.0), (start + 7, 7.0), (start + 99, 99.0)]);
    assert_eq!(seen.sensitivity.count, 100);
}
