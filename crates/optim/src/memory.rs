//! Where states live: the optimizer's own memory, or what a session lends.

use crate::error::{OptimError, Result};
use sagetrain_kernels::Float;

/// One flat piece of memory that outlives the steps taken on it.
pub trait Memory<F = f32>: Send {
    /// All elements.
    fn as_slice(&self) -> &[F];
    /// All elements, to be written.
    fn as_mut_slice(&mut self) -> &mut [F];
}

/// Makes memory.
pub trait Allocate<F = f32> {
    /// `elements` zeros, aligned to a cache line if speed matters.
    ///
    /// # Errors
    /// [`OptimError::Memory`] when there is none.
    fn zeros(&self, elements: usize) -> Result<Box<dyn Memory<F>>>;
}

/// Memory of this process's own allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owned;

/// A cache line, and the widest vector: one that crosses a line costs two accesses (adam with sage: 1.2 × the time).
const LINE: usize = 64;

impl<F: Float> Allocate<F> for Owned {
    fn zeros(&self, elements: usize) -> Result<Box<dyn Memory<F>>> {
        let spare = LINE / size_of::<F>();
        let mut vector = Vec::new();
        let reserved = vector.try_reserve_exact(elements + spare);
        reserved.map_err(|error| OptimError::Memory { elements, reason: error.to_string() })?;
        vector.resize(elements + spare, F::ZERO);
        let start = vector.as_ptr().align_offset(LINE).min(spare);
        Ok(Box::new(Aligned { vector, start, elements }))
    }
}

/// Elements that begin at a cache line. The vector is never grown, so they stay there.
struct Aligned<F> {
    vector: Vec<F>,
    start: usize,
    elements: usize,
}

impl<F: Float> Memory<F> for Aligned<F> {
    fn as_slice(&self) -> &[F] {
        &self.vector[self.start..self.start + self.elements]
    }
    fn as_mut_slice(&mut self) -> &mut [F] {
        &mut self.vector[self.start..self.start + self.elements]
    }
}
