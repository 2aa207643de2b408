//! What a classifier or a regression does beyond training: outputs for a data set, and their scores. (napi-derive knows the model's class only
//! in modules behind `model`.)

use crate::data::Data;
use crate::dataset::NativeDataset;
use crate::model::NativeModel;
use crate::promise::promise;
use napi::bindgen_prelude::{Env, Float32Array, Object};
use napi_derive::napi;
use sagetrain_trainer::task::classification::{Outputs, Scores};

/// Outputs of every sample, row by row.
#[napi(object)]
pub struct SampleOutputs {
    pub values: Float32Array,
    /// Numbers a sample.
    pub width: f64,
}

impl From<Outputs> for SampleOutputs {
    fn from(Outputs { values, width }: Outputs) -> Self {
        Self { values: values.into(), width: width as f64 }
    }
}

/// Outputs with their scores.
#[napi(object, object_from_js = false)]
pub struct ScoredOutputs {
    #[napi(ts_type = "Record<string, number>")]
    pub scores: Data<Scores>,
    pub outputs: SampleOutputs,
}

#[napi]
impl NativeModel {
    /// A classifier's logits or a regression's numbers for every sample, in the data set's order.
    #[napi(catch_unwind, ts_return_type = "Promise<SampleOutputs>")]
    pub fn outputs<'env>(
        &mut self,
        env: &'env Env,
        dataset: &mut NativeDataset,
        batch_size: f64,
    ) -> napi::Result<Object<'env>> {
        let (handle, dataset, (settle, promise)) = (self.handle()?, dataset.share()?, promise(env)?);
        handle.outputs(dataset, batch_size as usize, settle.reply(|_, found| Ok(SampleOutputs::from(found))));
        Ok(promise)
    }

    /// The same with their scores; the data set has a column `label` or `target`.
    #[napi(catch_unwind, ts_return_type = "Promise<ScoredOutputs>")]
    pub fn evaluate_classification<'env>(
        &mut self,
        env: &'env Env,
        dataset: &mut NativeDataset,
        batch_size: f64,
    ) -> napi::Result<Object<'env>> {
        let (handle, dataset, (settle, promise)) = (self.handle()?, dataset.share()?, promise(env)?);
        let convert = |_: &Env, (scores, outputs): (Scores, Outputs)| {
            Ok(ScoredOutputs { scores: Data(scores), outputs: outputs.into() })
        };
        handle.evaluate_classification(dataset, batch_size as usize, settle.reply(convert));
        Ok(promise)
    }
}
