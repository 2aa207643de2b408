//! The end of the process: while static objects of libtorch are destroyed, no thread may be inside it.
//!
//! A thread says when it is inside; [`stop`] waits until none is, and from then on nobody gets in. A thread that would then
//! even end could still run libtorch's thread-local destructors, so it sleeps instead.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

static STOPPED: AtomicBool = AtomicBool::new(false);
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// A thread's time inside libtorch.
pub(crate) struct Inside(());

impl Inside {
    /// None once the process is ending.
    pub(crate) fn enter() -> Option<Self> {
        // Counted before it is asked: either `stop` sees the count or this sees that it has begun.
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Self(());
        (!stopped()).then_some(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether [`stop`] was called; long commands ask between batches.
pub(crate) fn stopped() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

/// Keeps a thread from ending while the process does.
pub(crate) fn sleep_forever() -> ! {
    loop {
        std::thread::park();
    }
}

/// Lets every engine finish what it is doing, begin nothing more, and keeps its memory; to be called when the process ends.
/// False when one was still busy after `patience`.
pub fn stop(patience: Duration) -> bool {
    STOPPED.store(true, Ordering::SeqCst);
    let deadline = Instant::now() + patience;
    while INSIDE.load(Ordering::SeqCst) > 0 {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}
