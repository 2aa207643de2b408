//! States by name, to be saved and loaded.

use crate::arena::AVERAGE;
use crate::error::{OptimError, Result};
use crate::optimizer::Optimizer;
use sagetrain_kernels::Float;
use std::collections::{HashMap, HashSet};

/// What of a saved state was not used, and what of this optimizer's was not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// States this optimizer keeps that were not given, e.g. after its scope grew: they begin at 0.
    pub missing: Vec<String>,
    /// States that were given and are not kept here, e.g. after its scope shrank.
    pub unused: Vec<String>,
}

impl<F: Float> Optimizer<F> {
    /// Every state with its shape, as `<parameter>/<state>`: those of [`OptimizerSpec::states`] and, where kept, `sensitivity` and `average`.
    ///
    /// [`OptimizerSpec::states`]: crate::OptimizerSpec::states
    pub fn state(&self) -> Vec<(String, &[usize], &[F])> {
        let mut named = Vec::new();
        for (parameter, arrays) in self.parameters.iter().zip(self.arena.named()) {
            for (state, array) in arrays {
                named.push((format!("{}/{state}", parameter.name), parameter.shape.as_slice(), array));
            }
        }
        named
    }

    /// Takes over states by name, and the number of steps they have seen. A state that is not given begins at 0, an average at the
    /// parameters of the next step.
    ///
    /// # Errors
    /// `ERR_SHAPE` when a shape differs, `ERR_CHECKPOINT` when a state comes twice. Nothing has changed then.
    pub fn load(&mut self, state: &[(&str, &[usize], &[F])], step: u64) -> Result<LoadReport> {
        let mut given = HashMap::new();
        for (name, shape, array) in state {
            if given.insert(*name, (*shape, *array)).is_some() {
                return Err(OptimError::Checkpoint { problem: format!("'{name}' comes twice") });
            }
        }
        let report = self.compare(&given)?;
        if let Some(averaging) = &mut self.averaging {
            let averages = self.parameters.iter().map(|parameter| format!("{}/{AVERAGE}", parameter.name));
            averaging.loaded(averages.map(|name| given.contains_key(name.as_str())).collect());
        }
        for (parameter, arrays) in self.parameters.iter().zip(self.arena.named_mut()) {
            for (state, array) in arrays {
                match given.get(format!("{}/{state}", parameter.name).as_str()) {
                    Some((_, values)) => array.copy_from_slice(values),
                    None => array.fill(F::ZERO),
                }
            }
        }
        self.step = step;
        Ok(report)
    }

    /// What of `given` fits, before anything is copied.
    fn compare(&self, given: &HashMap<&str, (&[usize], &[F])>) -> Result<LoadReport> {
        let mut report = LoadReport::default();
        let mut kept = HashSet::new();
        for (parameter, arrays) in self.parameters.iter().zip(self.arena.named()) {
            for (state, _) in arrays {
                let name = format!("{}/{state}", parameter.name);
                match given.get(name.as_str()) {
                    Some((shape, array)) => parameter.check_shape(state, shape, array.len())?,
                    None => report.missing.push(name.clone()),
                }
                kept.insert(name);
            }
        }
        report.unused =
            given.keys().filter(|name| !kept.contains(**name)).map(|name| (*name).to_owned()).collect();
        report.unused.sort_unstable();
        Ok(report)
    }
}
