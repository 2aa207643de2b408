//! The end of a process with work still queued. Alone in its binary: what `stop` does cannot be undone.
#![allow(clippy::expect_used, reason = "a test that cannot go on says so and fails")]

mod support;

use sagetrain_data::LoaderState;
use sagetrain_trainer::PrecisionName;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{batches, options, sentences, start, transformer};

#[test]
fn stopping_lets_the_step_under_way_finish_and_begins_nothing_more() {
    let (model, session) = start(transformer(), options(PrecisionName::Float32, 1));
    let finished = Arc::new(AtomicUsize::new(0));
    for batch in batches(&sentences(200), 60, LoaderState::default()).take(500) {
        let finished = Arc::clone(&finished);
        session.step(
            batch,
            Box::new(move |report| {
                report.expect("a step");
                finished.fetch_add(1, Ordering::SeqCst);
            }),
        );
    }
    let (other_model, other) = start(transformer(), options(PrecisionName::Float32, 1));
    for batch in batches(&sentences(200), 60, LoaderState::default()).take(500) {
        other.step(batch, Box::new(|_| ()));
    }
    let disposal = std::thread::spawn(move || drop((other_model, other)));
    std::thread::sleep(Duration::from_millis(20));
    let started = Instant::now();
    assert!(sagetrain_trainer::stop(Duration::from_secs(30)));
    let at_stop = finished.load(Ordering::SeqCst);
    assert!(at_stop < 500 && started.elapsed() < Duration::from_secs(10));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(finished.load(Ordering::SeqCst), at_stop, "no step ran after the stop");
    disposal.join().expect("a disposal under way gives up");
    // The last handles of an engine that will never end must not wait for it.
    drop((model, session));
}
