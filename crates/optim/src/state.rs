//! States by name, to be saved and loaded.

use crate::arena::{Arena, wrong_type};
use crate::array::NamedState;
use crate::error::{OptimError, Result};
use crate::layout::{AVERAGE, SENSITIVITY, Slot};
use crate::loss_scale::LossScaleState;
use crate::optimizer::Optimizer;
use crate::parameter::ParameterInfo;
use crate::progress::Progress;
use crate::resolved::Resolved;
use crate::values::Values;
use sagetrain_kernels::{Float, Stored};
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
        named(&self.resolved.parameters, &self.arena, &self.progress)
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
        let given = Given::new(state)?;
        let report = given.compare(&self.resolved)?;
        given.copy(&self.resolved.parameters, &mut self.arena)?;
        given.progress(&self.resolved.parameters, step, &mut self.progress);
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
        let mut scale = self.progress.clone();
        scale.restore(loss_scale)?;
        let report = self.load(state, step)?;
        self.progress.loss_scale = scale.loss_scale;
        Ok(report)
    }
}

/// Every array of an arena with its name and shape, but for averages that have not begun.
pub(crate) fn named<'a, S: Stored>(
    parameters: &'a [ParameterInfo],
    arena: &'a Arena<S>,
    progress: &Progress<S::Compute>,
) -> Vec<NamedState<'a>> {
    let mut named = Vec::new();
    for (index, (parameter, arrays)) in parameters.iter().zip(arena.named()).enumerate() {
        let averages = progress.averaging.as_ref().is_some_and(|averaging| averaging.has_begun(index));
        for (state, array) in arrays.into_iter().filter(|(state, _)| averages || *state != AVERAGE) {
            named.push((format!("{}/{state}", parameter.name), parameter.shape.as_slice(), array));
        }
    }
    named
}

/// States that are to be taken over, by name.
pub(crate) struct Given<'k, 'a>(HashMap<&'k str, (&'k [usize], Values<'a>)>);

impl<'k, 'a> Given<'k, 'a> {
    pub fn new<V: Into<Values<'a>> + Copy>(state: &[(&'k str, &'k [usize], V)]) -> Result<Self> {
        let mut given = HashMap::new();
        for (name, shape, array) in state {
            if given.insert(*name, (*shape, (*array).into())).is_some() {
                return Err(OptimError::Checkpoint { problem: format!("'{name}' comes twice") });
            }
        }
        Ok(Self(given))
    }

    /// What fits, before anything is copied.
    pub fn compare<S: Stored>(&self, resolved: &Resolved<S>) -> Result<LoadReport> {
        let mut report = LoadReport::default();
        let mut kept = HashSet::new();
        for (parameter, slots) in resolved.parameters.iter().zip(resolved.layout.slots()) {
            for slot in slots {
                let name = format!("{}/{}", parameter.name, slot.name);
                match self.0.get(name.as_str()) {
                    Some((shape, array)) => {
                        parameter.check_shape(slot.name, shape, array.len())?;
                        if !fits::<S>(*array, slot) {
                            return Err(wrong_type::<S>(&name, array.dtype(), slot.dtype::<S>()));
                        }
                    }
                    None => report.missing.push(name.clone()),
                }
                kept.insert(name);
            }
        }
        report.unused =
            self.0.keys().filter(|name| !kept.contains(**name)).map(|name| (*name).to_owned()).collect();
        report.unused.sort_unstable();
        Ok(report)
    }

    /// Copies what [`compare`](Self::compare) found to fit; the rest becomes zeros.
    pub fn copy<S: Stored>(&self, parameters: &[ParameterInfo], arena: &mut Arena<S>) -> Result<()> {
        for (parameter, arrays) in parameters.iter().zip(arena.named_mut()) {
            for (state, array) in arrays {
                let name = format!("{}/{state}", parameter.name);
                match self.0.get(name.as_str()) {
                    Some((_, values)) => {
                        let kept = array.dtype();
                        array.copy(*values).map_err(|found| wrong_type::<S>(&name, found, kept))?;
                    }
                    None => array.clear(),
                }
            }
        }
        Ok(())
    }

    /// Goes on at `step`, with the averages that were given.
    pub fn progress<F: Float>(&self, parameters: &[ParameterInfo], step: u64, progress: &mut Progress<F>) {
        progress.step = step;
        if let Some(averaging) = &mut progress.averaging {
            let averages = parameters.iter().map(|parameter| format!("{}/{AVERAGE}", parameter.name));
            averaging.loaded(averages.map(|name| self.0.contains_key(name.as_str())).collect());
        }
    }
}

/// Whether a saved array can become the one kept: of the same type, or E of the other size.
fn fits<S: Stored>(given: Values<'_>, slot: Slot) -> bool {
    let either = [<S::Compute as Stored>::DTYPE, <S::Brief as Stored>::DTYPE];
    given.dtype() == either[usize::from(slot.brief)]
        || slot.name == SENSITIVITY && either.contains(&given.dtype())
}
