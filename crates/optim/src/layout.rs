//! Which arrays are kept of each parameter, and where each lies in one piece of memory.

#[cfg(unix)]
use crate::cuda::StatePlace;
use crate::parameter::ParameterInfo;
use crate::precision::Keeping;
use sagetrain_kernels::Stored;
use std::marker::PhantomData;

/// Every array begins at a multiple of this many elements of the type computed in: a cache line for float32.
const ALIGN: usize = 16;

/// The name of E.
pub(crate) const SENSITIVITY: &str = "sensitivity";

/// The name of the parameters' average.
pub(crate) const AVERAGE: &str = "average";

/// The name of a master weight.
pub(crate) const MASTER: &str = "master";

/// The name of what Kahan's rounding left.
pub(crate) const COMPENSATION: &str = "compensation";

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
    pub fn arrays(self, senses: bool) -> impl Iterator<Item = (&'static str, bool)> {
        let beside = match self.keeping {
            Keeping::Master => Some((MASTER, false)),
            Keeping::Kahan => Some((COMPENSATION, true)),
            Keeping::Whole | Keeping::Stochastic(_) => None,
        };
        let sensitivity = senses.then_some((SENSITIVITY, self.brief));
        let average = self.averages.then_some((AVERAGE, false));
        self.base.iter().map(|name| (*name, false)).chain(sensitivity).chain(beside).chain(average)
    }
}

/// Who lives where.
pub(crate) struct Layout<S> {
    pub places: Vec<Place>,
    pub kept: Kept,
    of: PhantomData<S>,
}

/// One array of a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub name: &'static str,
    /// Whether its elements are of half the size.
    pub brief: bool,
    /// Where it begins, in elements of the type computed in.
    pub start: usize,
    pub elements: usize,
}

/// One parameter.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub elements: usize,
    pub senses: bool,
}

impl Slot {
    /// Bytes from the arena's beginning.
    pub fn offset<S: Stored>(&self) -> u64 {
        (self.start * size_of::<S::Compute>()) as u64
    }

    /// Its type's name.
    pub fn dtype<S: Stored>(&self) -> &'static str {
        if self.brief { <S::Brief as Stored>::DTYPE } else { <S::Compute as Stored>::DTYPE }
    }

    /// As a caller sees it.
    #[cfg(unix)]
    pub fn place<'a, S: Stored>(&self, parameter: &'a ParameterInfo) -> StatePlace<'a> {
        let dtype = self.dtype::<S>();
        let size = if self.brief { size_of::<S::Brief>() } else { size_of::<S::Compute>() };
        StatePlace {
            parameter: &parameter.name,
            state: self.name,
            shape: &parameter.shape,
            dtype,
            offset: self.offset::<S>(),
            bytes: (self.elements * size) as u64,
        }
    }
}

impl<S> Clone for Layout<S> {
    fn clone(&self) -> Self {
        Self { places: self.places.clone(), kept: self.kept, of: PhantomData }
    }
}

impl<S: Stored> Layout<S> {
    /// `senses` says of which parameters E is kept.
    pub fn new(parameters: &[ParameterInfo], kept: Kept, senses: impl Fn(usize) -> bool) -> Self {
        let place = |(index, parameter): (usize, &ParameterInfo)| Place {
            elements: parameter.elements(),
            senses: senses(index),
        };
        Self { places: parameters.iter().enumerate().map(place).collect(), kept, of: PhantomData }
    }

    /// Elements of the type computed in that all arrays take.
    pub fn elements(&self) -> usize {
        let arrays = |place: &Place| -> usize {
            let arrays = self.kept.arrays(place.senses);
            arrays.map(|(_, brief)| stride::<S>(place.elements, brief)).sum()
        };
        self.places.iter().map(arrays).sum()
    }

    /// Whether E is of half the size.
    pub fn brief(&self) -> bool {
        self.kept.brief
    }

    /// For each parameter its arrays.
    pub fn slots(&self) -> Vec<Vec<Slot>> {
        let mut next = 0;
        let mut slot = |elements, (name, brief)| {
            let start = next;
            next += stride::<S>(elements, brief);
            Slot { name, brief, start, elements }
        };
        let mut slots = |place: &Place| {
            let arrays = self.kept.arrays(place.senses);
            arrays.map(|array| slot(place.elements, array)).collect()
        };
        self.places.iter().map(&mut slots).collect()
    }
}

/// Elements of the type computed in that an array takes.
pub(crate) fn stride<S: Stored>(elements: usize, brief: bool) -> usize {
    let size = if brief { size_of::<S::Brief>() } else { size_of::<S::Compute>() };
    (elements * size).div_ceil(size_of::<S::Compute>()).next_multiple_of(ALIGN)
}
