//! The perceptron as a folder: a config of our own, weights by name.

use std::path::Path;

use sagetrain_torch::f32_values;

use crate::error::{ModelError, Result};
use crate::json_file::{self, CONFIG};
use crate::mlp::Mlp;
use crate::model::Model;
use crate::parameters::Parameters;
use crate::spec::ModelSpec;
use crate::tensors_file::{self, Entry};
use crate::{own_config, unfinished};

/// Writes config.json and model.safetensors.
pub fn save(model: &Mlp, folder: &Path) -> Result<()> {
    let config = own_config::write(folder, model.spec())?;
    let mut entries = Vec::new();
    for parameter in model.parameters().iter() {
        let values = f32_values(&parameter.tensor)?;
        entries.push((parameter.name.as_str(), Entry::new(&parameter.tensor.size(), values)));
    }
    unfinished::finish(folder, tensors_file::write(folder, entries)?, None, config)
}

/// Reads a folder that [`save`] wrote.
pub fn load(folder: &Path) -> Result<Mlp> {
    let config = json_file::read(folder, CONFIG)?;
    let ModelSpec::Mlp(spec) = own_config::spec(folder, &config)? else {
        return Err(ModelError::folder(&folder.join(CONFIG), "no perceptron"));
    };
    let bytes = tensors_file::read(folder)?;
    let file = tensors_file::parse(folder, &bytes)?;
    let layout = Mlp::layout(&spec);
    let values = tensors_file::take(folder, &file, &layout, &[])?;
    Mlp::assemble(spec, Parameters::with_values(&layout, values)?)
}
