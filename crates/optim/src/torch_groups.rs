//! `param_groups` of a torch.optim state dict: the numbers of SGD, Adam, AdamW and Adamax (torch 2.13), from and to a spec.

use crate::error::{OptimError, Result};
use crate::fields::{Fields, not_among};
use crate::moments::MomentSpec;
use crate::sgd::SgdSpec;
use crate::spec::OptimizerSpec;
use sagetrain_kernels::Decay;
use serde_json::{Value, json};

/// The numbers of one of torch's groups, and whose they are.
#[derive(Clone, Debug, PartialEq)]
pub struct TorchGroup {
    /// What the group's numbers are in our words. `lr` is torch's `initial_lr` where a scheduler has left one: the base rate.
    pub spec: OptimizerSpec,
    /// Names of its parameters.
    pub names: Vec<String>,
}

/// A group as torch writes it.
pub(crate) struct RawGroup {
    pub spec: OptimizerSpec,
    pub params: Vec<usize>,
    /// There where the torch optimizer was given `named_parameters()`.
    pub param_names: Option<Vec<String>>,
}

const CLASSES: [&str; 4] = ["SGD", "Adam", "AdamW", "Adamax"];
/// Keys of every class; `foreach`, `capturable`, `differentiable` and `fused` choose an implementation and change no rule.
const COMMON: [&str; 10] = [
    "params",
    "param_names",
    "lr",
    "initial_lr",
    "weight_decay",
    "maximize",
    "foreach",
    "capturable",
    "differentiable",
    "fused",
];

/// Reads `param_groups[index]` of an optimizer of torch's class `class`; without it the group's keys must say which it is.
pub(crate) fn read(group: &Value, index: usize, class: Option<&str>) -> Result<RawGroup> {
    let path = format!("param_groups[{index}]");
    let class = class_of(group, &path, class)?;
    let own: &[&str] = match class {
        "SGD" => &["momentum", "dampening", "nesterov"],
        "Adamax" => &["betas", "eps"],
        _ => &["betas", "eps", "amsgrad", "decoupled_weight_decay"],
    };
    let fields = Fields::of(group, &path, &[&COMMON[..], own].concat())?;
    for flag in ["maximize", "amsgrad"].into_iter().filter(|flag| COMMON.contains(flag) || own.contains(flag))
    {
        if fields.flag(flag)? == Some(true) {
            let problem = "is true, which sagetrain has not; train without it in torch, or begin anew here";
            return Err(fields.error(flag, problem));
        }
    }
    let spec = if class == "SGD" { sgd(&fields)? } else { moments(&fields, class)? };
    let params = indices(&fields)?;
    let param_names = fields.strings("param_names")?;
    if let Some(names) = param_names.as_ref().filter(|names| names.len() != params.len()) {
        let problem = format!("has {} names for {} params", names.len(), params.len());
        return Err(fields.error("param_names", problem));
    }
    Ok(RawGroup { spec, params, param_names })
}

fn class_of<'a>(group: &Value, path: &str, class: Option<&'a str>) -> Result<&'a str> {
    let has = |key: &str| group.get(key).is_some();
    let decoupled = group.get("decoupled_weight_decay").and_then(Value::as_bool);
    match class {
        Some(class) if CLASSES.contains(&class) => Ok(class),
        Some(other) => Err(OptimError::config("optimizer", not_among(&json!(other), &CLASSES))),
        None if has("momentum") && has("dampening") => Ok("SGD"),
        None if has("betas") && has("amsgrad") && decoupled.is_some() => Ok("Adam"),
        None if has("betas") && !has("amsgrad") => Ok("Adamax"),
        None => {
            let problem = "does not say of which optimizer it is; save `type(optimizer).__name__` as `optimizer` in the metadata";
            Err(OptimError::config(path, problem))
        }
    }
}

/// The base rate: a scheduler moves `lr` and keeps the one it began with.
fn rate(fields: &Fields<'_>) -> Result<f64> {
    let lr = fields.rate()?;
    Ok(fields.at_least_0("initial_lr")?.unwrap_or(lr))
}

fn sgd(fields: &Fields<'_>) -> Result<OptimizerSpec> {
    if let Some(dampening) = fields.number("dampening", "a number", |_| true)?.filter(|number| *number != 0.0)
    {
        let problem = format!("is {dampening}, and sagetrain's momentum has none; train with 0 in torch");
        return Err(fields.error("dampening", problem));
    }
    let mut spec = SgdSpec::new(rate(fields)?);
    let momentum = fields.number("momentum", "a number from 0 to below 1", |mu| (0.0..1.0).contains(&mu))?;
    spec.momentum = momentum.unwrap_or(0.0);
    spec.nesterov = fields.flag("nesterov")?.unwrap_or(false);
    spec.weight_decay = fields.at_least_0("weight_decay")?.unwrap_or(0.0);
    Ok(OptimizerSpec::Sgd(spec))
}

fn moments(fields: &Fields<'_>, class: &str) -> Result<OptimizerSpec> {
    let flag = if class == "Adamax" { None } else { fields.flag("decoupled_weight_decay")? };
    let decoupled = flag.unwrap_or(class == "AdamW");
    let decay = if decoupled { Decay::Decoupled } else { Decay::Coupled };
    let mut spec = MomentSpec::new(rate(fields)?, decay);
    let betas = fields.pair("betas", "two numbers from 0 to below 1", |beta| (0.0..1.0).contains(&beta))?;
    spec.betas = betas.ok_or_else(|| fields.error("betas", "is missing, must be two numbers"))?;
    let eps = fields.number("eps", "a number above 0", |eps| eps > 0.0)?;
    spec.eps = eps.ok_or_else(|| fields.error("eps", "is missing, must be a number above 0"))?;
    spec.weight_decay = fields.at_least_0("weight_decay")?.unwrap_or(0.0);
    Ok(match (class, decoupled) {
        ("Adamax", _) => OptimizerSpec::Adamax(spec),
        (_, true) => OptimizerSpec::AdamW(spec),
        (_, false) => OptimizerSpec::Adam(spec),
    })
}

fn indices(fields: &Fields<'_>) -> Result<Vec<usize>> {
    let list = fields.get("params").and_then(Value::as_array);
    let index = |value: &Value| value.as_u64().and_then(|index| usize::try_from(index).ok());
    let indices = list.and_then(|list| list.iter().map(index).collect());
    indices.ok_or_else(|| fields.error("params", "must be a list of indices"))
}

/// torch's class for a spec. Of SAGE nothing is said: torch goes on with the base optimizer.
///
/// # Errors
/// `ERR_CONFIG` where torch has no such weight decay; where λ is 0 everywhere it does not matter where it would enter.
pub(crate) fn class(spec: &OptimizerSpec, decays: bool) -> Result<&'static str> {
    let (class, decay) = match spec {
        OptimizerSpec::Sgd(spec) => ("SGD", Some(spec.decay)),
        OptimizerSpec::Adamax(spec) => ("Adamax", spec.decay),
        OptimizerSpec::Adam(spec) | OptimizerSpec::AdamW(spec) if spec.decay == Some(Decay::Coupled) => {
            ("Adam", spec.decay)
        }
        OptimizerSpec::Adam(spec) | OptimizerSpec::AdamW(spec) => ("AdamW", spec.decay),
    };
    let torch = if class == "AdamW" { Decay::Decoupled } else { Decay::Coupled };
    // Without a word, the released form's: beside the step, as a decoupled one is.
    if decays && decay.unwrap_or(Decay::Decoupled) != torch {
        let problem =
            format!("torch's {class} has no such decay; export with weightDecay 0, or from another decay");
        return Err(OptimError::config("optimizer.decay", problem));
    }
    Ok(class)
}

/// A group as torch 2.13 writes it, every key of its class with torch's default where ours has no such thing.
pub(crate) fn write(
    spec: &OptimizerSpec,
    class: &str,
    (lr, weight_decay): (f64, f64),
    params: &[usize],
    param_names: &[&str],
) -> Value {
    let mut group = match spec {
        OptimizerSpec::Sgd(spec) => {
            json!({ "lr": lr, "momentum": spec.momentum, "dampening": 0, "nesterov": spec.nesterov, "fused": null })
        }
        OptimizerSpec::Adamax(spec) => {
            json!({ "lr": lr, "betas": spec.betas, "eps": spec.eps, "capturable": false })
        }
        OptimizerSpec::Adam(spec) | OptimizerSpec::AdamW(spec) => json!({
            "lr": lr, "betas": spec.betas, "eps": spec.eps, "amsgrad": false, "capturable": false, "fused": null,
            "decoupled_weight_decay": class == "AdamW",
        }),
    };
    let more = json!({
        "weight_decay": weight_decay, "maximize": false, "foreach": null, "differentiable": false,
        "params": params, "param_names": param_names,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        group[key] = value.clone();
    }
    group
}
