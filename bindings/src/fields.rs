//! The fields of every crate's errors, as data beside their message.

use crate::fault::Fault;
use sagetrain_data::DataError;
use sagetrain_metrics::MetricsError;
use sagetrain_models::ModelError;
use sagetrain_optim::OptimError;
use sagetrain_torch::TorchError;
use sagetrain_trainer::TrainerError;
use serde_json::{Value, json};

impl From<OptimError> for Fault {
    fn from(error: OptimError) -> Self {
        Self::new(error.code(), error.to_string(), optim(&error))
    }
}

impl From<DataError> for Fault {
    fn from(error: DataError) -> Self {
        Self::new(error.code(), error.to_string(), data(&error))
    }
}

impl From<ModelError> for Fault {
    fn from(error: ModelError) -> Self {
        Self::new(error.code(), error.to_string(), model(&error))
    }
}

impl From<MetricsError> for Fault {
    fn from(error: MetricsError) -> Self {
        Self::new(error.code(), error.to_string(), metrics(&error))
    }
}

impl From<TrainerError> for Fault {
    fn from(error: TrainerError) -> Self {
        Self::new(error.code(), error.to_string(), trainer(&error))
    }
}

fn optim(error: &OptimError) -> Value {
    match error {
        OptimError::Config { path, .. } => json!({ "key": path }),
        OptimError::ScopeEmpty { path, selector, count, names } => {
            json!({ "key": path, "selector": selector, "count": count, "names": names })
        }
        OptimError::Argument { argument, .. } => json!({ "argument": argument }),
        OptimError::Shape { what, name, shape, expected, found } => {
            json!({ "what": what, "name": name, "shape": shape, "expected": expected, "found": found })
        }
        OptimError::NonFinite { step, name, index, value } => {
            json!({ "step": step, "name": name, "index": index, "value": value.to_string() })
        }
        OptimError::Checkpoint { .. } => json!({}),
        OptimError::Io { path, source } => json!({ "path": path, "reason": source.to_string() }),
        OptimError::LossScale { scale, .. } => json!({ "scale": scale }),
        OptimError::Memory { elements, .. } => json!({ "elements": elements }),
    }
}

fn data(error: &DataError) -> Value {
    match error {
        DataError::Argument { option, .. } => json!({ "key": option }),
        DataError::Shape { column, .. } => json!({ "column": column }),
        DataError::Corpus { path, line, .. } => json!({ "path": path, "line": line }),
        DataError::Dataset { path, .. } => json!({ "path": path }),
        DataError::SampleTooLong { sample, column, length, budget } => {
            json!({ "sample": sample, "column": column, "length": length, "budget": budget })
        }
        DataError::Tokenizer { path, .. } => json!({ "path": path }),
        DataError::State { epoch, batch, .. } => json!({ "epoch": epoch, "batch": batch }),
        DataError::Io { action, path, source } => {
            json!({ "action": action, "path": path, "reason": source.to_string() })
        }
        _ => json!({}),
    }
}

fn model(error: &ModelError) -> Value {
    match error {
        ModelError::Spec { path, .. } => json!({ "key": path }),
        ModelError::UnknownKey { path, nearest } => json!({ "key": path, "nearest": nearest }),
        ModelError::Input { column, .. } => json!({ "column": column }),
        ModelError::NoParameter { name, nearest } => json!({ "name": name, "nearest": nearest }),
        ModelError::Folder { file, .. } => json!({ "path": file }),
        ModelError::Io { file, source } => json!({ "path": file, "reason": source.to_string() }),
        ModelError::Torch(error) => torch(error),
        _ => json!({}),
    }
}

fn metrics(error: &MetricsError) -> Value {
    match error {
        MetricsError::Unpaired { metric, left_name, left, right_name, right } => {
            json!({ "metric": metric, "counts": { *left_name: left, *right_name: right } })
        }
        MetricsError::Empty { metric } => json!({ "metric": metric }),
        MetricsError::SingleReference { metric, references } => {
            json!({ "metric": metric, "references": references })
        }
        MetricsError::NotBinary { positive, others } => json!({ "positive": positive, "others": others }),
        MetricsError::TooManyClasses { classes, limit } => json!({ "classes": classes, "limit": limit }),
        MetricsError::TooFew { metric, samples } => json!({ "metric": metric, "samples": samples }),
        MetricsError::NoTrials => json!({ "trials": 0 }),
        MetricsError::NoResamples => json!({ "resamples": 0 }),
        MetricsError::TooManySamples { samples, limit } => json!({ "samples": samples, "limit": limit }),
    }
}

fn torch(error: &TorchError) -> Value {
    match error {
        TorchError::Shape { op, name, found, expected } => {
            json!({ "op": op, "name": name, "found": found, "expected": expected })
        }
        TorchError::Dtype { op, name, found, expected } => {
            json!({ "op": op, "name": name, "found": format!("{found:?}"), "expected": expected })
        }
        TorchError::Argument { op, name, found, expected } => {
            json!({ "op": op, "name": name, "found": found, "expected": expected })
        }
        TorchError::Torch { op, .. } => json!({ "op": op }),
        TorchError::Cuda(_) => json!({}),
    }
}

fn trainer(error: &TrainerError) -> Value {
    match error {
        TrainerError::Option { key, .. } => json!({ "key": key }),
        TrainerError::Checkpoint { path, .. } => json!({ "path": path }),
        TrainerError::Io { path, source } => json!({ "path": path, "reason": source.to_string() }),
        TrainerError::NonFinite { sentence }
        | TrainerError::TooLong { sentence, .. }
        | TrainerError::Prefix { sentence, .. } => json!({ "sentence": sentence }),
        TrainerError::Optim(error) => optim(error),
        TrainerError::Model(error) => model(error),
        TrainerError::Data(error) => data(error),
        TrainerError::Torch(error) => torch(error),
        TrainerError::Metrics(error) => metrics(error),
        _ => json!({}),
    }
}
