//! States by name, to be saved and loaded.

use crate::arena::{AVERAGE, SENSITIVITY, wrong_type};
use crate::array::NamedState;
use crate::error::{OptimError, Result};
use crate::loss_scale::LossScaleState;
use crate::optimizer::Optimizer;
use crate::values::Values;
use sagetrain_kernels::Stored;
use std::collections::{HashMap, HashSet};

/// What of a saved state was not used, and what of this optimizer's was not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// States this optimizer keeps that were not given, e.g. after its scope grew: they begin at 0, a master weight and an average at
    /// the parameter.
    pub missing: Vec<String>,
    /// States that were given and are not kept here, e.g. after its scope shrank.
    pub unused: Vec<String>,
}

impl<S: Stored> Optimizer<S> {
    /// Every state with its shape, as `<parameter>/<state>`: those of [`OptimizerSpec::states`] and, where kept, `sensitivity`, `master`,
    /// `compensation` and `average`. An average that has not begun is not among them: its zeros, loaded, would be averaged with.
    ///
    /// [`OptimizerSpec::states`]: crate::OptimizerSpec::states
    pub fn state(&self) -> Vec<NamedState<'_>> {
        let mut named = Vec::new();
        for (index, (parameter, arrays)) in self.parameters.iter().zip(self.arena.named()).enumerate() {
            let averages = self.averaging.as_ref().is_some_and(|averaging| averaging.has_begun(index));
            for (state, array) in arrays.into_iter().filter(|(state, _)| averages || *state != AVERAGE) {
                named.push((format!("{}/{state}", parameter.name), parameter.shape.as_slice(), array));
            }
        }
        named
    }

    /// Bytes of all arrays of states, whether they have begun or not.
    pub fn state_bytes(&self) -> usize {
        self.arena.named().iter().flatten().map(|(_, values)| values.bytes().len()).sum()
    }

    /// Takes over states by name, and the number of steps they have seen. A state that is not given begins at 0, a master weight at the
    /// parameter, an average at the parameter after the next step. `sensitivity` may be of the other size: it is rounded or widened.
    ///
    /// # Errors
    /// `ERR_SHAPE` when a shape differs, `ERR_CHECKPOINT` when a state comes twice or is of a type that is not kept. Nothing has changed
    /// then.
    pub fn load<'a, V: Into<Values<'a>> + Copy>(
        &mut self,
        state: &[(&str, &[usize], V)],
        step: u64,
    ) -> Result<LoadReport> {
        let mut given = HashMap::new();
        for (name, shape, array) in state {
            if given.insert(*name, (*shape, (*array).into())).is_some() {
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
                let name = format!("{}/{state}", parameter.name);
                match given.get(name.as_str()) {
                    Some((_, values)) => {
                        let kept = array.dtype();
                        array.copy(*values).map_err(|found| wrong_type::<S>(&name, found, kept))?;
                    }
                    None => array.clear(),
                }
            }
        }
        self.step = step;
        self.report = None;
        Ok(report)
    }

    /// As [`load`](Self::load), and goes on from where dynamic loss scaling stood; without it, or of `None`, that changes nothing.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), and `ERR_CHECKPOINT` for a scale that none can have. Nothing has changed then.
    pub fn resume<'a, V: Into<Values<'a>> + Copy>(
        &mut self,
        state: &[(&str, &[usize], V)],
        step: u64,
        loss_scale: Option<LossScaleState>,
    ) -> Result<LoadReport> {
        let mut scale = self.loss_scale.clone();
        if let (Some(scale), Some(state)) = (&mut scale, loss_scale) {
            scale.restore(state)?;
        }
        let report = self.load(state, step)?;
        self.loss_scale = scale;
        Ok(report)
    }

    /// What of `given` fits, before anything is copied.
    fn compare(&self, given: &HashMap<&str, (&[usize], Values<'_>)>) -> Result<LoadReport> {
        let mut report = LoadReport::default();
        let mut kept = HashSet::new();
        for (parameter, arrays) in self.parameters.iter().zip(self.arena.named()) {
            for (state, own) in arrays {
                let name = format!("{}/{state}", parameter.name);
                match given.get(name.as_str()) {
                    Some((shape, array)) => {
                        parameter.check_shape(state, shape, array.len())?;
                        if !fits::<S>(state, *array, own) {
                            return Err(wrong_type::<S>(&name, array.dtype(), own.dtype()));
                        }
                    }
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

/// Whether a saved array can become the one kept: of the same type, or E of the other size.
fn fits<S: Stored>(state: &str, given: Values<'_>, own: Values<'_>) -> bool {
    let either = [<S::Compute as Stored>::DTYPE, <S::Brief as Stored>::DTYPE];
    given.dtype() == own.dtype() || state == SENSITIVITY && either.contains(&given.dtype())
}
