//! Arrays to step on.

use sagetrain_optim::{
    Allocate, Executor, Float, Memory, Optimizer, OptimizerOptions, OptimizerSpec, Owned, ParameterInfo,
    StepInputs,
};
use std::sync::Mutex;

/// Elements of a task of the triad.
const TASK: usize = 1 << 16;

/// Parameters and gradients, each beginning at a cache line as libtorch's do.
pub struct Workload<F> {
    infos: Vec<ParameterInfo>,
    parameters: Vec<Box<dyn Memory<F>>>,
    gradients: Vec<Box<dyn Memory<F>>>,
}

impl<F: Float> Workload<F> {
    pub fn new(sizes: &[usize]) -> Self {
        let named = |(index, size): (usize, &usize)| ParameterInfo::new(format!("tensor{index}"), [*size]);
        let infos = sizes.iter().enumerate().map(named).collect();
        Self { infos, parameters: filled(sizes, 0.2), gradients: filled(sizes, 0.01) }
    }

    pub fn parameters(&self) -> usize {
        self.infos.iter().map(ParameterInfo::elements).sum()
    }

    pub fn optimizer(&self, spec: &OptimizerSpec, options: &OptimizerOptions) -> Optimizer<F> {
        match Optimizer::new(spec, &self.infos, options, &Owned) {
            Ok(optimizer) => optimizer,
            Err(error) => unreachable!("{error}"),
        }
    }

    pub fn step(&mut self, optimizer: &mut Optimizer<F>, executor: &dyn Executor) {
        let mut parameters: Vec<&mut [F]> = self.parameters.iter_mut().map(|p| p.as_mut_slice()).collect();
        let gradients: Vec<Option<&[F]>> = self.gradients.iter().map(|g| Some(g.as_slice())).collect();
        let report = optimizer.step(&mut parameters, &gradients, StepInputs::default(), executor);
        assert!(report.is_ok_and(|report| !report.skipped));
    }

    /// a ← a + s·b in place, in tasks as the update has them. What fits one task is done by the calling thread, as the update does.
    pub fn triad(&mut self, executor: &dyn Executor) {
        let scale = F::from_f64(1e-9);
        let arrays = self.parameters.iter_mut().zip(&self.gradients);
        let arrays = arrays.map(|(a, b)| (a.as_mut_slice(), b.as_slice()));
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

fn filled<F: Float>(sizes: &[usize], scale: f64) -> Vec<Box<dyn Memory<F>>> {
    let array = |size: &usize| match Owned.zeros(*size) {
        Ok(mut memory) => {
            let value = |index: usize| F::from_f64(((index % 1009) as f64 / 1009.0 - 0.5) * scale);
            memory.as_mut_slice().iter_mut().enumerate().for_each(|(index, element)| *element = value(index));
            memory
        }
        Err(error) => unreachable!("{error}"),
    };
    sizes.iter().map(array).collect()
}
