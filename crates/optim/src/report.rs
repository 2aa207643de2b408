//! What `observe` reports: sensitivity, its average and variation and the modulation, tensor by tensor.

use crate::parameter::ParameterInfo;
use crate::tile::TILE;
use sagetrain_kernels::{Float, Probe, Statistics};
use serde::Serialize;

/// What was seen in one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SensitivityReport {
    /// t
    pub step: u64,
    /// One entry for each parameter that has a gradient and an average, in the order of the parameters.
    pub tensors: Vec<TensorSensitivity>,
}

/// What was seen of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TensorSensitivity {
    /// Name of the parameter.
    pub name: String,
    /// Number of elements.
    pub count: u64,
    /// I = |θ g|
    pub sensitivity: Summary,
    /// Î
    pub average: Summary,
    /// U
    pub variation: Summary,
    /// r, whether it was applied or not.
    pub modulation: Summary,
    /// Σ θ g, with signs.
    pub signed_sum: f64,
    /// A fixed set of elements: the same ones in every report.
    pub samples: Vec<ElementSensitivity>,
}

/// One quantity over the elements of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Variance, divided by the number of elements.
    pub variance: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// How many are exactly 0.
    pub zeros: u64,
    /// `histogram[k]` counts 2^(k − 72) ≤ x < 2^(k − 71); the first and the last take what lies beyond.
    pub histogram: Vec<u64>,
}

impl From<&Statistics> for Summary {
    fn from(statistics: &Statistics) -> Self {
        Self {
            mean: statistics.mean,
            variance: statistics.variance(),
            min: statistics.min,
            max: statistics.max,
            zeros: statistics.histogram.zeros,
            histogram: statistics.histogram.counts.to_vec(),
        }
    }
}

/// What was seen of one element.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
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

/// What is being gathered of one parameter, or of a part of it.
#[derive(Default)]
pub(crate) struct Seen {
    sensitivity: Statistics,
    average: Statistics,
    variation: Statistics,
    modulation: Statistics,
    signed_sum: f64,
    samples: Vec<ElementSensitivity>,
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

/// Buffers of a probe over a tile.
pub(crate) struct ProbeBuffers<F>([[F; TILE]; 5]);

impl<F: Float> ProbeBuffers<F> {
    pub fn new() -> Self {
        Self([[F::ZERO; TILE]; 5])
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
    pub fn seen(&self, start: usize, length: usize, positions: &[usize]) -> Seen {
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
        Seen {
            sensitivity: Statistics::of(&sensitivity[..length]),
            average: Statistics::of(&average[..length]),
            variation: Statistics::of(&variation[..length]),
            modulation: Statistics::of(&modulation[..length]),
            signed_sum: product[..length].iter().map(|product| product.to_f64()).sum(),
            samples: inside.map(sample).collect(),
        }
    }
}

impl Seen {
    /// Takes in what was seen of the elements that follow.
    pub fn merge(&mut self, next: Self) {
        self.sensitivity.merge(&next.sensitivity);
        self.average.merge(&next.average);
        self.variation.merge(&next.variation);
        self.modulation.merge(&next.modulation);
        self.signed_sum += next.signed_sum;
        self.samples.extend(next.samples);
    }

    pub fn finish(self, name: &str) -> TensorSensitivity {
        TensorSensitivity {
            name: name.to_owned(),
            count: self.sensitivity.count,
            sensitivity: Summary::from(&self.sensitivity),
            average: Summary::from(&self.average),
            variation: Summary::from(&self.variation),
            modulation: Summary::from(&self.modulation),
            signed_sum: self.signed_sum,
            samples: self.samples,
        }
    }
}

#[cfg(test)]
#[path = "../tests/unit/positions.rs"]
mod tests;
