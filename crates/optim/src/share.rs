//! Handing pieces of work to threads: contiguous, balanced by size.

use crate::executor::Executor;
use std::sync::{Mutex, PoisonError};

/// Elements below which a second thread costs more than it brings.
const GRAIN: usize = 65_536;
/// Tasks a thread, so that a thread that is held up is waited for less.
const TASKS_PER_THREAD: usize = 8;

/// Calls `body` once with each item, on the executor's threads where that pays.
pub(crate) fn share<T: Send>(
    executor: &dyn Executor,
    items: &mut [T],
    size: impl Fn(&T) -> usize,
    body: &(dyn Fn(&mut T) + Sync),
) {
    let total: usize = items.iter().map(&size).sum();
    let tasks = (executor.threads() * TASKS_PER_THREAD).min(total.div_ceil(GRAIN));
    if tasks <= 1 || executor.threads() <= 1 {
        return items.iter_mut().for_each(body);
    }
    let parts: Vec<Mutex<&mut [T]>> =
        cut(items, total.div_ceil(tasks), size).into_iter().map(Mutex::new).collect();
    executor.run(parts.len(), &|task| {
        // Each part is locked once, by the one task that has its number.
        let mut part = parts[task].lock().unwrap_or_else(PoisonError::into_inner);
        part.iter_mut().for_each(body);
    });
}

/// Contiguous parts of about `goal` each.
fn cut<T>(mut rest: &mut [T], goal: usize, size: impl Fn(&T) -> usize) -> Vec<&mut [T]> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let mut filled = 0;
        let whole = rest.iter().take_while(|item| {
            let open = filled < goal;
            filled += size(item);
            open
        });
        let length = whole.count();
        let (part, after) = rest.split_at_mut(length);
        parts.push(part);
        rest = after;
    }
    parts
}
