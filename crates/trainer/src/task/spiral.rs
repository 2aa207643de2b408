//! Spiral: what a classifier of the plane decides, on a grid.

use crate::error::TrainerError;
use crate::evaluate::Setting;
use sagetrain_models::{Forward, Inputs};
use serde::{Deserialize, Serialize};
use tch::Kind;

/// A square grid around the origin.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Grid {
    /// Points a side, at least 2.
    pub resolution: i64,
    /// The grid reaches from −extent to +extent on both axes.
    pub extent: f64,
}

/// Probability of class 1 at every grid point, row by row from the bottom left.
pub(crate) fn boundary(setting: &Setting, grid: Grid) -> Result<Vec<f32>, TrainerError> {
    let fits = (2..=2048).contains(&grid.resolution) && grid.extent.is_finite() && grid.extent > 0.0;
    if !fits {
        let message =
            format!("{} points over ±{} is no grid; give 2 to 2048 points", grid.resolution, grid.extent);
        return Err(TrainerError::Option { key: "grid", message });
    }
    let _no_grad = tch::no_grad_guard();
    let forward = Forward::evaluation(setting.precision);
    let inputs = Inputs::new().dense("features", &points(grid), 2)?.on(setting.device)?;
    let logits = setting.model.forward(&inputs, &forward)?; // [point, class]
    let probabilities =
        logits.f_softmax(1, Kind::Float)?.f_select(1, 1)?.f_to_device(tch::Device::Cpu)?.f_contiguous()?; // [point]
    Ok(Vec::<f32>::try_from(&probabilities)?)
}

/// x and y of every point, x running fastest.
fn points(grid: Grid) -> Vec<f32> {
    let step = 2.0 * grid.extent / (grid.resolution - 1) as f64;
    let axis: Vec<f32> =
        (0..grid.resolution).map(|index| (index as f64 * step - grid.extent) as f32).collect();
    axis.iter().flat_map(|&y| axis.iter().flat_map(move |&x| [x, y])).collect()
}
