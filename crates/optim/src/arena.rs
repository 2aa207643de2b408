//! All states of all parameters in one piece of memory.

use crate::error::Result;
use crate::memory::{Allocate, Memory};
use crate::parameter::ParameterInfo;
use sagetrain_kernels::Float;
use std::mem::take;

/// Every array begins at a multiple of this many elements: a cache line for float32.
const ALIGN: usize = 16;

/// The name of E.
const SENSITIVITY: &str = "sensitivity";

/// The name of the parameters' average.
pub(crate) const AVERAGE: &str = "average";

/// The arena and who lives where in it: for each parameter its rule's states, then E and the average where they are kept.
pub(crate) struct Arena<F> {
    memory: Box<dyn Memory<F>>,
    places: Vec<Place>,
    base: &'static [&'static str],
    averages: bool,
}

/// One parameter's arrays, `elements` long and `stride` apart.
struct Place {
    elements: usize,
    stride: usize,
    keeps: bool,
}

/// One parameter's arrays; what is not kept is empty.
pub(crate) struct States<'a, F> {
    pub first: &'a mut [F],
    pub second: &'a mut [F],
    pub sensitivity: &'a mut [F],
    pub average: &'a mut [F],
}

impl<F: Float> Arena<F> {
    /// Zeros for the rule's states, at most two, named by `base`, for E where `keeps` says so, and for averages.
    pub fn new(
        parameters: &[ParameterInfo],
        base: &'static [&'static str],
        keeps: impl Fn(usize) -> bool,
        averages: bool,
        allocate: &dyn Allocate<F>,
    ) -> Result<Self> {
        let place = |(index, parameter): (usize, &ParameterInfo)| {
            let elements = parameter.elements();
            Place { elements, stride: elements.next_multiple_of(ALIGN), keeps: keeps(index) }
        };
        let places: Vec<Place> = parameters.iter().enumerate().map(place).collect();
        let arrays = |place: &Place| base.len() + usize::from(place.keeps) + usize::from(averages);
        let elements = places.iter().map(|place| place.stride * arrays(place)).sum();
        Ok(Self { memory: allocate.zeros(elements)?, places, base, averages })
    }

    /// For each parameter its arrays by name.
    pub fn named(&self) -> Vec<Vec<(&'static str, &[F])>> {
        let mut rest = self.memory.as_slice();
        let mut cut = |place: &Place| {
            let (array, after) = rest.split_at(place.stride);
            rest = after;
            &array[..place.elements]
        };
        let mut named = |place: &Place| self.names(place).map(|name| (name, cut(place))).collect();
        self.places.iter().map(&mut named).collect()
    }

    /// For each parameter its arrays by name, to be written.
    pub fn named_mut(&mut self) -> impl Iterator<Item = Vec<(&'static str, &mut [F])>> {
        let base = self.base;
        self.split_mut().map(move |States { first, second, sensitivity, average }| {
            let rule = base.iter().copied().zip([first, second]);
            // An empty array has nothing to write, kept or not.
            let more = [(SENSITIVITY, sensitivity), (AVERAGE, average)];
            rule.chain(more).filter(|(_, array)| !array.is_empty()).collect()
        })
    }

    /// For each parameter its arrays, to be written.
    pub fn split_mut(&mut self) -> impl Iterator<Item = States<'_, F>> {
        let mut rest = self.memory.as_mut_slice();
        let (base, averages) = (self.base.len(), self.averages);
        self.places.iter().map(move |place| {
            let mut cut = |there: bool| {
                let (stride, elements) = if there { (place.stride, place.elements) } else { (0, 0) };
                let (array, after) = take(&mut rest).split_at_mut(stride);
                rest = after;
                &mut array[..elements]
            };
            States {
                first: cut(base > 0),
                second: cut(base > 1),
                sensitivity: cut(place.keeps),
                average: cut(averages),
            }
        })
    }

    fn names(&self, place: &Place) -> impl Iterator<Item = &'static str> + use<F> {
        let more = [place.keeps.then_some(SENSITIVITY), self.averages.then_some(AVERAGE)];
        self.base.iter().copied().chain(more.into_iter().flatten())
    }
}
