//! The head that a config.json of transformers' sequence classifiers describes.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::bert_config::POOLER_DROPOUT;
use crate::bert_spec::BertSpec;
use crate::head_spec::{HeadKind, HeadOptions, HeadSpec};

/// The head of an encoder of that spec, or why it cannot be had here.
pub fn head(config: &Map<String, Value>, spec: &BertSpec) -> Result<HeadSpec, String> {
    let labels = labels(config)?;
    let classes = match &labels {
        Some(labels) => labels.len(),
        None => {
            config.get("num_labels").map_or(Some(2), Value::as_u64).ok_or("num_labels is no number")? as usize
        }
    };
    let kind = kind(config, classes)?;
    let options = HeadOptions {
        kind,
        classes,
        labels,
        dropout: rate(config, "classifier_dropout")?,
        pooler_dropout: rate(config, POOLER_DROPOUT)?,
    };
    Ok(options.on(spec.architecture, spec.dropout))
}

fn kind(config: &Map<String, Value>, classes: usize) -> Result<HeadKind, String> {
    let problem = config.get("problem_type").and_then(Value::as_str);
    match (problem, classes) {
        (Some("regression") | None, 1) => Ok(HeadKind::Regression),
        (Some("single_label_classification") | None, 2..) => Ok(HeadKind::Classification),
        _ => Err(format!(
            "problem_type {} with {classes} labels cannot be had here: single_label_classification of two or more labels, \
             or regression with one, is expected",
            config.get("problem_type").unwrap_or(&Value::Null)
        )),
    }
}

/// The classes' names by number.
fn labels(config: &Map<String, Value>) -> Result<Option<Vec<String>>, String> {
    let Some(names) = config.get("id2label").filter(|names| !names.is_null()) else { return Ok(None) };
    let broken =
        || format!("id2label is {names}, a name for each of the numbers from 0 on is expected, no two alike");
    let object = names.as_object().ok_or_else(broken)?;
    let name = |index: usize| object.get(&index.to_string()).and_then(Value::as_str).map(str::to_owned);
    let labels: Vec<String> = (0..object.len()).map(name).collect::<Option<_>>().ok_or_else(broken)?;
    let distinct = labels.iter().collect::<HashSet<_>>().len() == labels.len();
    if distinct { Ok(Some(labels)) } else { Err(broken()) }
}

fn rate(config: &Map<String, Value>, key: &str) -> Result<Option<f64>, String> {
    let Some(value) = config.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let rate = value.as_f64().filter(|rate| (0.0..1.0).contains(rate));
    rate.map(Some)
        .ok_or_else(|| format!("{key} is {value}, a number of 0 up to, not including, 1 is expected"))
}
