//! What lies on the device for as long as no address changes.

use crate::cuda::batch::{Class, batches};
use crate::cuda::error::Result;
use crate::layout::Slot;
use crate::resolved::Resolved;
use sagetrain_kernels::Stored;
use sagetrain_kernels::cuda::{Plan, Squares, parts};

/// Where arrays lie, as device addresses; parameters and gradients in the optimizer's order.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    /// One a parameter.
    pub parameters: &'a [u64],
    /// One a parameter; `None` leaves that and its states untouched.
    pub gradients: &'a [Option<u64>],
    /// Of [`DeviceOptimizer::arena_bytes`](crate::cuda::DeviceOptimizer::arena_bytes) bytes, zeros at first, a multiple of 16.
    pub arena: u64,
}

/// Every table of a step in one piece of memory: upload [`Tables::bytes`] to a multiple of 8, and again when [`Tables::version`] is
/// another.
#[derive(Debug, Default)]
pub struct Tables {
    key: Key,
    version: u64,
    bytes: Vec<u8>,
    plans: Vec<(Plan, u64)>,
    pub(crate) classes: Vec<Vec<Class>>,
    parts: (u64, u64),
}

/// What tables are made of.
#[derive(Debug, Default, PartialEq)]
struct Key {
    parameters: Vec<u64>,
    gradients: Vec<Option<u64>>,
    arena: u64,
    begins: Vec<bool>,
}

impl Tables {
    /// Makes them anew where something has changed.
    pub(crate) fn update<S: Stored>(
        &mut self,
        resolved: &Resolved<S>,
        slots: &[Vec<Slot>],
        addresses: &Addresses<'_>,
        begins: Vec<bool>,
    ) -> Result<()> {
        let (parameters, gradients) = (addresses.parameters.to_vec(), addresses.gradients.to_vec());
        let key = Key { parameters, gradients, arena: addresses.arena, begins };
        if self.version > 0 && key == self.key {
            return Ok(());
        }
        let mut made = Self::default();
        for batch in batches(resolved, slots, addresses, &key.begins) {
            let plan = Plan::new(batch.variant, &batch.tensors)?;
            let at = made.bytes.len() as u64;
            made.bytes.extend(plan.bytes());
            made.plans.push((plan, at));
            made.classes.push(batch.classes);
        }
        if resolved.reads() {
            made.add_parts(resolved, addresses);
        }
        made.version = self.version + u64::from(made.bytes != self.bytes || self.version == 0);
        *self = Self { key, ..made };
        Ok(())
    }

    /// In the CPU's order, which the sum's rounding depends on.
    fn add_parts<S: Stored>(&mut self, resolved: &Resolved<S>, addresses: &Addresses<'_>) {
        let lengths = resolved.parameters.iter().map(|parameter| parameter.elements() as u64);
        let gradients = addresses.gradients.iter().zip(lengths);
        let gradients: Vec<(u64, u64)> =
            gradients.filter_map(|(gradient, length)| Some(((*gradient)?, length))).collect();
        let parts = parts(&gradients, size_of::<S>() as u64, 0);
        self.parts = (self.bytes.len() as u64, parts.len() as u64);
        self.bytes.extend_from_slice(bytemuck::cast_slice(&parts));
    }

    /// All tables.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A number that is another when the bytes are.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The step's launches, each with the offset of its table in the bytes.
    pub fn plans(&self) -> impl Iterator<Item = (&Plan, u64)> {
        self.plans.iter().map(|(plan, at)| (plan, *at))
    }

    /// How many sums of squares there are: float64 each.
    pub fn sums(&self) -> u64 {
        self.parts.1
    }

    /// The task of [`Kernels::squares`](sagetrain_kernels::cuda::Kernels::squares), for tables at `table`.
    pub fn squares(&self, table: u64, sums: u64) -> Squares {
        Squares { parts: table + self.parts.0, sums, count: self.parts.1 }
    }
}
