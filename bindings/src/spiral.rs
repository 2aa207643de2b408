//! What a classifier of the plane decides.

use crate::model::NativeModel;
use crate::promise::promise;
use napi::bindgen_prelude::{Env, Float32Array, Object};
use napi_derive::napi;
use sagetrain_trainer::task::spiral::Grid;

#[napi]
impl NativeModel {
    /// Probability of class 1 on a square grid, row by row from the bottom left.
    #[napi(catch_unwind, ts_return_type = "Promise<Float32Array>")]
    pub fn boundary<'env>(
        &mut self,
        env: &'env Env,
        resolution: f64,
        extent: f64,
    ) -> napi::Result<Object<'env>> {
        let (handle, (settle, promise)) = (self.handle()?, promise(env)?);
        let grid = Grid { resolution: resolution as i64, extent };
        handle.boundary(grid, settle.reply(|_, values: Vec<f32>| Ok(Float32Array::from(values))));
        Ok(promise)
    }
}
