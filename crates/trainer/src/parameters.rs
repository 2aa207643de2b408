//! A model's parameters as the optimizer knows them.

use sagetrain_models::{Model, Parameter, Role};
use sagetrain_optim::ParameterInfo;

/// Names, shapes and roles, in the model's order.
pub(crate) fn infos(model: &dyn Model) -> Vec<ParameterInfo> {
    model.parameters().iter().map(info).collect()
}

fn info(parameter: &Parameter) -> ParameterInfo {
    let role = match parameter.role {
        Role::EncoderLinear => sagetrain_optim::Role::EncoderLinear,
        Role::DecoderLinear | Role::HiddenLinear | Role::Output => sagetrain_optim::Role::Linear,
        Role::Embedding => sagetrain_optim::Role::Embedding,
        Role::Norm => sagetrain_optim::Role::Normalisation,
    };
    let shape = parameter.tensor.size().into_iter().map(|length| length as usize).collect();
    ParameterInfo { name: parameter.name.clone(), shape, role: Some(role) }
}
