//! Work on several threads whose results come in the order of what they were made from.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::bounded;

use crate::{DataError, Result};

/// Items under way at once, at most, however many threads there are: each is megabytes of text.
const MOST_UNDER_WAY: usize = 64;

/// Threads to use where nobody says how many.
pub(crate) fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Maps `items` on `threads` threads and hands the results to `sink` in the items' order, so that what comes of them does
/// not depend on the number of threads. Each thread has a function of its own from `worker`, with its own scratch
/// memory. A few items for each thread are under way at once, and no more than 64 of all. The first error in that order ends it.
pub(crate) fn ordered<T: Send, U: Send, W: FnMut(T) -> Result<U>>(
    threads: usize,
    items: impl Iterator<Item = Result<T>> + Send,
    worker: impl Fn() -> W + Sync,
    mut sink: impl FnMut(U) -> Result<()>,
) -> Result<()> {
    let window = threads.saturating_mul(2).saturating_add(1).min(MOST_UNDER_WAY);
    let (jobs, taken) = bounded(window);
    let (done, results) = bounded(window);
    let (free, permits) = bounded(window);
    for _ in 0..window {
        let _open = free.send(());
    }
    std::thread::scope(|scope| {
        // Whoever fails drops its ends of the channels, which ends everybody else: this one drops them all.
        let (free, results) = (free, results);
        scope.spawn(move || {
            for job in items.enumerate() {
                if permits.recv().is_err() || jobs.send(job).is_err() {
                    break;
                }
            }
        });
        for _ in 0..threads.clamp(1, window) {
            let (taken, done, worker) = (taken.clone(), done.clone(), &worker);
            scope.spawn(move || {
                let mut work = worker();
                for (index, item) in taken {
                    // A thread that is gone without a result would be waited for.
                    let result = catch_unwind(AssertUnwindSafe(|| item.and_then(&mut work)));
                    let panicked = || Err(DataError::Internal("a thread of the preparation panicked".into()));
                    if done.send((index, result.unwrap_or_else(|_| panicked()))).is_err() {
                        break;
                    }
                }
            });
        }
        drop((taken, done));
        let (mut early, mut next) = (BTreeMap::new(), 0);
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&next) {
                sink(result?)?;
                next += 1;
                let _ended = free.send(());
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn results_keep_their_order_on_any_number_of_threads() {
        for threads in [1, 2, 5, 100] {
            let mut seen = Vec::new();
            let slow_first = || {
                |item: u64| {
                    std::thread::sleep(std::time::Duration::from_micros(500 * (item % 3)));
                    Ok(item * 2)
                }
            };
            ordered(threads, (0..100).map(Ok), slow_first, |item| {
                seen.push(item);
                Ok(())
            })
            .unwrap();
            assert_eq!(seen, (0..100).map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_is_an_error_and_not_a_wait() {
        let work = || {
            |item: u64| -> Result<u64> {
                if item == 5 { std::panic::resume_unwind(Box::new(())) } else { Ok(item) }
            }
        };
        let result = ordered(2, (0..100).map(Ok), work, |_| Ok(()));
        assert!(matches!(result, Err(DataError::Internal(_))));
    }

    #[test]
    fn the_first_error_ends_it_wherever_it_happens() {
        let fail = |at: u64| move |item: u64| if item == at { Err(DataError::Aborted) } else { Ok(item) };
        let run = |input: u64, work: u64, output: u64| {
            let mut seen = 0;
            let items = (0..1000).map(fail(input));
            let result = ordered(
                3,
                items,
                || fail(work),
                |item| {
                    seen += 1;
                    fail(output)(item).map(drop)
                },
            );
            assert!(matches!(result, Err(DataError::Aborted)));
            seen
        };
        assert_eq!([run(7, 2000, 2000), run(2000, 7, 2000), run(2000, 2000, 7)], [7, 7, 8]);
    }
}
