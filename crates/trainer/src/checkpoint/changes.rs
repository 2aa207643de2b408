//! What a session's options have become since a checkpoint was saved.

use crate::options::SessionOptions;
use sagetrain_optim::{Change, shown};

/// With another value of these the saved state means something else.
const BINDING: [&str; 4] = ["seed", "accumulate", "precision", "optimizer"];
/// Without effect on the trajectory, or compared elsewhere: threads with the machine, the scope by the names it selects.
const FREE: [&str; 5] = ["device", "logEvery", "threads", "optimizer.observe", "optimizer.sage.scope"];

/// Whether the saved state cannot be continued under the new value.
pub(super) fn is_binding(change: &Change) -> bool {
    BINDING.contains(&change.key.as_str())
}

/// What is said where training goes on all the same.
pub(super) fn warning(Change { key, before, now }: &Change) -> String {
    let (before, now) = (shown(before), shown(now));
    format!(
        "{key} changed from {before} to {now}: training goes on with the latter, and so on another course"
    )
}

/// Every key that differs, in the options' order. A total that no
/// schedule is stretched over may differ: so is a run made longer.
pub(super) fn changes(saved: &SessionOptions, now: &SessionOptions) -> Vec<Change> {
    let stretched = now.update.schedule.needs_total_steps();
    let mut found = sagetrain_optim::changes(&saved.clone().into(), &now.clone().into(), &FREE);
    found.retain(|change| stretched || change.key != "totalSteps");
    found
}
