//! `cpp/decode.cpp` and `cpp/packed_linear.cpp`.

use std::ffi::c_void;
use std::ptr::{NonNull, null, null_mut};

use tch::Tensor;

use super::{Status, handle, receive};
use crate::decode::{Entry, MemoryLayout, Weights};
use crate::error::TorchError;
use crate::linear::Activation;
use crate::precision::Precision;

unsafe extern "C" {
    fn sagetrain_pack_linear(
        weights: *const *mut c_void,
        biases: *const *mut c_void,
        layers: i64,
        precision: i32,
        out: *mut *mut c_void,
    ) -> Status;
    fn sagetrain_packed_linear(
        packed: *const c_void,
        x: *mut c_void,
        activation: i32,
        out: *mut *mut c_void,
    ) -> Status;
    fn sagetrain_packed_linear_free(packed: *mut c_void);
    fn sagetrain_attend_history(
        q: *mut c_void,
        blocks: *const *mut c_void,
        steps: i64,
        ancestors: *const i32,
        heads: i64,
        out: *mut *mut c_void,
    ) -> Status;
    fn sagetrain_attend_memory(
        q: *mut c_void,
        memory: *mut c_void,
        row_sources: *const i64,
        key_offsets: *const i64,
        most_keys: i64,
        heads: i64,
        weight_offsets: *const i64,
        weights: *mut f32,
        out: *mut *mut c_void,
    ) -> Status;
    fn sagetrain_best(
        logits: *mut c_void,
        count: i64,
        excluded: *const i64,
        excluded_count: i64,
        entries: *mut Entry,
        log_masses: *mut f64,
    ) -> Status;
}

/// A packed layer of the C++ side, freed with this handle.
#[derive(Debug)]
pub(crate) struct Packed(NonNull<c_void>);

// SAFETY: what it points to is memory that nobody writes after packing, tied to no thread.
unsafe impl Send for Packed {}

impl Packed {
    /// Shapes and kinds are checked by `packed_linear.rs`.
    pub(crate) fn new(
        layers: &[(&Tensor, Option<&Tensor>)],
        precision: Precision,
    ) -> Result<Self, TorchError> {
        let op = "pack_linear";
        let weights: Vec<_> = layers.iter().map(|(weight, _)| handle(weight)).collect();
        let biases: Vec<_> = layers.iter().map(|(_, bias)| bias.map_or(null_mut(), handle)).collect();
        let (count, mut out) = (layers.len() as i64, null_mut());
        // SAFETY: two arrays of `count` handles of live tensors, of which biases may be null, and a writable `out`.
        unsafe {
            sagetrain_pack_linear(weights.as_ptr(), biases.as_ptr(), count, precision as i32, &mut out)
        }
        .check(op)?;
        let nothing = || TorchError::Torch { op, message: "nothing was made".into() };
        NonNull::new(out).map(Self).ok_or_else(nothing)
    }

    /// `x` has as many columns as the layers have inputs.
    pub(crate) fn apply(&self, x: &Tensor, activation: Activation) -> Result<Tensor, TorchError> {
        receive("packed_linear", |out| {
            // SAFETY: a packed layer that lives as long as `self`, a live tensor, and a writable `out`.
            unsafe { sagetrain_packed_linear(self.0.as_ptr(), handle(x), activation as i32, out) }
        })
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        // SAFETY: it came from `sagetrain_pack_linear` and is freed once, here.
        unsafe { sagetrain_packed_linear_free(self.0.as_ptr()) }
    }
}

/// Checked by `decode.rs`: one ancestor a row and block, each a row of its block.
pub(crate) fn attend_history(
    q: &Tensor,
    blocks: &[Tensor],
    ancestors: &[i32],
    heads: i64,
) -> Result<Tensor, TorchError> {
    let handles: Vec<_> = blocks.iter().map(handle).collect();
    receive("attend_history", |out| {
        // SAFETY: live contiguous blocks, and for every row of `q` as many ancestors as there are blocks, each inside its block.
        unsafe {
            let steps = handles.len() as i64;
            sagetrain_attend_history(handle(q), handles.as_ptr(), steps, ancestors.as_ptr(), heads, out)
        }
    })
}

/// Checked by `decode.rs`: every row's source exists, offsets rise to the rows of `memory`, weights have room.
pub(crate) fn attend_memory(
    q: &Tensor,
    memory: &Tensor,
    layout: &MemoryLayout,
    most_keys: i64,
    weights: Option<&mut Weights>,
) -> Result<Tensor, TorchError> {
    let (offsets, values) = weights
        .map_or((null(), null_mut()), |weights| (weights.offsets.as_ptr(), weights.values.as_mut_ptr()));
    receive("attend_memory", |out| {
        // SAFETY: a live contiguous memory, a source for every row of `q`, offsets within the memory, and room for all weights.
        unsafe {
            let (rows, keys) = (layout.row_sources.as_ptr(), layout.key_offsets.as_ptr());
            sagetrain_attend_memory(
                handle(q),
                handle(memory),
                rows,
                keys,
                most_keys,
                layout.heads,
                offsets,
                values,
                out,
            )
        }
    })
}

/// Checked by `decode.rs`: float32 logits, `count` entries and one mass a row.
pub(crate) fn best(
    logits: &Tensor,
    excluded: &[i64],
    count: usize,
    entries: &mut [Entry],
    log_masses: &mut [f64],
) -> Result<(), TorchError> {
    let (excluded, excludeds) = (excluded.as_ptr(), excluded.len() as i64);
    // SAFETY: a live float32 matrix, `excludeds` columns, and room for every row's entries and mass.
    unsafe {
        let (entries, masses) = (entries.as_mut_ptr(), log_masses.as_mut_ptr());
        sagetrain_best(handle(logits), count as i64, excluded, excludeds, entries, masses)
    }
    .check("best_log_probabilities")
}
