//! Many tensors a launch: the table of tensors, and that of their blocks.

use crate::cuda::{Chunk, Constants, CudaError, Family, GROUPS, Launch, Result, Tensor, Variant};
use crate::{BLOCK, Float};

/// What one kernel is to run over. It holds no memory of the device: upload [`Plan::bytes`] once, and again when addresses change.
///
/// ```
/// use sagetrain_kernels::cuda::{Family, Kept, Plan, Storage, Tensor, Variant};
///
/// let variant = Variant { family: Family::Sgd, storage: Storage::Float32, kept: Kept::Off };
/// let tensor = Tensor { parameter: 0x1000, gradient: 0x2000, length: 40_000, ..Tensor::default() };
/// let plan = Plan::new(variant, &[tensor])?;
/// assert_eq!((plan.chunks().len(), plan.bytes().len()), (3, 72 + 3 * 8));
/// # Ok::<(), sagetrain_kernels::cuda::CudaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    variant: Variant,
    tensors: Vec<Tensor>,
    chunks: Vec<Chunk>,
}

impl Plan {
    /// The plan of `tensors`, all for one kernel. Those without elements are left out.
    ///
    /// # Errors
    /// [`CudaError::Tensor`] where an array that the kernel needs is missing, an address is not a multiple of its element's size, or
    /// the group is not below [`GROUPS`]; [`CudaError::Argument`] where there is no such kernel, or 2^32 blocks are not enough.
    pub fn new(variant: Variant, tensors: &[Tensor]) -> Result<Self> {
        if !variant.exists() {
            return Err(CudaError::Argument { problem: format!("there is no kernel {variant}") });
        }
        let mut chunks = Vec::new();
        for (index, tensor) in tensors.iter().enumerate() {
            check(variant, tensor).map_err(|problem| CudaError::Tensor { index, problem })?;
            for block in 0..tensor.length.div_ceil(BLOCK as u64) {
                chunks.push(Chunk { tensor: narrow(index as u64)?, block: narrow(block)? });
            }
        }
        narrow(chunks.len() as u64)?;
        Ok(Self { variant, tensors: tensors.to_vec(), chunks })
    }

    /// The kernel.
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Blocks of all tensors.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The tables as the kernel reads them: tensors, then chunks. They need an address that is a multiple of 8.
    pub fn bytes(&self) -> Vec<u8> {
        [bytemuck::cast_slice(&self.tensors), bytemuck::cast_slice(&self.chunks)].concat()
    }

    /// The parameters of a launch. `table` is where [`Plan::bytes`] lie on the device, `verdict` where the [`Verdict`](crate::cuda::Verdict)
    /// does; `None` takes the factor of the constants and skips nothing.
    ///
    /// # Errors
    /// [`CudaError::Argument`] where a tensor's group has no constants, the table is not at a multiple of 8, or `F` is not what the kernel computes in; [`CudaError::Tensor`] where
    /// its group's constants are of another rule, sense otherwise than the kernel, or have a momentum that it lacks the buffer for.
    pub fn launch<F: Float>(
        &self,
        table: u64,
        verdict: Option<u64>,
        groups: &[Constants<F>],
    ) -> Result<Launch<F>> {
        let needed = self.tensors.iter().map(|tensor| tensor.group as usize + 1).max().unwrap_or(0);
        if groups.len() < needed || groups.len() > GROUPS {
            let problem = format!("{} groups of constants, must be {needed} to {GROUPS}", groups.len());
            return Err(CudaError::Argument { problem });
        }
        if !table.is_multiple_of(8) {
            let problem = format!("the table is at {table:#x}, which is not a multiple of 8");
            return Err(CudaError::Argument { problem });
        }
        if size_of::<F>() as u64 != self.variant.storage.compute_bytes() {
            let problem = format!("constants of {} for {}", F::DTYPE, self.variant);
            return Err(CudaError::Argument { problem });
        }
        let tensors = self.tensors.iter().enumerate().filter(|(_, tensor)| tensor.length > 0);
        for (index, tensor) in tensors {
            if let Some(problem) = groups[tensor.group as usize].misfit(self.variant, tensor) {
                return Err(CudaError::Tensor { index, problem: problem.to_owned() });
            }
        }
        let mut all = [Constants::default(); GROUPS];
        all[..groups.len()].copy_from_slice(groups);
        let chunks = table + size_of_val(self.tensors.as_slice()) as u64;
        let count = self.chunks.len() as u32;
        Ok(Launch { tensors: table, chunks, verdict: verdict.unwrap_or(0), count, unused: 0, groups: all })
    }
}

fn narrow(number: u64) -> Result<u32> {
    let problem =
        |_| CudaError::Argument { problem: format!("{number} blocks are more than a launch takes") };
    u32::try_from(number).map_err(problem)
}

/// What is wrong with a tensor's arrays for a kernel.
fn check(variant: Variant, tensor: &Tensor) -> std::result::Result<(), String> {
    let storage = variant.storage;
    let states = if variant.family == Family::Sgd { 0 } else { storage.compute_bytes() };
    // Name, address, bytes of an element, and whether it must be there. SGD's buffer may be missing: only a step knows of momentum.
    let arrays = [
        ("parameter", tensor.parameter, storage.bytes(), true),
        ("gradient", tensor.gradient, storage.bytes(), true),
        ("first", tensor.first, storage.compute_bytes(), states > 0),
        ("second", tensor.second, storage.compute_bytes(), states > 0),
        ("sensitivity", tensor.sensitivity, variant.kept_bytes().max(1), variant.kept_bytes() > 0),
        ("fine", tensor.fine, storage.fine_bytes().max(1), storage.fine_bytes() > 0),
        ("average", tensor.average, storage.compute_bytes(), false),
    ];
    for (name, address, bytes, needed) in arrays {
        if needed && address == 0 && tensor.length > 0 {
            return Err(format!("{variant} needs its {name}"));
        }
        if address % bytes != 0 {
            return Err(format!("its {name} is at {address:#x}, which is not a multiple of {bytes}"));
        }
    }
    if tensor.group as usize >= GROUPS {
        return Err(format!("group {} of at most {GROUPS}", tensor.group));
    }
    Ok(())
}
