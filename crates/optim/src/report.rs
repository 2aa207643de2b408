//! What `observe` reports: sensitivity, its average and variation and the modulation, tensor by tensor.

use crate::parameter::ParameterInfo;
use sagetrain_kernels::{Float, Probe, Statistics};

/// What was seen in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct SensitivityReport {
    /// t
    pub step: u64,
    /// One entry for each parameter that has a gradient and an average, in the order of the parameters.
    pub tensors: Vec<TensorSensitivity>,
}

/// What was seen of one parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorSensitivity {
    /// Name of the parameter.
    pub name: String,
    /// I = |θ g|
    pub sensitivity: Statistics,
    /// Î
    pub average: Statistics,
    /// U
    pub variation: Statistics,
    /// r, whether it was applied or not.
    pub modulation: Statistics,
    /// Σ θ g, with signs.
    pub signed_sum: f64,
    /// A fixed set of elements: the same ones in every report.
    pub samples: Vec<ElementSensitivity>,
}

/// What was seen of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElementSensitivity {
    /// Flat position in the parameter.
    pub index: usize,
    /// I
    pub sensitivity: f64,
    /// Î
    pub average: f64,
    /// U
    pub variation: f64,
    /// r
    pub modulation: f64,
}

/// Elements sampled of each parameter (all of a smaller one).
const SAMPLES: usize = 32;
const SAMPLE_SEED: u64 = 0x5a6e;

/// The sampled positions of each parameter, ascending: a function of its place and size alone.
pub(crate) fn sample_positions(parameters: &[ParameterInfo]) -> Vec<Vec<usize>> {
    let of = |(place, parameter): (usize, &ParameterInfo)| {
        let elements = parameter.elements();
        if elements <= SAMPLES {
            return (0..elements).collect();
        }
        let draw = |k| (mix(SAMPLE_SEED ^ ((place as u64) << 32) ^ k) % elements as u64) as usize;
        let mut positions: Vec<usize> = (0..SAMPLES as u64).map(draw).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    };
    parameters.iter().enumerate().map(of).collect()
}

/// SplitMix64's output function (Steele, Lea, Flood 2014).
fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Elements a probe holds: five arrays of them stay in the first-level cache.
pub(crate) const PROBED: usize = 512;

/// Buffers of a probe.
pub(crate) struct ProbeBuffers<F>([[F; PROBED]; 5]);

impl<F: Float> ProbeBuffers<F> {
    pub fn new() -> Self {
        Self([[F::ZERO; PROBED]; 5])
    }

    /// A probe over `length` elements.
    pub fn probe(&mut self, length: usize) -> Probe<'_, F> {
        let [product, sensitivity, average, variation, modulation] = &mut self.0;
        Probe {
            product: &mut product[..length],
            sensitivity: &mut sensitivity[..length],
            average: &mut average[..length],
            variation: &mut variation[..length],
            modulation: &mut modulation[..length],
        }
    }

    /// What a probe over elements `start..start + length` of a parameter saw.
    pub fn seen(&self, start: usize, length: usize, positions: &[usize]) -> TensorSensitivity {
        let [product, sensitivity, average, variation, modulation] = &self.0;
        let first = positions.partition_point(|position| *position < start);
        let inside = positions[first..].iter().take_while(|position| **position < start + length);
        let sample = |index: &usize| ElementSensitivity {
            index: *index,
            sensitivity: sensitivity[index - start].to_f64(),
            average: average[index - start].to_f64(),
            variation: variation[index - start].to_f64(),
            modulation: modulation[index - start].to_f64(),
        };
        TensorSensitivity {
            name: String::new(),
            sensitivity: Statistics::of(&sensitivity[..length]),
            average: Statistics::of(&average[..length]),
            variation: Statistics::of(&variation[..length]),
            modulation: Statistics::of(&modulation[..length]),
            signed_sum: product[..length].iter().map(|product| product.to_f64()).sum(),
            samples: inside.map(sample).collect(),
        }
    }
}

impl TensorSensitivity {
    /// Takes in what was seen of the elements that follow.
    pub(crate) fn merge(&mut self, next: Self) {
        self.sensitivity.merge(&next.sensitivity);
        self.average.merge(&next.average);
        self.variation.merge(&next.variation);
        self.modulation.merge(&next.modulation);
        self.signed_sum += next.signed_sum;
        self.samples.extend(next.samples);
    }
}
