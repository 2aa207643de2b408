//! Lending libtorch's threads and memory to the optimizer.

use std::sync::atomic::{AtomicUsize, Ordering};

use sagetrain_optim::{Allocate, Executor};
use sagetrain_torch::{ParallelFor, TensorAllocate, set_threads};

#[test]
fn every_task_runs_once() {
    set_threads(2).unwrap();
    let counts: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
    ParallelFor.run(counts.len(), &|task| {
        counts[task].fetch_add(1, Ordering::Relaxed);
    });
    assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    assert_eq!(ParallelFor.threads(), 2);
}

#[test]
fn a_panic_in_a_task_reaches_the_caller() {
    set_threads(2).unwrap();
    let panic =
        std::panic::catch_unwind(|| ParallelFor.run(8, &|task| assert_ne!(task, 5, "the fifth task")));
    assert!(panic.unwrap_err().downcast_ref::<String>().unwrap().contains("the fifth task"));
}

#[test]
fn memory_is_zeroed_and_writable() {
    let mut memory = TensorAllocate.zeros(1000).unwrap();
    assert!(memory.as_slice().iter().all(|&x| x == 0.0));
    memory.as_mut_slice()[999] = 1.0;
    assert_eq!(memory.as_slice()[999], 1.0);
    assert!(TensorAllocate.zeros(0).unwrap().as_slice().is_empty());
}
