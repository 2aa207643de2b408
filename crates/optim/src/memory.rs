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

impl<F: Float> Allocate<F> for Owned {
    fn zeros(&self, elements: usize) -> Result<Box<dyn Memory<F>>> {
        let mut vector = Vec::new();
        let reserved = vector.try_reserve_exact(elements);
        reserved.map_err(|error| OptimError::Memory { elements, reason: error.to_string() })?;
        vector.resize(elements, F::ZERO);
        Ok(Box::new(Vector(vector)))
    }
}

struct Vector<F>(Vec<F>);

impl<F: Float> Memory<F> for Vector<F> {
    fn as_slice(&self) -> &[F] {
        &self.0
    }
    fn as_mut_slice(&mut self) -> &mut [F] {
        &mut self.0
    }
}
