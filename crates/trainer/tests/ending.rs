//! The end of a process with work still queued. Alone in its binary: what `stop` does cannot be undone.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::LoaderState;
use sagetrain_trainer::{PrecisionName, Session};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};
use support::{batches, options, sentences, start, transformer};

/// Queues `steps` of a session. The first does not report before something is sent by what comes back, and sending waits
/// for that report: till then none of the others begins.
fn queue(session: &Session, steps: usize, finished: &Arc<AtomicUsize>) -> SyncSender<()> {
    let (opening, gate) = sync_channel(0);
    let mut gate = Some(gate);
    for batch in batches(&sentences(200), 60, LoaderState::default()).take(steps) {
        let finished = Arc::clone(finished);
        let gate = gate.take();
        session.step(
            batch,
            Box::new(move |report| {
                report.expect("a step");
                if let Some(gate) = gate {
                    gate.recv().expect("an opening");
                }
                finished.fetch_add(1, Ordering::SeqCst);
            }),
        );
    }
    opening
}

#[test]
fn stopping_lets_the_step_under_way_finish_and_begins_nothing_more() {
    let finished = Arc::new(AtomicUsize::new(0));
    let (model, session) = start(transformer(), options(PrecisionName::Float32, 1));
    let opening = queue(&session, 500, &finished);
    let (other_model, other) = start(transformer(), options(PrecisionName::Float32, 1));
    let other_opening = queue(&other, 500, &Arc::default());
    let disposal = std::thread::spawn(move || drop((other_model, other)));
    std::thread::sleep(Duration::from_millis(20));
    // Both have all but a step before them when the stop comes, however fast the machine.
    other_opening.send(()).expect("the other's first step");
    opening.send(()).expect("the first step");
    let started = Instant::now();
    assert!(sagetrain_trainer::stop(Duration::from_secs(30)));
    let at_stop = finished.load(Ordering::SeqCst);
    assert!((1..500).contains(&at_stop), "{at_stop} steps had finished at the stop");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "the stop took {took:?}");
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(finished.load(Ordering::SeqCst), at_stop, "no step ran after the stop");
    disposal.join().expect("a disposal under way gives up");
    // The last handles of an engine that will never end must not wait for it.
    drop((model, session));
}
