//! All states of all parameters in one piece of memory.

use crate::error::{OptimError, Result};
use crate::memory::{Allocate, Memory};
use crate::parameter::ParameterInfo;
use crate::precision::Keeping;
use crate::values::Values;
use bytemuck::Pod;
use sagetrain_kernels::Stored;
use std::mem::take;

/// Every array begins at a multiple of this many elements of the type computed in: a cache line for float32.
const ALIGN: usize = 16;

/// The name of E.
pub(crate) const SENSITIVITY: &str = "sensitivity";

/// The name of the parameters' average.
pub(crate) const AVERAGE: &str = "average";

/// What is kept of each parameter.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// Names of the rule's states, at most two.
    pub base: &'static [&'static str],
    /// Whether E is of half the size.
    pub brief: bool,
    /// What is kept of the parameter itself.
    pub keeping: Keeping,
    /// Whether its average is.
    pub averages: bool,
}

impl Kept {
    /// Names of the arrays of a parameter in their order, and whether they are of half the size.
    fn arrays(self, senses: bool) -> impl Iterator<Item = (&'static str, bool)> {
        let beside = match self.keeping {
            Keeping::Master => Some(("master", false)),
            Keeping::Kahan => Some(("compensation", true)),
            Keeping::Whole | Keeping::Stochastic(_) => None,
        };
        let sensitivity = senses.then_some((SENSITIVITY, self.brief));
        let average = self.averages.then_some((AVERAGE, false));
        self.base.iter().map(|name| (*name, false)).chain(sensitivity).chain(beside).chain(average)
    }
}

/// The memory and who lives where in it.
pub(crate) struct Arena<S: Stored> {
    memory: Box<dyn Memory<S::Compute>>,
    places: Vec<Place>,
    kept: Kept,
}

/// One parameter.
struct Place {
    elements: usize,
    senses: bool,
}

/// One parameter's arrays; what is not kept is empty.
pub(crate) struct States<'a, S: Stored> {
    pub first: &'a mut [S::Compute],
    pub second: &'a mut [S::Compute],
    /// E, or the next where it is of half the size.
    pub sensitivity: &'a mut [S::Compute],
    pub brief_sensitivity: &'a mut [S::Brief],
    pub master: &'a mut [S::Compute],
    pub compensation: &'a mut [S::Brief],
    pub average: &'a mut [S::Compute],
}

/// One array of a parameter, to be written as a whole.
pub(crate) enum Whole<'a, S: Stored> {
    Compute(&'a mut [S::Compute]),
    Brief(&'a mut [S::Brief]),
}

impl<S: Stored> Arena<S> {
    /// Zeros for what is kept; `senses` says of which parameters E is.
    pub fn new(
        parameters: &[ParameterInfo],
        kept: Kept,
        senses: impl Fn(usize) -> bool,
        allocate: &dyn Allocate<S::Compute>,
    ) -> Result<Self> {
        let place = |(index, parameter): (usize, &ParameterInfo)| Place {
            elements: parameter.elements(),
            senses: senses(index),
        };
        let places: Vec<Place> = parameters.iter().enumerate().map(place).collect();
        let strides = |place: &Place| -> usize {
            kept.arrays(place.senses).map(|(_, brief)| stride::<S>(place.elements, brief)).sum()
        };
        let elements = places.iter().map(strides).sum();
        Ok(Self { memory: allocate.zeros(elements)?, places, kept })
    }

    /// For each parameter its arrays by name.
    pub fn named(&self) -> Vec<Vec<(&'static str, Values<'_>)>> {
        let mut rest = self.memory.as_slice();
        let mut cut = |elements, brief| {
            let (array, after) = rest.split_at(stride::<S>(elements, brief));
            rest = after;
            match brief {
                true => Values::of(&bytemuck::cast_slice::<_, S::Brief>(array)[..elements]),
                false => Values::of(&array[..elements]),
            }
        };
        let mut named = |place: &Place| {
            let arrays = self.kept.arrays(place.senses);
            arrays.map(|(name, brief)| (name, cut(place.elements, brief))).collect()
        };
        self.places.iter().map(&mut named).collect()
    }

    /// For each parameter its arrays by name, to be written.
    pub fn named_mut(&mut self) -> Vec<Vec<(&'static str, Whole<'_, S>)>> {
        let mut rest = self.memory.as_mut_slice();
        let kept = self.kept;
        let mut named = |place: &Place| {
            let arrays = kept.arrays(place.senses).map(|(name, brief)| {
                let whole = match brief {
                    true => Whole::Brief(cut::<S, _>(&mut rest, place.elements, true)),
                    false => Whole::Compute(cut::<S, _>(&mut rest, place.elements, true)),
                };
                (name, whole)
            });
            arrays.collect()
        };
        self.places.iter().map(&mut named).collect()
    }

    /// For each parameter its arrays, to be written.
    pub fn split_mut(&mut self) -> impl Iterator<Item = States<'_, S>> {
        let mut rest = self.memory.as_mut_slice();
        let Kept { base, brief, keeping, averages } = self.kept;
        self.places.iter().map(move |place| {
            let (elements, senses) = (place.elements, place.senses);
            // In the order of `Kept::arrays`.
            States {
                first: cut::<S, _>(&mut rest, elements, !base.is_empty()),
                second: cut::<S, _>(&mut rest, elements, base.len() > 1),
                sensitivity: cut::<S, _>(&mut rest, elements, senses && !brief),
                brief_sensitivity: cut::<S, _>(&mut rest, elements, senses && brief),
                master: cut::<S, _>(&mut rest, elements, keeping == Keeping::Master),
                compensation: cut::<S, _>(&mut rest, elements, keeping == Keeping::Kahan),
                average: cut::<S, _>(&mut rest, elements, averages),
            }
        })
    }
}

/// Elements of the type computed in that an array takes.
fn stride<S: Stored>(elements: usize, brief: bool) -> usize {
    let size = if brief { size_of::<S::Brief>() } else { size_of::<S::Compute>() };
    (elements * size).div_ceil(size_of::<S::Compute>()).next_multiple_of(ALIGN)
}

/// The next array, if it is there.
fn cut<'a, S: Stored, T: Pod>(rest: &mut &'a mut [S::Compute], elements: usize, there: bool) -> &'a mut [T] {
    if !there {
        return &mut [];
    }
    let brief = size_of::<T>() < size_of::<S::Compute>();
    let (array, after) = take(rest).split_at_mut(stride::<S>(elements, brief));
    *rest = after;
    &mut bytemuck::cast_slice_mut(array)[..elements]
}

impl<S: Stored> Whole<'_, S> {
    /// `float32`, `float64` or `bfloat16`.
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::Compute(_) => <S::Compute as Stored>::DTYPE,
            Self::Brief(_) => <S::Brief as Stored>::DTYPE,
        }
    }

    /// Zeros.
    pub fn clear(self) {
        match self {
            Self::Compute(array) => array.fill(Default::default()),
            Self::Brief(array) => array.fill(Default::default()),
        }
    }

    /// Takes over numbers, rounded or widened where they are of the other size. `Err` for a type this parameter has no state of.
    pub fn copy(self, values: Values<'_>) -> std::result::Result<(), &'static str> {
        let compute = values.as_slice::<S::Compute>();
        let brief = values.as_slice::<S::Brief>();
        match (self, compute, brief) {
            (Self::Compute(array), Some(values), _) => array.copy_from_slice(values),
            (Self::Brief(array), _, Some(values)) => array.copy_from_slice(values),
            (Self::Compute(array), _, Some(values)) => {
                array.iter_mut().zip(values).for_each(|(to, from)| *to = from.widen());
            }
            (Self::Brief(array), Some(values), _) => {
                array.iter_mut().zip(values).for_each(|(to, from)| *to = S::Brief::narrow(*from));
            }
            _ => return Err(values.dtype()),
        }
        Ok(())
    }
}

/// The complaint about a state of a type that is not kept here.
pub(crate) fn wrong_type<S: Stored>(name: &str, found: &str, kept: &str) -> OptimError {
    let problem = format!("'{name}' is {found}, of {} parameters it is kept in {kept}", S::DTYPE);
    OptimError::Checkpoint { problem }
}
