//! Which tensors a launch takes: those of one kernel, of at most as many groups as it serves.

use crate::cuda::Addresses;
use crate::layout::{AVERAGE, COMPENSATION, MASTER, SENSITIVITY, Slot};
use crate::precision::Keeping;
use crate::resolved::Resolved;
use crate::rule;
use sagetrain_kernels::Stored;
use sagetrain_kernels::cuda::{GROUPS, Kept, Storage, Tensor, Variant};

/// Parameters with the same numbers: a group, apart by whether their average begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub group: usize,
    pub begins: bool,
}

/// The tensors of one launch, and the classes that their `group` counts.
#[derive(Debug)]
pub(crate) struct Batch {
    pub variant: Variant,
    pub classes: Vec<Class>,
    pub tensors: Vec<Tensor>,
}

/// All parameters that have a gradient. `begins` says of which the average does.
pub(crate) fn batches<S: Stored>(
    resolved: &Resolved<S>,
    slots: &[Vec<Slot>],
    addresses: &Addresses<'_>,
    begins: &[bool],
) -> Vec<Batch> {
    let mut batches = Vec::new();
    for (index, gradient) in addresses.gradients.iter().enumerate() {
        let Some(gradient) = *gradient else { continue };
        let class = Class { group: resolved.group_of[index], begins: begins[index] };
        let batch = batch(&mut batches, variant(resolved, class.group), class);
        let group = batch.classes.iter().position(|known| *known == class).unwrap_or(batch.classes.len());
        if group == batch.classes.len() {
            batch.classes.push(class);
        }
        let parameter = Tensor {
            parameter: addresses.parameters[index],
            gradient,
            length: resolved.parameters[index].elements() as u64,
            group: group as u32,
            number: resolved.noise_numbers[index],
            ..Tensor::default()
        };
        batch.tensors.push(with_states::<S>(parameter, &slots[index], addresses.arena));
    }
    batches
}

/// The launch of that kernel that has the class, or room for it.
fn batch(batches: &mut Vec<Batch>, variant: Variant, class: Class) -> &mut Batch {
    let same = |batch: &&Batch| batch.variant == variant;
    let has = batches.iter().position(|batch| same(&batch) && batch.classes.contains(&class));
    let room = || batches.iter().position(|batch| same(&batch) && batch.classes.len() < GROUPS);
    let index = has.or_else(room).unwrap_or(batches.len());
    if index == batches.len() {
        batches.push(Batch { variant, classes: Vec::new(), tensors: Vec::new() });
    }
    &mut batches[index]
}

/// The kernel of a group.
fn variant<S: Stored>(resolved: &Resolved<S>, group: usize) -> Variant {
    let senses = resolved.groups[group].sense.keeps();
    let kept = match senses {
        false => Kept::Off,
        true if resolved.layout.brief() => Kept::Bfloat16,
        true => Kept::Compute,
    };
    Variant { family: rule::family(&resolved.spec), storage: storage::<S>(resolved.keeping), kept }
}

fn storage<S: Stored>(keeping: Keeping) -> Storage {
    match (keeping, S::DTYPE) {
        (Keeping::Whole, "float64") => Storage::Float64,
        (Keeping::Whole, _) => Storage::Float32,
        (Keeping::Master, "float16") => Storage::Float16Master,
        (Keeping::Master, _) => Storage::Bfloat16Master,
        (Keeping::Stochastic(_), _) => Storage::Bfloat16Stochastic,
        (Keeping::Kahan, _) => Storage::Bfloat16Kahan,
    }
}

/// The rule's own states come first in an arena, in the order a kernel takes them in.
fn with_states<S: Stored>(mut tensor: Tensor, slots: &[Slot], arena: u64) -> Tensor {
    for (position, slot) in slots.iter().enumerate() {
        let address = arena + slot.offset::<S>();
        match (slot.name, position) {
            (SENSITIVITY, _) => tensor.sensitivity = address,
            (MASTER | COMPENSATION, _) => tensor.fine = address,
            (AVERAGE, _) => tensor.average = address,
            (_, 0) => tensor.first = address,
            _ => tensor.second = address,
        }
    }
    tensor
}
