//! The layout of torch.optim's state dicts (torch 2.13, `torch/optim/optimizer.py`), from and to states by parameter name.
//!
//! torch numbers parameters through its groups and counts steps for each; here they have names and share one count.

use crate::array::StateArray;
use crate::torch_groups::TorchGroup;
use serde_json::Value;
use std::collections::BTreeMap;

/// A state dict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TorchState {
    /// torch's class: `SGD`, `Adam`, `AdamW` or `Adamax`. `None`: the groups' keys say it, those of torch 2.13 without doubt.
    pub optimizer: Option<String>,
    /// `state`: what is kept for a parameter, by its index. A parameter that never had a gradient is not in it.
    pub state: BTreeMap<usize, TorchEntry>,
    /// `param_groups`, as JSON.
    pub param_groups: Vec<Value>,
    /// Whether it comes from [`TorchState::export`] and not from torch, which carries what it does not know along and never renews it.
    pub exported: bool,
}

/// What torch keeps for one parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TorchEntry {
    /// Steps it has seen; torch's SGD counts none.
    pub step: Option<u64>,
    /// `exp_avg`, `exp_avg_sq`, `exp_inf`, `momentum_buffer`, and of ours `sensitivity`, `average`, `master`, `compensation`: torch's
    /// `load_state_dict` keeps those (cast to the parameter's type) and its optimizers pass them over.
    pub arrays: Vec<StateArray>,
}

/// What a state dict says, in our words. Nothing of `groups` is applied by anyone: see [`TorchImport::changes`].
#[derive(Clone, Debug, PartialEq)]
pub struct TorchImport {
    /// Steps taken; `None` of torch's own SGD, which counts none: give what the run has taken.
    pub step: Option<u64>,
    /// States by `<parameter>/<state>`. Those of 16-bit parameters are widened to float32, exactly.
    pub states: Vec<StateArray>,
    /// The numbers torch trained with.
    pub groups: Vec<TorchGroup>,
    /// States of torch's optimizer that are not there, those of parameters that never had a gradient: they begin at 0, under the shared
    /// count of steps. What torch never keeps, such as `sensitivity`, is for [`LoadReport`](crate::LoadReport) to say.
    pub missing: Vec<String>,
    /// States that an export put there and torch has carried along while the parameters moved on: not taken, for `master` would undo
    /// torch's steps.
    pub stale: Vec<String>,
}

/// States that travel under their own name.
pub(crate) const OURS: [&str; 4] = ["sensitivity", "average", "master", "compensation"];
/// torch's name and ours.
pub(crate) const MOMENTUM: [&str; 2] = ["momentum_buffer", "momentum"];
