//! All states of all parameters in one piece of memory.

use crate::error::Result;
use crate::memory::{Allocate, Memory};
use crate::parameter::ParameterInfo;
use sagetrain_kernels::Float;

/// Every array begins at a multiple of this many elements: a cache line for float32.
const ALIGN: usize = 16;

/// The arena and who lives where in it: for each parameter its rule's states, then E where it is kept.
pub(crate) struct Arena<F> {
    memory: Box<dyn Memory<F>>,
    places: Vec<Place>,
}

/// One parameter's arrays: `states` of them, `elements` long, `stride` apart.
struct Place {
    elements: usize,
    stride: usize,
    states: usize,
}

/// Names of the states in their order in the arena.
pub(crate) fn state_names<'a>(base: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    base.iter().copied().chain(["sensitivity"])
}

impl<F: Float> Arena<F> {
    /// Zeros for `base` states a parameter, and one more where `keeps` says so.
    pub fn new(
        parameters: &[ParameterInfo],
        base: usize,
        keeps: impl Fn(usize) -> bool,
        allocate: &dyn Allocate<F>,
    ) -> Result<Self> {
        let place = |(index, parameter): (usize, &ParameterInfo)| {
            let elements = parameter.elements();
            let states = base + usize::from(keeps(index));
            Place { elements, stride: elements.next_multiple_of(ALIGN), states }
        };
        let places: Vec<Place> = parameters.iter().enumerate().map(place).collect();
        let elements = places.iter().map(|place| place.stride * place.states).sum();
        Ok(Self { memory: allocate.zeros(elements)?, places })
    }

    /// For each parameter its arrays, in the order of [`state_names`].
    pub fn split(&self) -> Vec<Vec<&[F]>> {
        let mut rest = self.memory.as_slice();
        let mut cut = |place: &Place| {
            let (array, after) = rest.split_at(place.stride);
            rest = after;
            &array[..place.elements]
        };
        self.places.iter().map(|place| (0..place.states).map(|_| cut(place)).collect()).collect()
    }

    /// The same, to be written.
    pub fn split_mut(&mut self) -> impl Iterator<Item = States<'_, F>> {
        let mut rest = self.memory.as_mut_slice();
        self.places.iter().map(move |place| {
            let mut states =
                States { kept: place.states, arrays: std::array::from_fn(|_| [].as_mut_slice()) };
            for state in states.arrays.iter_mut().take(place.states) {
                let (array, after) = std::mem::take(&mut rest).split_at_mut(place.stride);
                rest = after;
                *state = &mut array[..place.elements];
            }
            states
        })
    }
}

/// One parameter's arrays, in the order of [`state_names`]; what is not kept is empty.
pub(crate) struct States<'a, F> {
    pub arrays: [&'a mut [F]; MOST_STATES],
    kept: usize,
}

const MOST_STATES: usize = 3;

impl<'a, F> States<'a, F> {
    /// The arrays there are.
    pub fn kept(self) -> impl Iterator<Item = &'a mut [F]> {
        self.arrays.into_iter().take(self.kept)
    }
}
