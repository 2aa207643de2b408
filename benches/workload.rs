//! Arrays to step on.

use sagetrain_optim::{
    Allocate, Executor, Float, Memory, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo,
    StepInputs, Stored,
};
use std::sync::Mutex;

/// Elements of a task of the triad.
const TASK: usize = 1 << 16;

/// Parameters and gradients of type `S`, each beginning at a cache line as libtorch's do.
pub struct Workload<S: Stored> {
    infos: Vec<ParameterInfo>,
    parameters: Vec<Array<S>>,
    gradients: Vec<Array<S>>,
}

/// Elements of any size in memory of the type computed in.
struct Array<S: Stored> {
    memory: Box<dyn Memory<S::Compute>>,
    length: usize,
}

impl<S: Stored> Array<S> {
    fn filled(length: usize, scale: f64) -> Self {
        let elements = (length * size_of::<S>()).div_ceil(size_of::<S::Compute>());
        let memory = Owned.zeros(elements).unwrap_or_else(|error| unreachable!("{error}"));
        let mut array = Self { memory, length };
        // Of either sign and never near 0: a triad over numbers too small to be normal would time those.
        let size = |index: usize| 0.5 + (index % 1009) as f64 / 2018.0;
        let value = |index: usize| {
            S::Compute::from_f64(if index.is_multiple_of(2) {
                scale * size(index)
            } else {
                -scale * size(index)
            })
        };
        for (index, element) in array.as_mut_slice().iter_mut().enumerate() {
            *element = S::narrow(value(index));
        }
        array
    }

    fn as_slice(&self) -> &[S] {
        &bytemuck::cast_slice(self.memory.as_slice())[..self.length]
    }

    fn as_mut_slice(&mut self) -> &mut [S] {
        &mut bytemuck::cast_slice_mut(self.memory.as_mut_slice())[..self.length]
    }
}

impl<S: Stored> Workload<S> {
    pub fn new(sizes: &[usize]) -> Self {
        let named = |(index, size): (usize, &usize)| ParameterInfo::new(format!("tensor{index}"), [*size]);
        let filled = |scale| sizes.iter().map(|size| Array::filled(*size, scale)).collect();
        let infos = sizes.iter().enumerate().map(named).collect();
        Self { infos, parameters: filled(0.2), gradients: filled(0.01) }
    }

    pub fn parameters(&self) -> usize {
        self.infos.iter().map(ParameterInfo::elements).sum()
    }

    pub fn optimizer(&self, spec: &OptimizerSpec, options: &OptimizerOptions) -> Optimizer<S> {
        match Optimizer::new(spec, &self.infos, options, &Owned) {
            Ok(optimizer) => optimizer,
            Err(error) => unreachable!("{error}"),
        }
    }

    pub fn step(&mut self, optimizer: &mut Optimizer<S>, executor: &dyn Executor) {
        let mut parameters: Vec<&mut [S]> = self.parameters.iter_mut().map(Array::as_mut_slice).collect();
        let gradients: Vec<Option<&[S]>> =
            self.gradients.iter().map(|gradient| Some(gradient.as_slice())).collect();
        let report = optimizer.step(&mut parameters, &gradients, StepInputs::default(), executor);
        assert!(report.is_ok_and(|report| !report.skipped));
    }

    /// a ← a + s·b in place over the arrays' memory, in tasks as the update has them. What fits one task is done by the calling thread,
    /// as the update does. Pairs of 16 bits are taken for one float32, which s is too small to change: the triad is of bytes.
    pub fn triad(&mut self, executor: &dyn Executor) {
        let scale = S::Compute::from_f64(1e-9);
        let arrays = self.parameters.iter_mut().zip(&self.gradients);
        let arrays = arrays.map(|(a, b)| (a.memory.as_mut_slice(), b.memory.as_slice()));
        if self.infos.iter().map(ParameterInfo::elements).sum::<usize>() <= TASK {
            return arrays.for_each(|(a, b)| add(a, b, scale));
        }
        let tasks: Vec<_> =
            arrays.flat_map(|(a, b)| a.chunks_mut(TASK).zip(b.chunks(TASK))).map(Mutex::new).collect();
        executor.run(tasks.len(), &|index| {
            let Ok(mut task) = tasks[index].lock() else { return };
            let (a, b) = &mut *task;
            add(a, b, scale);
        });
    }
}

fn add<F: Float>(a: &mut [F], b: &[F], scale: F) {
    // A fused multiply-add would be a library call in code for every processor.
    a.iter_mut().zip(b).for_each(|(a, b)| *a = *a + scale * *b);
}
