//! An optimizer's own way to files and back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use support::{Bench, numbers, spec};

fn trained(steps: u64) -> Bench<f32> {
    let mut bench = Bench::plain(&spec("adam", &json!({ "lr": 0.1, "sage": {} })), &[("w", numbers(1, 70))]);
    for step in 0..steps {
        bench.step(&[numbers(2 + step, 70)]);
    }
    bench
}

#[test]
fn a_step_that_is_not_the_files_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (own, torch) = (folder.path().join("own"), folder.path().join("torch"));
    let from = trained(3);
    from.optimizer.save(&own).unwrap();
    from.optimizer.export_torch(&torch).unwrap();
    let mut to = trained(1);
    let before = to.bits();
    let errors = [to.optimizer.restore(&own, Some(4)), to.optimizer.import_torch(&torch, Some(4))]
        .map(Result::unwrap_err);
    for error in errors {
        assert!(error.to_string().contains("counts 3 steps, and 4 were said"), "{error}");
        assert_eq!(error.code(), "ERR_CHECKPOINT");
    }
    assert!(to.bits() == before && to.optimizer.step_count() == 1);
    assert_eq!(to.optimizer.restore(&own, Some(3)).unwrap().step, 3);
    assert_eq!(to.optimizer.import_torch(&torch, None).unwrap().step, 3);
    assert!(to.optimizer.state() == from.optimizer.state());
}
