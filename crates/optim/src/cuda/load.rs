//! A device's states: where they are, copied to the host and back.

use crate::arena::Arena;
use crate::array::NamedState;
use crate::cuda::{DeviceOptimizer, StateImage, StatePlace};
use crate::error::OptimError;
use crate::layout::AVERAGE;
use crate::loss_scale::LossScaleState;
use crate::memory::Owned;
use crate::state::{Given, LoadReport, named};
use crate::values::Values;
use sagetrain_kernels::Stored;

impl<S: Stored> DeviceOptimizer<S> {
    /// How long the arena is.
    pub fn arena_bytes(&self) -> u64 {
        (self.resolved.layout.elements() * size_of::<S::Compute>()) as u64
    }

    /// Every state in the arena, in the order and with the names of [`Optimizer::state`](crate::Optimizer::state).
    pub fn places(&self) -> Vec<StatePlace<'_>> {
        let parameters = self.resolved.parameters.iter().zip(&self.slots);
        parameters
            .flat_map(|(parameter, slots)| slots.iter().map(|slot| slot.place::<S>(parameter)))
            .collect()
    }

    /// The averages that have begun: index of the parameter, bytes from the arena's beginning, how many bytes.
    pub fn averages(&self) -> Vec<(usize, u64, u64)> {
        let Some(averaging) = &self.progress.averaging else { return Vec::new() };
        let begun = self.resolved.parameters.iter().zip(&self.slots).enumerate();
        let begun = begun.filter(|(index, _)| averaging.has_begun(*index));
        let places = begun.flat_map(|(index, (parameter, slots))| {
            let places = slots.iter().map(|slot| slot.place::<S>(parameter));
            places.filter(|place| place.state == AVERAGE).map(move |place| (index, place.offset, place.bytes))
        });
        places.collect()
    }

    /// Room on the host for a copy of the arena.
    ///
    /// # Errors
    /// `ERR_INTERNAL` where there is no memory.
    pub fn image(&self) -> crate::Result<StateImage<S>> {
        Arena::new(self.resolved.layout.clone(), &Owned).map(StateImage)
    }

    /// The states in a copy of the arena, as [`Optimizer::state`](crate::Optimizer::state) gives them.
    pub fn state<'a>(&'a self, image: &'a StateImage<S>) -> Vec<NamedState<'a>> {
        named(&self.resolved.parameters, &image.0, &self.progress)
    }

    /// As [`Optimizer::resume`](crate::Optimizer::resume): `upload` copies the new arena to the device, and must make the verdict zeros.
    ///
    /// # Errors
    /// Those of [`Optimizer::resume`](crate::Optimizer::resume), and `upload`'s. Nothing has changed here then.
    pub fn load<'a, V: Into<Values<'a>> + Copy, E: From<OptimError>>(
        &mut self,
        state: &[(&str, &[usize], V)],
        step: u64,
        loss_scale: Option<LossScaleState>,
        upload: impl FnOnce(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<LoadReport, E> {
        let (parameters, given) = (&self.resolved.parameters, Given::new(state)?);
        let report = given.compare(&self.resolved)?;
        let mut progress = self.progress.clone();
        progress.restore(loss_scale)?;
        given.progress(parameters, step, &mut progress);
        let mut image = self.image()?;
        given.copy(parameters, &mut image.0)?;
        upload(image.bytes())?;
        (self.progress, self.since, self.before) = (progress, step, None);
        Ok(report)
    }
}
