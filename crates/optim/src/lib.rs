//! Optimizers over flat arrays: specs, groups, scope, schedules, clipping and named state over `sagetrain-kernels`.
//!
//! ```
//! use sagetrain_optim::{Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo, SageSpec, Serial, StepInputs};
//!
//! let spec = OptimizerSpec::adam(1e-3).with_sage(SageSpec::default());
//! let parameters = [ParameterInfo::new("weight", [2, 2]), ParameterInfo::new("bias", [2])];
//! let mut optimizer = Optimizer::<f32>::new(&spec, &parameters, &OptimizerOptions::default(), &Owned)?;
//!
//! let (mut weight, mut bias) = ([0.1f32, -0.2, 0.3, 0.4], [0.0f32, 0.0]);
//! let gradients: [Option<&[f32]>; 2] = [Some(&[0.5, -0.5, 0.25, 0.0]), Some(&[1.0, -1.0])];
//! let report = optimizer.step(&mut [&mut weight, &mut bias], &gradients, StepInputs::default(), &Serial)?;
//! assert_eq!(report.step, 1);
//! assert!(bias[0] < 0.0, "a parameter that is exactly 0 moves: r = ε/ε = 1");
//! # Ok::<(), sagetrain_optim::OptimError>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod arena;
mod array;
mod average;
mod changes;
#[cfg(unix)]
pub mod cuda;
mod decay;
mod error;
mod executor;
mod fields;
mod files;
mod gradient;
mod group;
mod layout;
mod loss_scale;
mod memory;
mod moments;
mod optimizer;
mod options;
mod parameter;
mod precision;
mod progress;
mod report;
mod resolved;
mod rule;
mod sage;
mod schedule;
mod scope;
mod sgd;
mod share;
mod spec;
mod state;
mod state_file;
mod tensor_file;
mod tile;
mod torch_changes;
mod torch_export;
mod torch_file;
mod torch_groups;
mod torch_import;
mod torch_state;
mod update;
mod values;

pub use array::{NamedState, StateArray, StateValues};
pub use changes::{Change, changes, shown};
pub use error::{OptimError, Result};
pub use executor::{Executor, Pool, Serial};
pub use files::Restored;
pub use loss_scale::{LossScale, LossScaleSpec, LossScaleState};
pub use memory::{Allocate, Memory, Owned};
pub use moments::MomentSpec;
pub use optimizer::{Optimizer, StepInputs, StepReport};
pub use options::{AverageSpec, GroupSpec, NonFinite, OptimizerOptions};
pub use parameter::{ParameterInfo, Role};
pub use precision::{Rounding, SensitivityDtype};
pub use report::{ElementSensitivity, SensitivityReport, Summary, TensorSensitivity};
pub use sage::{Form, ObserveSpec, SageSpec};
pub use sagetrain_kernels::{Decay, Float, Modulation, Stored, bf16, f16};
pub use schedule::{ScheduleSpec, Warmup};
pub use scope::{Scope, Selection};
pub use sgd::SgdSpec;
pub use spec::OptimizerSpec;
pub use state::LoadReport;
pub use state_file::{SavedState, StateChanges, StateOrigin, read_state, write_state};
pub use torch_file::{read_torch_state, write_torch_state};
pub use torch_groups::TorchGroup;
pub use torch_state::{TorchEntry, TorchImport, TorchState};
pub use values::Values;
