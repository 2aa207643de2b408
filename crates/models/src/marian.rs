//! The translation model as a Hugging Face folder.
//!
//! Names and shapes are transformers' own, for MarianMTModel in post-norm and PegasusForConditionalGeneration in pre-norm, as
//! transformers itself saves them: tied tables once, `final_logits_bias` as a buffer, tables of positions for Pegasus only. What neither holds has a
//! `model_type` of its own, so that transformers refuses it by name instead of computing something else.

use std::borrow::Cow;
use std::path::Path;

use safetensors::SafeTensors;
use sagetrain_torch::{f32_slice, f32_values};

use crate::error::{ModelError, Result};
use crate::format::Format;
use crate::json_file::{self, CONFIG};
use crate::model::Model;
use crate::parameters::Parameters;
use crate::spec::ModelSpec;
use crate::tensors_file::{self, Entry};
use crate::transformer::Transformer;
use crate::transformer_spec::TransformerSpec;
use crate::vocabulary::Embeddings;
use crate::{embedding, marian_config, marian_spec, own_config, tables, unfinished};

const LOGITS_BIAS: &str = "final_logits_bias";
/// The sinusoids, which Pegasus's folders hold, Marian's older ones too.
const POSITIONS: [&str; 2] = ["model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"];

/// Writes config.json, generation_config.json and model.safetensors.
pub fn save(model: &Transformer, folder: &Path) -> Result<()> {
    let config = match Format::of(&model.spec) {
        Format::Own => own_config::write(folder, model.spec())?,
        format => json_file::write(folder, CONFIG, &marian_config::config(&model.spec, format))?,
    };
    let generation =
        json_file::write(folder, "generation_config.json", &marian_config::generation_config(&model.spec))?;

    let vocabulary = model.spec.vocabulary.target();
    let bias = model.logits_bias.as_ref().map(f32_values).transpose()?;
    let bias = bias.map_or_else(|| vec![0.0; vocabulary], Cow::into_owned);
    let mut entries = vec![(LOGITS_BIAS, Entry::new(&[1, vocabulary as i64], bias))];
    for parameter in model.parameters().iter() {
        let values = f32_values(&parameter.tensor)?;
        entries.push((&parameter.name, Entry::new(&parameter.tensor.size(), values)));
    }
    let positions = embedding::sinusoids(model.spec.max_positions, model.spec.hidden_size)?;
    if Format::of(&model.spec) == Format::Pegasus {
        for name in POSITIONS {
            entries.push((name, Entry::new(&positions.size(), f32_slice(&positions)?)));
        }
    }
    unfinished::finish(folder, tensors_file::write(folder, entries)?, Some(generation), config)
}

/// Reads a folder that [`save`] or transformers wrote.
pub fn load(folder: &Path) -> Result<Transformer> {
    let config = json_file::read(folder, CONFIG)?;
    let spec = match config.get("model_type").and_then(|kind| kind.as_str()) {
        Some("marian") => marian_spec::spec(folder, &config, Format::Marian)?,
        Some("pegasus") => marian_spec::spec(folder, &config, Format::Pegasus)?,
        _ => own_config::spec(folder, &config)?,
    };
    let ModelSpec::Transformer(spec) = spec else {
        return Err(ModelError::folder(&folder.join(CONFIG), "no transformer"));
    };
    let bytes = tensors_file::read(folder)?;
    let file = tensors_file::parse(folder, &bytes)?;
    let layout = Transformer::layout(&spec);
    let copies = copies(spec.embeddings);
    let copied = copies.iter().map(|(copy, _)| *copy);
    let also: Vec<&str> = copied.chain(POSITIONS).chain([LOGITS_BIAS]).collect();
    let values = tensors_file::take(folder, &file, &layout, &also)?;
    check_copies(folder, &file, &copies)?;
    check_positions(folder, &file, &spec)?;
    let bias = logits_bias(folder, &file, &spec)?;
    Transformer::assemble(spec, Parameters::with_values(&layout, values)?, bias.as_deref())
}

/// Where older folders repeat a tied table, and the name it has here.
fn copies(embeddings: Embeddings) -> Vec<(&'static str, &'static str)> {
    let places = [tables::SOURCE, tables::TARGET, tables::OUTPUT];
    places.into_iter().zip(tables::names(embeddings)).filter(|(place, name)| place != name).collect()
}

/// What repeats a tied table must repeat it exactly, or loading would change the model.
fn check_copies(folder: &Path, file: &SafeTensors, copies: &[(&str, &str)]) -> Result<()> {
    for &(copy, name) in copies {
        let (Ok(found), Ok(table)) = (file.tensor(copy), file.tensor(name)) else { continue };
        if found.data() != table.data() {
            let problem = format!("differs from {name}, with which config.json ties it");
            return Err(refusal(folder, copy, &problem));
        }
    }
    Ok(())
}

/// Positions are not learnt here, so a table of them must be the one that is computed.
fn check_positions(folder: &Path, file: &SafeTensors, spec: &TransformerSpec) -> Result<()> {
    for name in POSITIONS.into_iter().filter(|name| file.tensor(name).is_ok()) {
        let found = tensors_file::tensor(folder, file, name)?;
        let expected = embedding::sinusoids(spec.max_positions, spec.hidden_size)?;
        if found.size() != expected.size() || !found.f_allclose(&expected, 0.0, 1e-3, false)? {
            let problem = "is not the table of sinusoids: learnt positions cannot be had here";
            return Err(refusal(folder, name, problem));
        }
    }
    Ok(())
}

fn refusal(folder: &Path, name: &str, problem: &str) -> ModelError {
    ModelError::folder(&folder.join(tensors_file::FILE), format!("{name} {problem}"))
}

fn logits_bias(folder: &Path, file: &SafeTensors, spec: &TransformerSpec) -> Result<Option<Vec<f32>>> {
    let Ok(found) = file.tensor(LOGITS_BIAS) else { return Ok(None) };
    if found.shape() != [1, spec.vocabulary.target()] {
        let problem =
            format!("{LOGITS_BIAS} is {:?}, [1, {}] is expected", found.shape(), spec.vocabulary.target());
        return Err(ModelError::folder(&folder.join(tensors_file::FILE), problem));
    }
    let tensor = tensors_file::tensor(folder, file, LOGITS_BIAS)?;
    Ok(Some(f32_slice(&tensor)?.to_vec()))
}
