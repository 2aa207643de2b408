//! BERT and RoBERTa as Hugging Face folders.
//!
//! A model with a head is saved as transformers' `…ForSequenceClassification`, one without as its bare `…Model`. What transformers does not
//! have, no types at all, has a `model_type` of its own, so that transformers refuses it by name.

use std::path::Path;

use sagetrain_torch::f32_values;
use serde_json::Map;

use crate::bert::Bert;
use crate::bert_settings::Settings;
use crate::bert_spec::{Architecture, BertSpec};
use crate::bert_weights::BertWeights;
use crate::error::{ModelError, Result};
use crate::fine_tune::LoadReport;
use crate::json_file::{self, CONFIG};
use crate::model::Model;
use crate::parameters::Parameters;
use crate::spec::ModelSpec;
use crate::tensors_file::{self, Entry};
use crate::{bert_config, bert_head, own_config, unfinished};

/// Writes config.json and model.safetensors.
pub fn save(model: &Bert, folder: &Path) -> Result<()> {
    let spec = &model.spec;
    let config = match spec.type_vocabulary_size {
        0 => own_config::write(folder, model.spec())?,
        _ => json_file::write(folder, CONFIG, &bert_config::config(spec, &model.settings))?,
    };
    let prefix = format!("{}.", spec.architecture.name());
    let mut entries = Vec::new();
    for parameter in model.parameters().iter() {
        let bare = parameter.name.strip_prefix(&prefix).filter(|_| spec.head.is_none());
        let values = f32_values(&parameter.tensor)?;
        entries.push((bare.unwrap_or(&parameter.name), Entry::new(&parameter.tensor.size(), values)));
    }
    unfinished::finish(folder, tensors_file::write(folder, entries)?, None, config)
}

/// Reads a folder as it is: a sequence classifier, or any other model of that architecture as an encoder without a head. Heads of
/// pre-training, of tokens, choices and spans, and a pooler that nothing stands on, are left where they are, and told.
///
/// # Errors
/// `ERR_IO`; `ERR_MODEL` listing every setting that cannot be had here, and everything missing, unknown and mis-shaped.
pub fn load(folder: &Path, architecture: Architecture) -> Result<(Bert, LoadReport)> {
    let settings = Settings::read(folder, json_file::read(folder, CONFIG)?, architecture)?;
    let weights = BertWeights::open(folder, architecture)?;
    let [_, classifier] = bert_head::names(architecture);
    let classifies = settings.classifier.unwrap_or_else(|| weights.has(&format!("{classifier}.weight")));
    let head = classifies.then(|| settings.head(folder)).transpose()?;
    let unknown_settings = settings.unknown();
    let spec = BertSpec { head, ..settings.spec };
    let layout = Bert::layout(&spec);
    let unused = weights.others(|name| layout.iter().any(|declared| declared.name == name));
    let parameters = parameters(&weights, &spec, settings.other_head)?;
    let report = LoadReport { unused, unknown_settings, ..LoadReport::default() };
    Ok((Bert::assemble(spec, parameters, settings.kept)?, report))
}

/// Reads a folder of the format that only this program has.
pub fn load_own(folder: &Path) -> Result<Bert> {
    let ModelSpec::Bert(spec) = own_config::spec(folder, &json_file::read(folder, CONFIG)?)? else {
        return Err(ModelError::folder(&folder.join(CONFIG), "no encoder of sequences"));
    };
    let parameters = parameters(&BertWeights::open(folder, spec.architecture)?, &spec, None)?;
    Bert::assemble(spec, parameters, Map::new())
}

/// The values of every parameter of a model of that spec, and nothing left over but what such folders hold besides.
fn parameters(weights: &BertWeights, spec: &BertSpec, other_head: Option<&str>) -> Result<Parameters> {
    let layout = Bert::layout(spec);
    let mut problems: Vec<String> =
        layout.iter().filter_map(|declared| weights.mismatch(&declared.name, declared)).collect();
    let declared = |name: &str| layout.iter().any(|declared| declared.name == name);
    let unknown = weights.others(|name| declared(name) || is_left_aside(name, spec, other_head));
    problems.extend(unknown.iter().map(|name| format!("unknown: {name}")));
    weights.refuse(&problems)?;
    let values = layout.iter().map(|declared| weights.tensor(&declared.name)).collect::<Result<_>>()?;
    Parameters::with_values(&layout, values)
}

fn is_left_aside(name: &str, spec: &BertSpec, other_head: Option<&str>) -> bool {
    let mut heads = ["cls.", "lm_head."].into_iter().chain(other_head);
    let head = heads.any(|part| name.starts_with(part));
    let pooler = name.starts_with(&format!("{}.pooler.", spec.architecture.name()));
    match (&spec.head, spec.architecture) {
        (None, _) => head || pooler,
        // Older versions of transformers gave the classifier's encoder a pooler that it does not use.
        (Some(_), Architecture::Roberta) => pooler,
        (Some(_), Architecture::Bert) => false,
    }
}
