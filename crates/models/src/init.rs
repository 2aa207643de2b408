//! Initial values as functions of (seed, parameter index, element): the same on any number of threads.
//!
//! The choice is fairseq's for translation: embeddings N(0, 1/d) with the pad row zero, an output projection of its own N(0, 1/d), every matrix Xavier uniform, those of
//! queries, keys and values with gain 1/√2 (as if the three were one matrix), biases zero, norms 1 and 0. With these, post-norm
//! Transformers of six layers train under the inverse-square-root schedule with its linear warm-up.

use sagetrain_torch::Philox;
use tch::{Device, Kind, Tensor};

use crate::error::Result;

/// Initialisation draws from a step that training never reaches, so no dropout mask repeats them.
const STEP: u64 = u64::MAX;

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// U(−a, a), a = gain·√(6 / (rows + columns)) (Glorot and Bengio, 2010).
    XavierUniform {
        /// Multiplies the bound.
        gain: f64,
    },
    /// U(−a, a), a = 1/√fan-in, what `torch.nn.Linear` draws weights and biases from.
    UniformFanIn {
        /// Inputs of the layer.
        fan_in: usize,
    },
    /// N(0, deviation²), one row zero or none.
    Normal {
        /// Standard deviation.
        deviation: f64,
        /// The row that starts at zero.
        zero_row: Option<i64>,
    },
}

impl Initial {
    /// A float32 tensor of `shape`, the `index`-th parameter of a model under `seed`.
    pub fn tensor(&self, shape: &[i64], seed: u64, index: u32) -> Result<Tensor> {
        let elements = shape.iter().product::<i64>() as usize;
        let philox = Philox { seed, step: STEP, stream: index };
        let values = match *self {
            Self::Zeros => vec![0.0; elements],
            Self::Ones => vec![1.0; elements],
            Self::XavierUniform { gain } => {
                let fans = shape.iter().sum::<i64>() as f64;
                uniform(&philox, elements, gain * (6.0 / fans).sqrt())
            }
            Self::UniformFanIn { fan_in } => uniform(&philox, elements, (fan_in as f64).sqrt().recip()),
            Self::Normal { deviation, zero_row } => normal(&philox, shape, deviation, zero_row),
        };
        from_values(&values, shape)
    }
}

/// A float32 tensor on the CPU that holds `values` in `shape`.
pub fn from_values(values: &[f32], shape: &[i64]) -> Result<Tensor> {
    let mut tensor = Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?;
    sagetrain_torch::f32_slice_mut(&mut tensor)?.copy_from_slice(values);
    Ok(tensor)
}

fn uniform(philox: &Philox, elements: usize, bound: f64) -> Vec<f32> {
    let mut values = vec![0.0; elements];
    philox.fill_uniform(&mut values);
    values.iter_mut().for_each(|value| *value = ((2.0 * f64::from(*value) - 1.0) * bound) as f32);
    values
}

fn normal(philox: &Philox, shape: &[i64], deviation: f64, zero_row: Option<i64>) -> Vec<f32> {
    let width = shape.last().map_or(1, |&width| width as usize);
    let mut values = vec![0.0; shape.iter().product::<i64>() as usize];
    philox.fill_normal(&mut values);
    values.iter_mut().for_each(|value| *value = (f64::from(*value) * deviation) as f32);
    if let Some(row) = zero_row {
        values[row as usize * width..][..width].fill(0.0);
    }
    values
}

#[cfg(test)]
mod tests {
    use sagetrain_torch::f32_slice;

    use super::*;

    #[test]
    fn xavier_fills_its_interval_and_no_more() {
        let tensor = Initial::XavierUniform { gain: 1.0 }.tensor(&[300, 300], 1, 0).unwrap();
        let values = f32_slice(&tensor).unwrap();
        let largest = values.iter().fold(0f32, |most, value| most.max(value.abs()));
        let variance = values.iter().map(|value| f64::from(value * value)).sum::<f64>() / 90_000.0;
        assert!((0.0999..=0.1).contains(&largest), "{largest}");
        assert!((variance - 0.01 / 3.0).abs() < 1e-4, "{variance}");
    }

    #[test]
    fn normal_rows_have_their_deviation_and_the_pad_row_is_zero() {
        let tensor =
            Initial::Normal { deviation: 0.25, zero_row: Some(99) }.tensor(&[100, 64], 1, 0).unwrap();
        let values = f32_slice(&tensor).unwrap();
        let variance = values.iter().map(|value| f64::from(value * value)).sum::<f64>() / 6336.0;
        assert!(values[99 * 64..].iter().all(|&value| value == 0.0));
        assert!((variance - 0.0625).abs() < 0.003, "{variance}");
    }

    #[test]
    fn seed_and_index_each_change_the_draw_and_nothing_else_does() {
        let draw = |seed, index| {
            let tensor = Initial::XavierUniform { gain: 1.0 }.tensor(&[4, 4], seed, index).unwrap();
            f32_slice(&tensor).unwrap().to_vec()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
    }
}
