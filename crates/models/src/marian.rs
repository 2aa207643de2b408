//! The translation model as a Hugging Face folder.
//!
//! Post-norm models are MarianMTModel's, name by name, as transformers itself saves it: the shared embedding once, no
//! position tables, `final_logits_bias` as a buffer. Pre-norm models have a `model_type` of their own, so that
//! transformers refuses them by name instead of computing something else.

use std::path::Path;

use safetensors::SafeTensors;
use sagetrain_torch::f32_slice;

use crate::error::{ModelError, Result};
use crate::json_file::{self, CONFIG};
use crate::model::Model;
use crate::own_config;
use crate::parameters::Parameters;
use crate::spec::ModelSpec;
use crate::tensors_file::{self, Entry};
use crate::transformer::Transformer;
use crate::transformer_spec::{Normalization, TransformerSpec};
use crate::{embedding, marian_config};

const LOGITS_BIAS: &str = "final_logits_bias";
const SHARED: &str = "model.shared.weight";
/// Older folders repeat the shared table under these names.
const TIED: [&str; 3] =
    ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"];
/// Older folders hold the sinusoids.
const POSITIONS: [&str; 2] = ["model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"];

/// Writes config.json, generation_config.json and model.safetensors.
pub fn save(model: &Transformer, folder: &Path) -> Result<()> {
    match model.spec.normalization {
        Normalization::Post => json_file::write(folder, CONFIG, &marian_config::config(&model.spec))?,
        Normalization::Pre => own_config::write(folder, model.spec())?,
    }
    json_file::write(folder, "generation_config.json", &marian_config::generation_config(&model.spec))?;

    let vocabulary = model.spec.vocabulary_size;
    let bias = model.logits_bias.as_ref().map(f32_slice).transpose()?;
    let bias = bias.map_or_else(|| vec![0.0; vocabulary], <[f32]>::to_vec);
    let mut entries = vec![(LOGITS_BIAS, Entry::new(&[1, vocabulary as i64], bias))];
    for parameter in model.parameters().iter() {
        let values = f32_slice(&parameter.tensor)?;
        entries.push((&parameter.name, Entry::new(&parameter.tensor.size(), values)));
    }
    tensors_file::write(folder, entries)
}

/// Reads a folder that [`save`] or transformers wrote.
pub fn load(folder: &Path) -> Result<Transformer> {
    let config = json_file::read(folder, CONFIG)?;
    let spec = match config.get("model_type").and_then(|kind| kind.as_str()) {
        Some(marian_config::MODEL_TYPE) => marian_config::spec(folder, &config)?,
        _ => own_config::spec(folder, &config)?,
    };
    let ModelSpec::Transformer(spec) = spec else {
        return Err(ModelError::folder(&folder.join(CONFIG), "no transformer"));
    };
    let bytes = tensors_file::read(folder)?;
    let file = tensors_file::parse(folder, &bytes)?;
    let layout = Transformer::layout(&spec);
    let also: Vec<&str> = TIED.into_iter().chain(POSITIONS).chain([LOGITS_BIAS]).collect();
    let values = tensors_file::take(folder, &file, &layout, &also)?;
    check_copies(folder, &file, &spec)?;
    let bias = logits_bias(folder, &file, &spec)?;
    Transformer::assemble(spec, Parameters::with_values(&layout, values)?, bias.as_deref())
}

/// What repeats something known must repeat it exactly, or loading would change the model.
fn check_copies(folder: &Path, file: &SafeTensors, spec: &TransformerSpec) -> Result<()> {
    let refuse = |name: &str, problem| {
        Err(ModelError::folder(&folder.join(tensors_file::FILE), format!("{name} {problem}")))
    };
    let shared = file.tensor(SHARED).ok();
    for name in TIED {
        if file
            .tensor(name)
            .is_ok_and(|copy| Some(copy.data()) != shared.as_ref().map(|shared| shared.data()))
        {
            return refuse(name, "differs from model.shared.weight: untied embeddings cannot be had here");
        }
    }
    for name in POSITIONS.into_iter().filter(|name| file.tensor(name).is_ok()) {
        let found = tensors_file::tensor(folder, file, name)?;
        let expected = embedding::sinusoids(spec.max_positions, spec.hidden_size)?;
        if found.size() != expected.size() || !found.f_allclose(&expected, 0.0, 1e-3, false)? {
            return refuse(name, "is not the table of sinusoids: learnt positions cannot be had here");
        }
    }
    Ok(())
}

fn logits_bias(folder: &Path, file: &SafeTensors, spec: &TransformerSpec) -> Result<Option<Vec<f32>>> {
    let Ok(found) = file.tensor(LOGITS_BIAS) else { return Ok(None) };
    if found.shape() != [1, spec.vocabulary_size] {
        let problem =
            format!("{LOGITS_BIAS} is {:?}, [1, {}] is expected", found.shape(), spec.vocabulary_size);
        return Err(ModelError::folder(&folder.join(tensors_file::FILE), problem));
    }
    let tensor = tensors_file::tensor(folder, file, LOGITS_BIAS)?;
    Ok(Some(f32_slice(&tensor)?.to_vec()))
}
