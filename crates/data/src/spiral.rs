//! The Spiral data set: two arms wound round each other, the toy of Figure 5 of the SAGE paper (Liang et al., ICLR 2022).
//!
//! The paper gives no formula; this is the usual one (two Archimedean arms half a turn apart, as in TensorFlow
//! Playground), inside the unit disc.

use serde::{Deserialize, Serialize};

use crate::random::{Random, Stream};
use crate::{Column, DataError, Dataset, Result};

/// The shape of the arms. The same options give the same points, bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SpiralOptions {
    /// Points of both arms together. Default 2,000.
    pub samples: usize,
    /// Turns of an arm from the centre to the rim. Default 1.75.
    pub turns: f64,
    /// Standard deviation of the Gaussian noise on each coordinate; the rim has radius 1. Default 0.03.
    pub noise: f64,
    /// Of the noise and the places along the arms. Default 0.
    pub seed: u64,
}

impl Default for SpiralOptions {
    fn default() -> Self {
        Self { samples: 2_000, turns: 1.75, noise: 0.03, seed: 0 }
    }
}

/// Makes the points: `features` dense `[samples, 2]` (x, y), `label` ragged with one id a row (the arm, 0 or 1).
/// Point i is a function of (options, i) alone; the arms alternate.
///
/// # Errors
/// `ERR_ARGUMENT`: no samples, or turns or noise that are negative or not finite.
pub fn spiral(options: &SpiralOptions) -> Result<Dataset> {
    options.validate()?;
    let points = (0..options.samples).flat_map(|sample| point(options, sample)).collect();
    let arms = Column::ragged((0..options.samples).map(|sample| [(sample % 2) as i32]));
    Dataset::from_columns(vec![
        ("features".into(), Column::Dense { values: points, width: 2 }),
        ("label".into(), arms),
    ])
}

impl SpiralOptions {
    fn validate(&self) -> Result<()> {
        if self.samples == 0 {
            return Err(DataError::argument("samples", "it is 0", "give at least 1"));
        }
        for (option, value) in [("turns", self.turns), ("noise", self.noise)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(DataError::argument(
                    option,
                    format!("it is {value}"),
                    "give a finite number from 0 up",
                ));
            }
        }
        Ok(())
    }
}

fn point(options: &SpiralOptions, sample: usize) -> [f32; 2] {
    let mut random = Random::new(options.seed, Stream::Spiral, sample as u64);
    let along = random.uniform();
    let arm = std::f64::consts::PI * (sample % 2) as f64;
    let (sin, cos) = (std::f64::consts::TAU * options.turns * along + arm).sin_cos();
    [cos, sin].map(|direction| (along * direction + options.noise * random.normal()) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;

    #[test]
    fn the_same_options_give_the_same_points_and_another_seed_others() {
        let made = |seed| spiral(&SpiralOptions { samples: 64, seed, ..Default::default() }).unwrap();
        assert_eq!(made(3).fingerprint(), made(3).fingerprint());
        assert_ne!(made(3).fingerprint(), made(4).fingerprint());
    }

    #[test]
    fn without_noise_a_point_lies_on_its_arm() {
        let options = SpiralOptions { samples: 100, noise: 0.0, ..Default::default() };
        let dataset = spiral(&options).unwrap();
        for index in 0..100 {
            let sample = dataset.sample(index).unwrap();
            let Some(Row::Dense(&[x, y])) = sample[0].1.row(0) else { panic!("{sample:?}") };
            assert_eq!(sample[1].1.row(0), Some(Row::Ragged(&[(index % 2) as i32])));
            let radius = f64::from(x).hypot(f64::from(y));
            let expected =
                std::f64::consts::TAU * options.turns * radius + std::f64::consts::PI * (index % 2) as f64;
            let found = f64::from(y).atan2(f64::from(x));
            assert!((expected - found).sin().abs() < 1e-4, "point {index}: {x}, {y}");
        }
    }

    #[test]
    fn more_samples_begin_with_the_same_points() {
        let rows = |samples| {
            spiral(&SpiralOptions { samples, ..Default::default() }).unwrap().gather(&[0, 1, 2]).unwrap()
        };
        assert_eq!(rows(3), rows(300));
    }

    #[test]
    fn bad_options_are_named() {
        let error = spiral(&SpiralOptions { noise: f64::NAN, ..Default::default() }).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("`noise`")), ("ERR_ARGUMENT", true));
    }
}
