//! All states of all parameters in one piece of memory.

use crate::error::{OptimError, Result};
use crate::layout::{Kept, Layout, Place, Slot, stride};
use crate::memory::{Allocate, Memory};
use crate::precision::Keeping;
use crate::values::Values;
use bytemuck::Pod;
use sagetrain_kernels::Stored;
use std::mem::take;

/// The memory and who lives where in it.
pub(crate) struct Arena<S: Stored> {
    memory: Box<dyn Memory<S::Compute>>,
    layout: Layout<S>,
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
    /// Zeros for what is kept.
    pub fn new(layout: Layout<S>, allocate: &dyn Allocate<S::Compute>) -> Result<Self> {
        Ok(Self { memory: allocate.zeros(layout.elements())?, layout })
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.memory.as_slice())
    }

    /// All of it, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(self.memory.as_mut_slice())
    }

    /// For each parameter its arrays by name.
    pub fn named(&self) -> Vec<Vec<(&'static str, Values<'_>)>> {
        let memory = self.memory.as_slice();
        let values = |slot: &Slot| {
            let array = &memory[slot.start..];
            let values = match slot.brief {
                true => Values::of(&bytemuck::cast_slice::<_, S::Brief>(array)[..slot.elements]),
                false => Values::of(&array[..slot.elements]),
            };
            (slot.name, values)
        };
        self.layout.slots().iter().map(|slots| slots.iter().map(values).collect()).collect()
    }

    /// For each parameter its arrays by name, to be written.
    pub fn named_mut(&mut self) -> Vec<Vec<(&'static str, Whole<'_, S>)>> {
        let mut rest = self.memory.as_mut_slice();
        let kept = self.layout.kept;
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
        self.layout.places.iter().map(&mut named).collect()
    }

    /// For each parameter its arrays, to be written.
    pub fn split_mut(&mut self) -> impl Iterator<Item = States<'_, S>> {
        let mut rest = self.memory.as_mut_slice();
        let Kept { base, brief, keeping, averages } = self.layout.kept;
        self.layout.places.iter().map(move |place| {
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
